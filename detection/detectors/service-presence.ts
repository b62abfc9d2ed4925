/**
 * Whether a service that was there is there: each of its signals, the requests it takes, the calls that others make to it. Tells apart
 * a service that is down, one that nobody asks any more, one that is gone, and telemetry that stopped. Pure; the state is plain JSON.
 */
import { type Absence, absenceDeviation, forgetRun, newAbsence, noteCame, noteMissed, shareCame } from './absence.ts';

export const SIGNALS = ['traces', 'logs', 'metrics'] as const;
export type PresentSignal = (typeof SIGNALS)[number];

/** What was heard of a service in one minute. */
export interface PresenceMinute {
  readonly atMs: number;
  /** The newest of each signal, Unix ms; 0: none. */
  readonly newestMs: Readonly<Record<PresentSignal, number>>;
  readonly requests: number;
  /** Until when requests came. */
  readonly requestsMs: number;
  /** Calls to it that others tell of, and those that failed. */
  readonly asked: number;
  readonly refused: number;
}

/** State. */
export interface ServicePresence {
  readonly firstMs: number;
  lastMs: number;
  readonly signals: Record<PresentSignal, Absence>;
  readonly requests: Absence;
  /** Requests a minute, half forgotten after two hours and after ten minutes, and how far minutes strayed. */
  slowRate: number;
  quickRate: number;
  squares: number;
  rateMinutes: number;
  /** The newest request. */
  lastRequestMs: number;
  /** Calls to it, a minute, as slowRate; and those since its newest request. */
  askedRate: number;
  askedSince: number;
}

/**
 * down: nothing comes from it, and calls to it fail. unreached: calls fail, and no request comes in. no requests: they come from outside, and
 * stopped. unasked: its callers stopped calling. gone: nothing
 * comes, and nobody misses it. untold: nothing comes, and its callers are answered. A signal: that one stopped.
 */
export type SilenceShape = 'down' | 'unreached' | 'no requests' | 'unasked' | 'gone' | 'untold' | PresentSignal;

