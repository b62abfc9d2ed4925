/**
 * How surely something shifted between normal time and a window that begins at a candidate onset, as strengths in 0..1. All
 * take counts binned by time, so that every candidate onset is judged from one read.
 */

/** One-sided 95 % bound of the normal distribution. */
const Z = 1.64;

/** Share with Jeffreys' prior: half a success and half a failure more than were seen. */
function share(successes: number, trials: number): number {
  return (successes + 0.5) / (trials + 1);
}

/**
 * Lower bound of the difference of two proportions (first minus second), never below 0: few trials shrink it to nothing
 * (Agresti and Caffo, The American Statistician, 2000).
 */
export function lowerDifference(successes: number, trials: number, baseSuccesses: number, baseTrials: number): number {
  const a = share(successes, trials);
  const b = share(baseSuccesses, baseTrials);
  const error = Math.sqrt((a * (1 - a)) / (trials + 1) + (b * (1 - b)) / (baseTrials + 1));
  return Math.max(0, a - b - Z * error);
}

/** Ratio of proportions that counts as full strength: 10^1.5, about thirty times. */
const FULL_RATIO_LOG10 = 1.5;

export interface Rise {
  /** 0..1: how many times the share at least grew, on a log scale, or by how much: whichever says more. */
  readonly strength: number;
  /** The same without an upper end, to tell the best of several candidate onsets. */
  readonly rank: number;
}

/**
 * Rise of a rare thing (failures): strength 0 when the bounds of both shares overlap, 1 when it grew thirty times or more. A
 * rise from 0.2 % to 5 % says more than one from 20 % to 45 %, small as its difference is.
 */
export function judgeRise(successes: number, trials: number, baseSuccesses: number, baseTrials: number): Rise {
  const bound = (count: number, total: number, sign: number) => {
    const value = share(count, total);
    return value + sign * Z * Math.sqrt((value * (1 - value)) / (total + 1));
  };
  const atLeast = bound(successes, trials, -1);
  if (atLeast <= 0) return { strength: 0, rank: 0 };
  const times = Math.max(0, Math.log10(atLeast / bound(baseSuccesses, baseTrials, 1))) / FULL_RATIO_LOG10;
  const difference = lowerDifference(successes, trials, baseSuccesses, baseTrials);
  return { strength: Math.max(Math.min(1, times), difference), rank: times + difference };
}

/** Logarithmic buckets of about 6 %: durations in milliseconds become whole numbers that merge exactly. */
export const BUCKETS_PER_E = 16;

export function bucketToMs(bucket: number): number {
  return Math.exp(bucket / BUCKETS_PER_E);
}

/** Counts by bucket. */
export type Histogram = ReadonlyMap<number, number>;

export function histogramSize(histogram: Histogram): number {
  let size = 0;
  for (const count of histogram.values()) size += count;
  return size;
}

/** The q-quantile in milliseconds, to the bucket's resolution; NaN for an empty histogram. */
export function histogramQuantile(histogram: Histogram, q: number): number {
  const target = histogramSize(histogram) * q;
  let seen = 0;
  let last = Number.NaN;
  for (const bucket of [...histogram.keys()].sort((left, right) => left - right)) {
    seen += histogram.get(bucket) ?? 0;
    last = bucket;
    if (seen >= target) break;
  }
  return bucketToMs(last);
}

/** Slow: more than this many times the normal median. Any factor from 2 to 5 ranks alike. */
const SLOW_FACTOR = 3;
/** Medians below a millisecond are mostly clock resolution. */
const LEAST_MEDIAN_MS = 1;
/** Ratio of the window's upper quartile to the normal median that counts as full strength: 10^2.5. */
const FULL_SLOWDOWN_LOG10 = 2.5;

export interface SlowdownShift {
  readonly strength: number;
  readonly normalMedianMs: number;
  readonly windowUpperQuartileMs: number;
  readonly slowShare: number;
  readonly normalSlowShare: number;
  readonly windowCount: number;
}

/** How surely and how much durations grew; undefined where either side has too few to say. */
export function slowdownShift(window: Histogram, normal: Histogram): SlowdownShift | undefined {
  const windowCount = histogramSize(window);
  const normalCount = histogramSize(normal);
  if (windowCount < 3 || normalCount < 3) return undefined;
  const normalMedianMs = Math.max(LEAST_MEDIAN_MS, histogramQuantile(normal, 0.5));
  const slow = countAbove(window, SLOW_FACTOR * normalMedianMs);
  const normalSlow = countAbove(normal, SLOW_FACTOR * normalMedianMs);
  const windowUpperQuartileMs = histogramQuantile(window, 0.75);
  const size = Math.min(1, Math.max(0, Math.log10(windowUpperQuartileMs / normalMedianMs)) / FULL_SLOWDOWN_LOG10);
  return {
    strength: lowerDifference(slow, windowCount, normalSlow, normalCount) * size,
    normalMedianMs,
    windowUpperQuartileMs,
    slowShare: slow / windowCount,
    normalSlowShare: normalSlow / normalCount,
    windowCount,
  };
}

function countAbove(histogram: Histogram, limitMs: number): number {
  let count = 0;
  for (const [bucket, inBucket] of histogram) if (bucketToMs(bucket) > limitMs) count += inBucket;
  return count;
}

/** Several pieces of evidence for one thing: the chance that at least one of them is right (noisy or). */
export function combineStrengths(strengths: readonly number[]): number {
  return 1 - strengths.reduce((doubt, strength) => doubt * (1 - strength), 1);
}
