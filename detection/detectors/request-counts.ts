/** Counts the calls of ten seconds against what is usual of each operation: how many failed, were slow, came, and how many should have. Pure. */
import {
  type CallCounts,
  countFrom,
  errorShare,
  isKnown,
  newRequestBaseline,
  type RequestBaseline,
  slowBucket,
} from './request-baseline.ts';
import { addStep, type CountedStep, newStepSum } from './request-scan.ts';
import type { ExpectedCalls } from './request-traffic.ts';

/** errors: failed; slow: slower than 95 % usually are; slower: than half usually are; more, fewer: came at all. */
export type Measure = 'errors' | 'slow' | 'slower' | 'more' | 'fewer';
export type CallMeasure = 'errors' | 'slow' | 'slower';

/** Share of the calls that is usually slow, by its measure. */
const SLOW_SHARES = { slow: 0.05, slower: 0.5 } as const;
/**
 * Slower by less than so many buckets of 15 % (1.5 times in all) is nothing that anybody feels, however sure it is: pods that are still cold,
 * a neighbour's minute. Two to three judge alike; with one, busy services raise what passes by itself.
 */
const SLOWER_BY_BUCKETS = 3;
type Counted = Readonly<Record<CallMeasure, CountedStep>>;

export interface StepCounts {
  readonly byOperation: ReadonlyMap<string, Counted>;
  /** Of all operations together; undefined: too little is known. */
  readonly all: Readonly<Record<Measure, CountedStep | undefined>>;
}

interface KnownOperations {
  readonly operations: ReadonlyMap<string, { readonly baseline: RequestBaseline }>;
}

/** @param expected calls of the step, where that is known */
export function countStep(
  group: KnownOperations,
  calls: ReadonlyMap<string, CallCounts>,
  expected: ExpectedCalls | undefined,
): StepCounts {
  const byOperation = new Map<string, Counted>();
  const strangers: CallCounts[] = [];
  let total = 0;
  for (const [operation, counts] of calls) {
    total += counts.calls;
    const baseline = group.operations.get(operation)?.baseline;
    if (baseline && isKnown(baseline)) byOperation.set(operation, countCalls(counts, baseline));
    else strangers.push(counts);
  }
  const sums = {
    errors: sumUp([...[...byOperation.values()].map(({ errors }) => errors), ...countStrangers(group, strangers)]),
    slow: sumUp([...byOperation.values()].map(({ slow }) => slow)),
    slower: sumUp([...byOperation.values()].map(({ slower }) => slower)),
  };
  return { byOperation, all: { ...sums, ...countTraffic(total, expected) } };
}

/** An operation that nobody knows yet should fail no more than others do. */
function countStrangers({ operations }: KnownOperations, strangers: readonly CallCounts[]): CountedStep[] {
  if (strangers.length === 0) return [];
  const all = newRequestBaseline();
  for (const { baseline } of operations.values()) {
    all.calls += baseline.calls;
    all.errors += baseline.errors;
  }
  return isKnown(all) ? strangers.map(({ errors, calls }) => counted(errors, calls, errorShare(all), all)) : [];
}

function countCalls(counts: CallCounts, baseline: RequestBaseline): Counted {
  const slow = slowBucket(baseline, SLOW_SHARES.slow);
  const slower = slowBucket(baseline, SLOW_SHARES.slower);
  return {
    errors: counted(counts.errors, counts.calls, errorShare(baseline), baseline),
    slow: counted(countFrom(counts, slow.bucket + SLOWER_BY_BUCKETS), counts.calls, slow.share, baseline),
    slower: counted(countFrom(counts, slower.bucket + SLOWER_BY_BUCKETS), counts.calls, slower.share, baseline),
  };
}

/** Binomial; the share itself is known from so many calls. */
function counted(count: number, trials: number, share: number, { calls }: RequestBaseline): CountedStep {
  const variance = trials * share * (1 - share);
  return { count, trials, expected: trials * share, variance, doubt: (variance * trials) / calls };
}

function sumUp(steps: readonly CountedStep[]): CountedStep | undefined {
  if (steps.length === 0) return undefined;
  const sum = newStepSum();
  for (const step of steps) addStep(sum, step);
  return sum;
}

function countTraffic(count: number, expected: ExpectedCalls | undefined): Pick<StepCounts['all'], 'more' | 'fewer'> {
  if (!expected) return { more: undefined, fewer: undefined };
  const { low, high, variance, doubt } = expected;
  const step = { count, trials: Number.POSITIVE_INFINITY, variance, doubt };
  return { more: { ...step, expected: high }, fewer: { ...step, expected: low } };
}
