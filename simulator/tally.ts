/** What a pod counted in one metrics interval: requests by operation and outcome with their durations, time spent, calls out. */
import type { Operation } from './compile-shop.ts';

/** Seconds; the bounds that the semantic conventions advise for http.server.request.duration. */
export const DURATION_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export interface Durations {
  readonly operation: Operation;
  /** HTTP status, or gRPC code. */
  readonly code: number;
  count: number;
  sumUs: number;
  minUs: number;
  maxUs: number;
  readonly buckets: number[];
}

export interface Tally {
  requests: number;
  /** Own time and waiting, of all requests together. */
  busyUs: number;
  /** Time spent in calls to databases and caches. */
  poolUs: number;
  /** Lookups that found nothing; of a cache. */
  misses: number;
  readonly durations: Map<number, Durations>;
}

export function createTally(): Tally {
  return { requests: 0, busyUs: 0, poolUs: 0, misses: 0, durations: new Map() };
}

export function countRequest(tally: Tally, operation: Operation, code: number, durationUs: number): void {
  tally.requests += 1;
  tally.busyUs += durationUs;
  const key = operation.index * 1000 + code;
  let durations = tally.durations.get(key);
  if (!durations) {
    const buckets = new Array<number>(DURATION_BOUNDS_S.length + 1).fill(0);
    durations = { operation, code, count: 0, sumUs: 0, minUs: durationUs, maxUs: durationUs, buckets };
    tally.durations.set(key, durations);
  }
  durations.count += 1;
  durations.sumUs += durationUs;
  durations.minUs = Math.min(durations.minUs, durationUs);
  durations.maxUs = Math.max(durations.maxUs, durationUs);
  const bucket = bucketOf(durationUs / 1_000_000);
  durations.buckets[bucket] = (durations.buckets[bucket] ?? 0) + 1;
}

function bucketOf(seconds: number): number {
  const bucket = DURATION_BOUNDS_S.findIndex((bound) => seconds <= bound);
  return bucket < 0 ? DURATION_BOUNDS_S.length : bucket;
}
