/** Cases from our own simulator: every fault for some seeds, and quiet stretches with nothing but innocent changes. */
import type { ChangeInput } from '../../domain/change.ts';
import { FAULT_KINDS } from '../../simulator/faults/fault-kinds.ts';
import { describeTruth } from '../../simulator/ground-truth.ts';
import { simulateShop } from '../../simulator/simulate-shop.ts';
import type { SimulationOptions } from '../../simulator/simulation-options.ts';
import { telemetryOf } from '../batch-telemetry.ts';
import type { OtlpRequest, ReplayCase } from '../replay-case.ts';
import type { ServiceTruth } from '../scorers/rank-services.ts';

/** A Wednesday, eleven in the morning. */
const ONSET_MS = Date.UTC(2026, 2, 4, 11);
const HISTORY_MS = 45 * 60_000;
/** So long the trouble lasts when the case ends; a fault that develops slowly gets that time on top. */
const TROUBLE_MS = 150_000;
const REQUESTS_PER_SECOND = 8;
const SEEDS = [1, 2, 3];

interface Simulated {
  readonly caseId: string;
  readonly options: SimulationOptions;
}

const COMMON = {
  startMs: ONSET_MS - HISTORY_MS,
  endMs: ONSET_MS + TROUBLE_MS,
  requestsPerSecond: REQUESTS_PER_SECOND,
  batchSeconds: 30,
  decoys: true,
  decoysAroundMs: ONSET_MS,
} as const;

const FAULTY: readonly Simulated[] = FAULT_KINDS.flatMap((kind) =>
  SEEDS.map((seed) => {
    const options = { ...COMMON, seed, fault: { kind, onsetMs: ONSET_MS } };
    const endMs = COMMON.endMs + describeTruth(options).developsMs;
    return { caseId: `${kind}-${seed}`, options: { ...options, endMs } };
  }),
);
const QUIET: readonly Simulated[] = SEEDS.map((seed) => ({ caseId: `quiet-${seed}`, options: { ...COMMON, seed } }));

/** Faulty cases first, then the quiet ones, in which the right answer is to accuse nobody. */
export function listSimulatedCases(): ReplayCase[] {
  return [...FAULTY, ...QUIET].map(({ caseId, options }) => ({ caseId, load: () => load(options) }));
}

/** What is known of a faulty case without running it; the change and the commit only where one did it. */
interface SimulatedTruth extends ServiceTruth {
  readonly changeId?: string;
  readonly commit?: string;
}

/** The truth of the faulty cases; quiet ones have none. */
export function simulatedTruths(): SimulatedTruth[] {
  return FAULTY.map(({ caseId, options }) => {
    const { service, faultKind, onsetMs, changeId, commit } = describeTruth(options);
    const named = { ...(changeId ? { changeId } : {}), ...(commit ? { commit } : {}) };
    return { caseId, service, faultType: faultKind, injectMs: onsetMs, ...named };
  });
}

function load(options: SimulationOptions): ReturnType<ReplayCase['load']> {
  const requests: OtlpRequest[] = [];
  const changes: ChangeInput[] = [];
  const expectedRows = { otel_traces: 0, otel_logs: 0 };
  for (const batch of simulateShop(options)) {
    requests.push(...telemetryOf(batch));
    changes.push(...batch.changes);
    expectedRows.otel_traces += batch.spanCount;
    expectedRows.otel_logs += batch.logCount;
  }
  return {
    searchWindow: { startMs: options.startMs, endMs: options.endMs },
    service: '',
    requests,
    changes,
    expectedRows,
  };
}
