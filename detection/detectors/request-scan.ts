/**
 * A scan for an excess in the newest steps of a count: of all stretches that end now, the one least likely by chance, against what
 * its own past has reached (extreme values). Finds bursts of seconds and slow rises of minutes alike, and says where they began. After the
 * scan statistic of Kulldorff (A spatial scan statistic, 1997), with the bar from the past in place of simulation. Plain JSON.
 */
import { newRecentTail, observeRecent, type RecentTail, recentTail } from '../../domain/statistics/recent-tail.ts';
import { tailBar } from '../../domain/statistics/upper-tail.ts';

/** One step: how many were counted among how many, how many were expected, and how far chance and ignorance carry. */
export interface CountedStep {
  readonly count: number;
  /** Infinity: among any number. */
  readonly trials: number;
  readonly expected: number;
  /** Of the count, were the expectation exact. */
  readonly variance: number;
  /** Of the expectation, which errs for all steps alike. */
  readonly doubt: number;
}

/** State: scores of the last half day to a day. */
export type RequestScan = RecentTail;

export interface Excess {
  /** In standard errors, of one side. */
  readonly score: number;
  /** How many times the score is what its own past reaches by chance. */
  readonly deviation: number;
  /** Newest steps in which it shows. */
  readonly length: number;
}

/** One step alone may be a moment's accident. */
const LEAST_LENGTH = 2;
/** Accepted chance that normal time passes the bar in one step. */
const RISK = 1e-6;
/** Standard errors that chance alone passes with that risk: no past is so calm that less is a deviation. */
const LEAST_BAR = 4.75;
/** Anything below this part of a bar is of no interest to anybody. */
const LEAST_DEVIATION = 0.5;

export function newRequestScan(): RequestScan {
  return newRecentTail();
}

/** Steps taken together, which is a step too. */
type StepSum = { -readonly [Key in keyof CountedStep]: number };

export function newStepSum(): StepSum {
  return { count: 0, trials: 0, expected: 0, variance: 0, doubt: 0 };
}

export function addStep(sum: StepSum, step: CountedStep): void {
  sum.count += step.count;
  sum.trials += step.trials;
  sum.expected += step.expected;
  sum.variance += step.variance;
  sum.doubt += step.doubt;
}

/**
 * The greatest excess of the stretches of steps that end with the newest.
 * @param steps in order of time; undefined: nothing was to be counted
 * @param sign -1 looks for too few instead
 */
export function scanForExcess(
  scan: RequestScan,
  steps: readonly (CountedStep | undefined)[],
  sign: 1 | -1 = 1,
): Excess {
  const sum = newStepSum();
  let score = 0;
  let length = 0;
  for (let taken = 1; taken <= steps.length; taken++) {
    const step = steps[steps.length - taken];
    if (!step) continue;
    addStep(sum, step);
    if (taken < LEAST_LENGTH) continue;
    const its = scoreOf(sum, sum.variance + taken * sum.doubt, sign);
    if (its > score) [score, length] = [its, taken];
  }
  // What cannot matter need not know its bar, which is never below the least one.
  const bar = score < LEAST_BAR * LEAST_DEVIATION ? LEAST_BAR : barOf(scan);
  return { score, deviation: score / bar, length: withoutLead(steps, length, sign) };
}

/** Learned where it is not abnormal. */
export function learnScore(scan: RequestScan, score: number): void {
  observeRecent(scan, score);
}

function barOf(scan: RequestScan): number {
  return Math.max(LEAST_BAR, tailBar(recentTail(scan), RISK));
}

/**
 * The signed root of the likelihood ratio of a binomial (or Poisson) count, which is in standard errors also where counts are
 * few; narrowed by as much as the variance is wider than that of chance. One of them is anybody's accident, and does not count.
 */
function scoreOf({ count, trials, expected }: CountedStep, variance: number, sign: 1 | -1): number {
  const seen = count - sign;
  if (sign * (seen - expected) <= 0 || expected <= 0) return 0;
  const chance = Number.isFinite(trials) ? expected * (1 - expected / trials) : expected;
  const others = Number.isFinite(trials) ? xLogRatio(trials - seen, trials - expected) : expected - seen;
  const ratio = 2 * (xLogRatio(seen, expected) + others);
  return variance > 0 ? Math.sqrt(Math.max(0, (ratio * chance) / variance)) : 0;
}

function xLogRatio(value: number, base: number): number {
  return value <= 0 || base <= 0 ? 0 : value * Math.log(value / base);
}

/** Steps at its beginning that show nothing themselves are no part of it: they came along for the length. */
function withoutLead(steps: readonly (CountedStep | undefined)[], length: number, sign: 1 | -1): number {
  for (let left = length; left > 1; left--) {
    const first = steps[steps.length - left];
    if (first && sign * (first.count - first.expected) > Math.sqrt(first.variance)) return left;
  }
  return Math.min(1, length);
}
