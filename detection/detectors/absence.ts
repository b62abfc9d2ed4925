/**
 * How surprising it is that something does not come: the chance of so long a run without it, against the runs that its own past has
 * had. What stays away for an hour is no longer expected. Plain JSON, constant memory.
 */

/** State. Minutes in which it came and did not come, half forgotten after a day; a run counts when it is over. */
export interface Absence {
  came: number;
  missed: number;
  /** Minutes of the present run; 0: it is there. */
  run: number;
  /** Start of the present run. */
  sinceMs: number;
  /** -log10 of the chance of the present run. */
  strength: number;
  /** Of the strongest runs that ended, the strongest first. */
  readonly past: number[];
}

const KEPT_SHARE = 0.5 ** (1 / 1_440);
/** Minutes below which nothing is known; 20 to 60 judge alike. */
const LEAST_MINUTES = 30;
/** The strongest run of the past may have been an outage: the second strongest is what is usual. */
const KEPT_RUNS = 3;
const USUAL_RUN = 1;
/** A run has to be so many times as strong as what is usual; 1.2 to 2 judge alike. */
const BEYOND_USUAL = 1.5;
/** A run that passes its bar raises it by no more than this: an outage is not what is usual. */
const LEARNED_BARS = 1.2;
/** What a past run was is half forgotten after a week of minutes. */
const KEPT_RUN_SHARE = 0.5 ** (1 / 10_080);
/** Accepted chance, -log10, of one run by chance alone; 5 to 7 judge alike. */
const LEAST_BAR = 6;
const LASTING_MINUTES = 60;

export function newAbsence(): Absence {
  return { came: 0, missed: 0, run: 0, sinceMs: 0, strength: 0, past: [] };
}

function isKnown({ came, missed }: Absence): boolean {
  return came + missed >= LEAST_MINUTES;
}

/** Share of minutes in which it comes; 0 while nothing is known. */
export function shareCame(absence: Absence): number {
  return isKnown(absence) ? absence.came / (absence.came + absence.missed) : 0;
}

/** It came in this minute. @param isNew the minute was not noted before */
export function noteCame(absence: Absence, isNew: boolean): void {
  for (let run = 0; run < absence.past.length; run++) absence.past[run] = (absence.past[run] ?? 0) * KEPT_RUN_SHARE;
  if (absence.run > 0) endRun(absence);
  if (isNew) absence.came = absence.came * KEPT_SHARE + 1;
}

/**
 * It did not come in this minute.
 * @param strength -log10 of the chance of the whole run where more is known than minutes tell
 * @returns true: it has stayed away for so long that it is not expected any more, and all is forgotten but what runs there were
 */
export function noteMissed(absence: Absence, atMs: number, strength = 0): boolean {
  absence.run += 1;
  if (absence.run === 1) absence.sinceMs = atMs;
  const share = (absence.missed + 0.5) / (absence.came + absence.missed + 1);
  const byMinutes = isKnown(absence) ? -absence.run * Math.log10(share) : 0;
  absence.strength = Math.max(absence.strength, byMinutes, isKnown(absence) ? strength : 0);
  if (absence.run < LASTING_MINUTES) return false;
  endRun(absence);
  absence.came = 0;
  absence.missed = 0;
  return true;
}

function endRun(absence: Absence): void {
  absence.past.push(Math.min(absence.strength, LEARNED_BARS * barOf(absence)));
  absence.past.sort((left, right) => right - left);
  absence.past.splice(KEPT_RUNS);
  absence.missed = absence.missed * KEPT_SHARE ** absence.run + absence.run;
  forgetRun(absence);
}

/** Nobody looked meanwhile: what was missed says nothing. */
export function forgetRun(absence: Absence): void {
  absence.run = 0;
  absence.sinceMs = 0;
  absence.strength = 0;
}

/** How many times the bar the present run has passed. */
export function absenceDeviation(absence: Absence): number {
  return absence.run === 0 ? 0 : absence.strength / barOf(absence);
}

function barOf({ past }: Absence): number {
  return Math.max(LEAST_BAR, BEYOND_USUAL * (past[USUAL_RUN] ?? 0));
}
