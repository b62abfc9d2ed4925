/**
 * What calls to one operation usually do: how many fail, and how long they take, as counts by bucket. Half of what is known is of
 * the last two hours of calls. Plain JSON.
 */
import { bucketStartMs } from '../../clickhouse/read-operation-steps.ts';

/** Calls of ten seconds, as the rollup counts them. */
export interface CallCounts {
  readonly calls: number;
  readonly errors: number;
  /** Numbers of the buckets, and calls in each: see bucketStartMs. */
  readonly buckets: readonly number[];
  readonly counts: readonly number[];
}

/** State. */
export interface RequestBaseline {
  calls: number;
  errors: number;
  /** Calls by number of their bucket. */
  readonly durations: number[];
  /** The newest step learned. */
  lastMs: number;
}

/** Half is forgotten within 720 steps with calls, which is two hours. */
const KEPT_SHARE = 0.5 ** (1 / 720);
/** Calls below which nothing is known. */
const LEAST_CALLS = 50;

export function newRequestBaseline(): RequestBaseline {
  return { calls: 0, errors: 0, durations: [], lastMs: 0 };
}

/** Steps without calls say nothing, and are not learned. */
export function learnCalls(
  baseline: RequestBaseline,
  atMs: number,
  { calls, errors, buckets, counts }: CallCounts,
): void {
  if (calls === 0) return;
  baseline.lastMs = Math.max(baseline.lastMs, atMs);
  baseline.calls = baseline.calls * KEPT_SHARE + calls;
  baseline.errors = baseline.errors * KEPT_SHARE + errors;
  const { durations } = baseline;
  for (let bucket = 0; bucket < durations.length; bucket++) durations[bucket] = (durations[bucket] ?? 0) * KEPT_SHARE;
  addDurations(durations, { buckets, counts });
}

export function isKnown({ calls }: RequestBaseline): boolean {
  return calls >= LEAST_CALLS;
}

/** Share that fails; never quite 0 or 1: too few were seen to say so. */
export function errorShare({ calls, errors }: Pick<RequestBaseline, 'calls' | 'errors'>): number {
  return (errors + 0.5) / (calls + 1);
}

/** The bucket that at most `share` of the calls reach, and the share that does. */
export function slowBucket({ durations, calls }: RequestBaseline, share: number): { bucket: number; share: number } {
  let above = 0;
  for (let bucket = durations.length - 1; bucket >= 0; bucket--) {
    const next = above + (durations[bucket] ?? 0);
    if (next > share * calls) return { bucket: bucket + 1, share: (above + 0.5) / (calls + 1) };
    above = next;
  }
  return { bucket: 0, share: (above + 0.5) / (calls + 1) };
}

export function countFrom({ buckets, counts }: Pick<CallCounts, 'buckets' | 'counts'>, first: number): number {
  let sum = 0;
  for (let index = 0; index < buckets.length; index++) {
    if ((buckets[index] ?? 0) >= first) sum += counts[index] ?? 0;
  }
  return sum;
}

/** Adds to counts by number of the bucket; the array grows as it must. */
export function addDurations(durations: number[], { buckets, counts }: Pick<CallCounts, 'buckets' | 'counts'>): void {
  buckets.forEach((bucket, index) => {
    while (durations.length <= bucket) durations.push(0);
    durations[bucket] = (durations[bucket] ?? 0) + (counts[index] ?? 0);
  });
}

/** The duration in ms that `share` of the calls stay below, within 15 %; 0 without calls. */
export function quantileMs(durations: readonly number[], share: number): number {
  const target = share * durations.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [bucket, count] of durations.entries()) {
    if (count > 0 && below + count >= target) {
      return bucketStartMs(bucket + Math.max(0, (target - below) / count));
    }
    below += count;
  }
  return 0;
}
