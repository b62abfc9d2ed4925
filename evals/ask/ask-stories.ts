/** The recordings that questions are asked of: three troubles of the simulated shop, told at the moment when somebody would ask. */
import type { ChangeInput } from '../../domain/change.ts';
import type { FaultKind } from '../../simulator/faults/fault-kinds.ts';
import { describeTruth, type GroundTruth } from '../../simulator/ground-truth.ts';
import { simulateShop } from '../../simulator/simulate-shop.ts';
import type { OtlpRequest } from '../replay-case.ts';
import { type ObservedFacts, observeRequests } from './observed-facts.ts';

const MINUTE_MS = 60_000;
/** A Wednesday, eleven in the morning: when users begin to be hurt. */
export const ONSET_MS = Date.UTC(2026, 2, 4, 11);
const START_MS = ONSET_MS - 20 * MINUTE_MS;
/** When the questions are asked; telemetry begins 25 minutes before. */
export const NOW_MS = ONSET_MS + 5 * MINUTE_MS;

export const STORIES = {
  deploy: { kind: 'bad-deploy', seed: 1 },
  pool: { kind: 'pool-exhaustion', seed: 2 },
  tenant: { kind: 'tenant-errors', seed: 3 },
} as const satisfies Record<string, { kind: FaultKind; seed: number }>;

export type StoryName = keyof typeof STORIES;

/** What happened, from what was sent and from the simulator's own knowledge: nothing of it went through the product. */
export interface StoryFacts extends ObservedFacts {
  readonly truth: GroundTruth;
  readonly changes: readonly ChangeInput[];
  readonly nowMs: number;
}

export interface Story {
  readonly requests: readonly OtlpRequest[];
  readonly facts: StoryFacts;
}

/** About 75,000 spans and 10,000 log lines. */
export function tellStory(name: StoryName): Story {
  const { kind, seed } = STORIES[name];
  const options = {
    ...{ seed, startMs: START_MS, endMs: NOW_MS, requestsPerSecond: 3, batchSeconds: 30 },
    ...{ decoys: true, fault: { kind, onsetMs: ONSET_MS } },
  };
  const batches = [...simulateShop(options)];
  const requests = batches.flatMap(({ traces, logs, metrics }): OtlpRequest[] => [
    ...(traces ? [{ path: '/v1/traces', body: traces } as const] : []),
    ...(logs ? [{ path: '/v1/logs', body: logs } as const] : []),
    ...(metrics ? [{ path: '/v1/metrics', body: metrics } as const] : []),
  ]);
  const changes = batches.flatMap((batch) => batch.changes);
  return { requests, facts: { ...observeRequests(batches), truth: describeTruth(options), changes, nowMs: NOW_MS } };
}
