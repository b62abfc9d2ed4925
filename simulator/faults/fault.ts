/** What a kind of fault has to say for itself: whom it can befall, and what it then does. One file defines one kind. */
import type { CauseType } from '../../domain/finding.ts';
import type { Operation, Service, Shop } from '../compile-shop.ts';
import type { Disturbance } from '../disturbance.ts';
import type { RandomStream } from '../random-stream.ts';

export interface FaultContext {
  readonly shop: Shop;
  readonly victim: Service;
  readonly onsetMs: number;
  /** Infinity when it lasts. */
  readonly endMs: number;
  /** What fills up takes so long; absent: as it comes. */
  readonly fillMs?: number;
  /** For strength and choices; drawn from while planning only. */
  readonly stream: RandomStream;
}

/** A planned fault: its effects, and the truth about it. */
export interface FaultPlan extends Disturbance {
  readonly causeType: CauseType;
  /** The operations that are directly hurt: their services but the victim, and who waits for them, are the blast radius. */
  readonly hurt: readonly Operation[];
  /** When the first thing differs from the same seed without the fault: the rollout's start, or the onset. */
  readonly preludeMs: number;
  /** From the onset until it shows all that it does; left out: it does at once. */
  readonly developsMs?: number;
  /** Of the change that caused it. */
  readonly changeId?: string;
  readonly edge?: { readonly from: string; readonly to: string };
  /** Only requests that carry this are hit. */
  readonly attribute?: { readonly key: string; readonly value: string };
}

export interface FaultDefinition {
  suits(service: Service, shop: Shop): boolean;
  plan(context: FaultContext): FaultPlan;
}

/** Fewer users than this need it: nobody would be woken. */
const MIN_REQUIRED_SHARE = 0.06;

/** Whether enough users need the service for its trouble to be seen. */
export function isNeeded(service: Service): boolean {
  return Math.max(0, ...service.operations.map((operation) => operation.requiredShare)) >= MIN_REQUIRED_SHARE;
}

/** A service (not a dependency) behind the gateway that users need. */
export function isNeededService(service: Service): boolean {
  return service.runtime !== undefined && service.index > 0 && isNeeded(service);
}

/** The operation of a service that most users need. */
export function mainOperation(service: Service): Operation {
  return service.operations.reduce((best, operation) =>
    operation.requiredShare > best.requiredShare ? operation : best,
  );
}

/** 0 before the onset and after the end, 1 once `rampMs` have passed since the onset. */
export function intensity({ onsetMs, endMs }: FaultContext, atMs: number, rampMs: number): number {
  if (atMs < onsetMs || atMs >= endMs) return 0;
  return Math.min(1, (atMs - onsetMs + 1) / (rampMs + 1));
}