export interface SilenceDeviation {
  readonly shape: SilenceShape;
  readonly deviation: number;
  readonly sinceMs: number;
  /** Requests, or calls, that were to be expected a minute. */
  readonly expected: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SLOW_SHARE = 0.5 ** (1 / 120);
const QUICK_SHARE = 0.5 ** (1 / 10);
/** Requests taken to have come by chance alone before any did. */
const CALM_REQUESTS = 5;
/** From this share of the requests on, those who call it tell of them. */
const ASKED_SHARE = 0.3;
/** Others cannot reach it. */
const REFUSED_SHARE = 0.3;
const WHISPER = 0.5;
const WHISPER_MOST = 0.99;
/** What hurts nobody does not open an incident by itself. */
const UNHURT_MOST = 1.4;
/** From this share of minutes on it always comes. */
const STEADY_SHARE = 0.9;

export function newServicePresence(atMs: number): ServicePresence {
  return {
    firstMs: atMs,
    lastMs: atMs,
    signals: { traces: newAbsence(), logs: newAbsence(), metrics: newAbsence() },
    requests: newAbsence(),
    ...{ slowRate: 0, quickRate: 0, squares: 0, rateMinutes: 0, lastRequestMs: 0, askedRate: 0, askedSince: 0 },
  };
}

/** Whether a signal of it is to be expected in every minute. */
export function isSteady({ signals }: ServicePresence, signal: PresentSignal): boolean {
  return shareCame(signals[signal]) >= STEADY_SHARE;
}

export function isPresent({ newestMs }: PresenceMinute): boolean {
  return SIGNALS.some((signal) => newestMs[signal] > 0);
}

/**
 * Takes a minute in.
 * @param unobserved signals of which nobody saw anything in it
 * @param isNew false: it was taken in before, and more of it has come
 */
export function takePresence(
  presence: ServicePresence,
  minute: PresenceMinute,
  unobserved: ReadonlySet<PresentSignal>,
  isNew: boolean,
): void {
  const { atMs, newestMs } = minute;
  if (isPresent(minute)) presence.lastMs = Math.max(presence.lastMs, atMs);
  for (const signal of SIGNALS) {
    const absence = presence.signals[signal];
    if (newestMs[signal] > 0) noteCame(absence, isNew);
    else if (unobserved.has(signal)) forgetRun(absence);
    else if (isNew && absence.came > 0) noteMissed(absence, atMs);
  }
  if (unobserved.has('traces')) forgetRequests(presence, atMs + MINUTE_MS);
  else takeRequests(presence, minute, isNew);
}

/** Nobody looked: what was to come by then says nothing. */
function forgetRequests(presence: ServicePresence, untilMs: number): void {
  forgetRun(presence.requests);
  presence.askedSince = 0;
  if (presence.lastRequestMs > 0) presence.lastRequestMs = Math.max(presence.lastRequestMs, untilMs);
}

function takeRequests(presence: ServicePresence, minute: PresenceMinute, isNew: boolean): void {
  const { atMs, requests, requestsMs, asked } = minute;
  if (requests > 0) {
    noteCame(presence.requests, isNew);
    presence.lastRequestMs = Math.max(presence.lastRequestMs, requestsMs);
    presence.askedSince = 0;
    if (isNew) learnRate(presence, requests, asked);
    return;
  }
  if (!isNew || presence.requests.came === 0) return;
  presence.askedSince += asked;
  const isOver = noteMissed(presence.requests, atMs, requestStrength(presence, atMs + MINUTE_MS));
  if (isOver) Object.assign(presence, { slowRate: 0, quickRate: 0, squares: 0, rateMinutes: 0, askedRate: 0 });
}

function learnRate(presence: ServicePresence, requests: number, asked: number): void {
  const slow = presence.rateMinutes === 0 ? requests : presence.slowRate;
  const keep = Math.min(SLOW_SHARE, presence.rateMinutes / (presence.rateMinutes + 1));
  const keepQuick = Math.min(QUICK_SHARE, keep);
  presence.squares = presence.squares * keep + (requests - slow) ** 2 * (1 - keep);
  presence.slowRate = presence.slowRate * keep + requests * (1 - keep);
  presence.quickRate = presence.quickRate * keepQuick + requests * (1 - keepQuick);
  presence.askedRate = presence.askedRate * keep + asked * (1 - keep);
  presence.rateMinutes += 1;
}

/** -log10 of the chance that none came since the newest, were they as many as lately, and as uneven. */
function requestStrength(presence: ServicePresence, endMs: number): number {
  const { slowRate, quickRate, squares, lastRequestMs, askedSince } = presence;
  const minutes = Math.max(0, endMs - lastRequestMs) / MINUTE_MS;
  const expected = Math.min(slowRate, quickRate) * minutes * shareCame(presence.requests);
  const reached = isAskedByOthers(presence) ? Math.min(expected, askedSince) : expected;
  const dispersion = Math.max(1, (squares + CALM_REQUESTS) / (slowRate + CALM_REQUESTS));
  return (reached / dispersion) * Math.LOG10E;
}

function isAskedByOthers({ askedRate, slowRate }: ServicePresence): boolean {
  return askedRate >= ASKED_SHARE * slowRate && askedRate > 0;
}

/** What of it is silent in the newest minute; at most one, the one that says most. Undefined: nothing worth a whisper. */
export function judgePresence(presence: ServicePresence, minute: PresenceMinute): SilenceDeviation | undefined {
  const found = isPresent(minute) ? judgePart(presence, minute) : judgeWhole(presence, minute);
  return found && found.deviation >= WHISPER ? found : undefined;
}

function judgeWhole(presence: ServicePresence, minute: PresenceMinute): SilenceDeviation | undefined {
  const { signals, requests, firstMs } = presence;
  const absences = [...SIGNALS.map((signal) => signals[signal]), requests].filter(({ run }) => run > 0);
  if (absences.length === 0) return undefined;
  const deviation = Math.max(...absences.map(absenceDeviation));
  const sinceMs = Math.max(presence.lastMs + MINUTE_MS, Math.min(...absences.map((each) => each.sinceMs)));
  if (isRefused(minute)) return { shape: 'down', deviation, sinceMs, expected: minute.asked };
  // Its callers are answered: it is there, and says nothing.
  if (minute.asked > 0) return { shape: 'untold', deviation: whisperOf(deviation), sinceMs, expected: minute.asked };
  const isNew = minute.atMs - firstMs < DAY_MS;
  const told = isNew ? whisperOf(deviation) : Math.min(UNHURT_MOST, deviation);
  return { shape: 'gone', deviation: told, sinceMs, expected: presence.slowRate };
}

function judgePart(presence: ServicePresence, minute: PresenceMinute): SilenceDeviation | undefined {
  const ofRequests = judgeRequests(presence, minute);
  if (ofRequests && ofRequests.deviation >= WHISPER) return ofRequests;
  return SIGNALS.flatMap((signal) => {
    const absence = presence.signals[signal];
    // Without requests there is nothing to trace, and little to write down.
    if (absence.run === 0 || (signal !== 'metrics' && presence.requests.run > 0)) return [];
    const deviation = whisperOf(absenceDeviation(absence));
    return [{ shape: signal, deviation, sinceMs: absence.sinceMs, expected: 1 }];
  }).sort((left, right) => right.deviation - left.deviation)[0];
}

function judgeRequests(presence: ServicePresence, minute: PresenceMinute): SilenceDeviation | undefined {
  const { requests, slowRate } = presence;
  if (requests.run === 0) return undefined;
  const deviation = absenceDeviation(requests);
  const common = { sinceMs: requests.sinceMs, expected: slowRate };
  if (isAskedByOthers(presence) && isRefused(minute)) return { shape: 'unreached', deviation, ...common };
  // Whoever answers, or writes as ever, has requests; only nobody traces them.
  const isAtWork = minute.asked > 0 || (minute.newestMs.logs > 0 && isSteady(presence, 'logs'));
  if (isAtWork) return { shape: 'traces', deviation: whisperOf(deviation), ...common };
  // Those who called it stopped, and it is they who know why; who is asked only at times is asked again.
  if (isAskedByOthers(presence)) return { shape: 'unasked', deviation: whisperOf(deviation), ...common };
  const isSure = shareCame(requests) >= STEADY_SHARE;
  return { shape: 'no requests', deviation: isSure ? deviation : whisperOf(deviation), ...common };
}

/** Others call it, and do not reach it. */
function isRefused({ asked, refused }: PresenceMinute): boolean {
  return asked > 0 && refused >= REFUSED_SHARE * asked;
}

/** What hurts nobody is heard once it passes its bar, and only where others agree. */
function whisperOf(deviation: number): number {
  return deviation >= 1 ? WHISPER_MOST : 0;
}
