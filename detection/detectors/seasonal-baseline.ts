/**
 * What a series usually is at this hour of the day, and at this hour of a workday or of a weekend once that has been the better
 * guess. Learned value by value; hours are UTC, so a change of the clocks is a shift of one slot that is learned in days.
 */
import { newRunningMean, type RunningMean, updateMean } from '../../domain/statistics/running-mean.ts';
import { InvariantError } from '../../platform/errors.ts';

export const HOUR_MS = 3_600_000;
export const HOURS_A_DAY = 24;
/** Values that a slot remembers. */
const MEMORY_POINTS = 100;
/** Values over which the two guesses are compared: about a day of five-minute values. */
const CONTEST_POINTS = 300;
/** A slot with fewer values has nothing to say. */
const LEAST_COUNT = 3;

/** State; 74 means. */
export interface SeasonalBaseline {
  readonly ofDay: RunningMean[];
  /** Workdays first, then weekends. */
  readonly ofWeek: RunningMean[];
  readonly dayError: RunningMean;
  readonly weekError: RunningMean;
}

export function newSeasonalBaseline(): SeasonalBaseline {
  return {
    ofDay: Array.from({ length: HOURS_A_DAY }, newRunningMean),
    ofWeek: Array.from({ length: 2 * HOURS_A_DAY }, newRunningMean),
    dayError: newRunningMean(),
    weekError: newRunningMean(),
  };
}

export function hourOfDay(atMs: number): number {
  return Math.floor(atMs / HOUR_MS) % HOURS_A_DAY;
}

/** The expected value at that time, before the value there is known; undefined where this hour has too little history. */
export function expectedAt(baseline: SeasonalBaseline, atMs: number): number | undefined {
  const { day, week } = slotsAt(baseline, atMs);
  if (day.count < LEAST_COUNT) return undefined;
  const isWeekBetter = baseline.weekError.mean < baseline.dayError.mean;
  return week.count >= LEAST_COUNT && isWeekBetter ? week.mean : day.mean;
}

export function learnSeason(baseline: SeasonalBaseline, atMs: number, value: number): void {
  const { day, week } = slotsAt(baseline, atMs);
  if (week.count >= LEAST_COUNT) {
    updateMean(baseline.dayError, Math.abs(value - day.mean), CONTEST_POINTS);
    updateMean(baseline.weekError, Math.abs(value - week.mean), CONTEST_POINTS);
  }
  updateMean(day, value, MEMORY_POINTS);
  updateMean(week, value, MEMORY_POINTS);
}

function slotsAt({ ofDay, ofWeek }: SeasonalBaseline, atMs: number): { day: RunningMean; week: RunningMean } {
  const hour = hourOfDay(atMs);
  const isWeekend = new Date(atMs).getUTCDay() % 6 === 0;
  const day = ofDay[hour];
  const week = ofWeek[hour + (isWeekend ? HOURS_A_DAY : 0)];
  if (!day || !week) throw new InvariantError(`no slot of the day for ${atMs} ms`);
  return { day, week };
}
