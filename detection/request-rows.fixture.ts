/** Calls for tests as the rollup counts them: drawn by chance, the same for the same seed. */

import type { Reading } from '../clickhouse/database.ts';
import type { OperationStepReader, OperationStepRow } from '../clickhouse/read-operation-steps.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { LimitError } from '../platform/errors.ts';
import { createRequestWatch } from './watch-requests.ts';

export const STEP_MS = 10_000;
export const START_MS = Date.UTC(2026, 2, 4, 9);

export interface UsualCalls {
  readonly service?: string;
  readonly operation?: string;
  readonly kind?: OperationStepRow['kind'];
  /** Of ten seconds, on the average. */
  readonly rate?: number;
  readonly errorShare?: number;
  readonly medianMs?: number;
  /** Of the logarithm. */
  readonly spread?: number;
}

export type Chance = () => number;

/** Numbers in (0, 1); Park and Miller's generator. */
export function chanceOf(seed: number): Chance {
  let state = (seed * 7_919 + 1) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export function drawCalls(chance: Chance, atMs: number, usual: UsualCalls = {}): OperationStepRow[] {
  const { service = 'cart', operation = 'GET /cart', kind = 'Server', rate = 20 } = usual;
  const { errorShare = 0.002, medianMs = 40, spread = 0.4 } = usual;
  const calls = poisson(chance, rate);
  if (calls === 0) return [];
  const byBucket = new Map<number, number>();
  let errors = 0;
  for (let call = 0; call < calls; call++) {
    if (chance() < errorShare) errors += 1;
    const normal = Math.sqrt(-2 * Math.log(chance())) * Math.cos(2 * Math.PI * chance());
    const bucket = Math.floor(Math.log(medianMs * Math.exp(spread * normal)) / Math.log(1.15)) + 50;
    byBucket.set(bucket, (byBucket.get(bucket) ?? 0) + 1);
  }
  return [
    { atMs, service, operation, kind, calls, errors, buckets: [...byBucket.keys()], counts: [...byBucket.values()] },
  ];
}

/** Counting the arrivals up to 1; in parts, where there are many. */
function poisson(chance: Chance, rate: number): number {
  if (rate > 200) {
    const normal = Math.sqrt(-2 * Math.log(chance())) * Math.cos(2 * Math.PI * chance());
    return Math.max(0, Math.round(rate + Math.sqrt(rate) * normal));
  }
  let [count, time] = [0, -Math.log(chance())];
  while (time < rate) {
    count += 1;
    time -= Math.log(chance());
  }
  return count;
}

/** A watch over rows in memory, which may be changed as time goes. */
export function openRequestWatch(maxRows = Number.POSITIVE_INFINITY) {
  const byStep = new Map<number, readonly OperationStepRow[]>();
  const rowsIn = ({ startMs, endMs }: TimeWindow) =>
    [...byStep].flatMap(([atMs, rows]) => (atMs >= startMs && atMs < endMs ? rows : []));
  const answer = <Row>(rows: Row[]): Reading<Row> => {
    if (rows.length > maxRows) throw new LimitError('too many rows');
    return { rows, query: { sql: '', parameters: {}, digest: '' } } as unknown as Reading<Row>;
  };
  const telemetry: OperationStepReader = {
    countSteps: async ({ window }) =>
      answer(
        [...Map.groupBy(rowsIn(window), ({ atMs }) => atMs)].map(([atMs, rows]) => ({
          atMs,
          calls: rows.reduce((sum, { calls }) => sum + calls, 0),
        })),
      ),
    readSteps: async ({ window }) => answer(rowsIn(window)),
  };
  const watch = createRequestWatch({ telemetry });
  const signal = new AbortController().signal;
  async function look(startMs: number, endMs: number): Promise<{ atMs: number; anomalies: Anomaly[] }[]> {
    const steps = await watch.observe({ startMs, endMs }, signal);
    return steps.map((step) => ({ atMs: step.window.startMs, anomalies: step.judge() }));
  }
  return {
    watch,
    look,
    put: (atMs: number, rows: readonly OperationStepRow[]) => byStep.set(atMs, rows),
    /** Steps of the time, each with what `rowsAt` draws, judged one after the other; what was abnormal in each. */
    run: async (startMs: number, endMs: number, rowsAt: (atMs: number) => readonly OperationStepRow[]) => {
      for (let atMs = startMs; atMs < endMs; atMs += STEP_MS) byStep.set(atMs, rowsAt(atMs));
      const judged = await look(startMs, endMs);
      for (const atMs of byStep.keys()) if (atMs < endMs - 300_000) byStep.delete(atMs);
      return judged;
    },
  };
}
