/**
 * What sets a stretch of time apart from ordinary life, for good or bad: a fault or a set of decoys. It says what people
 * changed, and answers two questions of the engine: what does this visit suffer, what presses on this pod. Effects never draw
 * from shared randomness, so that all that they do not touch stays as it would have been.
 */
import type { ChangeInput } from '../domain/change.ts';
import type { Operation } from './compile-shop.ts';
import type { Pod, Rollout } from './fleet.ts';
import type { Failure } from './shop-model.ts';
import type { UserRequest } from './user-request.ts';

/** One run of an operation on a pod (a dependency's operations included). */
export interface Visit {
  readonly operation: Operation;
  readonly pod: Pod;
  /** The calling service; empty for a user. */
  readonly caller: string;
  readonly request: UserRequest;
  readonly atMs: number;
}

export interface Impact {
  /** Factor on the operation's own time. */
  readonly selfFactor: number;
  /** More own time, at the median: it spreads as the own time does. */
  readonly addedMs: number;
  readonly failShare: number;
  readonly failure?: Failure;
  /** A WARN that a share of the visits writes. */
  readonly warning?: string;
  readonly warningShare?: number;
}

export interface Pressure {
  /** Utilization is at least this; 0..1. */
  readonly cpuAtLeast: number;
  /** Factor on the time spent collecting garbage. */
  readonly garbageFactor: number;
}

export interface Disturbance {
  readonly rollouts: readonly Rollout[];
  readonly changes: readonly TimedChange[];
  readonly onVisit?: (visit: Visit) => Impact | undefined;
  readonly onPod?: (pod: Pod, atMs: number) => Pressure | undefined;
}

/** A change with its time as a number beside it. */
export interface TimedChange {
  readonly atMs: number;
  readonly input: ChangeInput;
}

export const NO_IMPACT: Impact = { selfFactor: 1, addedMs: 0, failShare: 0 };

/** What a visit suffers from all disturbances together; the later one's failure and warning win. */
export function impactOf(disturbances: readonly Disturbance[], visit: Visit): Impact {
  let impact = NO_IMPACT;
  for (const { onVisit } of disturbances) {
    const more = onVisit?.(visit);
    if (more) impact = impact === NO_IMPACT ? more : combine(impact, more);
  }
  return impact;
}

function combine(first: Impact, second: Impact): Impact {
  return {
    ...first,
    ...second,
    selfFactor: first.selfFactor * second.selfFactor,
    addedMs: first.addedMs + second.addedMs,
    failShare: 1 - (1 - first.failShare) * (1 - second.failShare),
  };
}
