/**
 * What sets a stretch of time apart from ordinary life, for good or bad: a fault or a set of decoys. It says what people
 * changed, and answers two questions of the engine: what does this visit suffer, what presses on this pod. Effects never draw
 * from shared randomness, so that all that they do not touch stays as it would have been.
 */
import type { ChangeInput } from '../domain/change.ts';
import type { Operation, Service, Shop } from './compile-shop.ts';
import type { Breakage } from './connection-errors.ts';
import type { LifeEnd, Pod, Rollout } from './fleet.ts';
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
  /** How long those take more that it fails. */
  readonly failAddedMs?: number;
  /** A WARN that a share of the visits writes. */
  readonly warning?: string;
  readonly warningShare?: number;
}

/** A call that is about to leave. */
export interface Hop {
  readonly caller: Service;
  readonly target: Operation;
  readonly request: UserRequest;
  readonly atMs: number;
}

/** What befalls a call on its way. */
export interface Wire {
  /** More time on the wire at the median, there and back together. */
  readonly delayMs: number;
  /** Share of the calls that never arrive, and what breaks them. */
  readonly brokenShare: number;
  readonly breakage: Breakage;
}

/** What is left out is as ever. */
export interface Pressure {
  /** Utilization is at least this; 0..1. */
  readonly cpuAtLeast?: number;
  /** Factor on the time spent collecting garbage. */
  readonly garbageFactor?: number;
  /** Share 0..1 of the memory limit in use. */
  readonly memory?: number;
  readonly pool?: PoolPressure;
  /** Of the keys that a cache usually holds, 0..1. */
  readonly keyShare?: number;
}

/** A pool of which every connection but a few is taken. */
export interface PoolPressure {
  /** Of the connections that are idle in ordinary time, 0..1. */
  readonly takenShare: number;
  /** How many wait for one at a time. */
  readonly pending: number;
  /** Share of the requests that wait in vain. */
  readonly timeoutShare: number;
}

/** Users who come on top of the usual ones. */
export interface Surge {
  /** How many there are for each usual one. */
  readonly share: number;
  readonly entries: Shop['entries'];
}

export interface Disturbance {
  readonly rollouts: readonly Rollout[];
  readonly changes: readonly TimedChange[];
  readonly onArrivals?: (atMs: number) => Surge | undefined;
  readonly onHop?: (hop: Hop) => Wire | undefined;
  /** Share of the lookups in a cache that find nothing, where that is more than usual. */
  readonly onLookup?: (cache: Service, atMs: number) => number;
  /** When a container that started then dies; Infinity: never. */
  readonly lifeEnd?: LifeEnd;
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

/** The first disturbance that touches a call decides what befalls it. */
export function wireOf(disturbances: readonly Disturbance[], hop: Hop): Wire | undefined {
  for (const { onHop } of disturbances) {
    const wire = onHop?.(hop);
    if (wire) return wire;
  }
  return undefined;
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
