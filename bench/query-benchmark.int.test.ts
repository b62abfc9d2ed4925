/** The query benchmark on a small week: what is stored and what the product's readers answer is what the plan says. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDataDir } from '../clickhouse/engine.fixture.ts';
import { countCalls, planTelemetry, SERVICES } from '../clickhouse/telemetry-plan.ts';
import { InputError } from '../platform/errors.ts';
import { runQueryBenchmark } from './query-benchmark.ts';

const { dataDir, remove } = makeDataDir();
afterAll(remove);

const NOW_MS = Date.UTC(2026, 2, 4, 10);
const size = { spans: 8_000, logs: 2_000, points: 1_000 };
const options = {
  ...{ directory: dataDir, size, repetitions: 3, nowMs: NOW_MS },
  signal: new AbortController().signal,
  onProgress: () => undefined,
};

it('leaves half a week behind when it is interrupted', async () => {
  const interrupted = new AbortController();
  const reason = new InputError('enough');
  const run = runQueryBenchmark({
    ...options,
    signal: interrupted.signal,
    onProgress: () => interrupted.abort(reason),
  });
  await expect(run).rejects.toBe(reason);
  expect(existsSync(join(dataDir, 'plan.json'))).toBe(false);
});

it('begins anew, stores the week as planned, and gets right answers to every question', async () => {
  const report = await runQueryBenchmark(options);
  const plan = planTelemetry(size, NOW_MS);
  const rows = Object.fromEntries(report.tables.map((table) => [table.table, table.rows]));
  expect([...countCalls(plan, plan.window).keys()].toSorted()).toEqual(SERVICES.toSorted());
  const { otel_metrics_gauge, otel_metrics_sum, otel_metrics_histogram, otel_metrics_exponential_histogram } = rows;
  const points = [otel_metrics_gauge, otel_metrics_sum, otel_metrics_histogram, otel_metrics_exponential_histogram];
  expect(rows).toMatchObject({ otel_traces: plan.spans, otel_logs: size.logs, otel_traces_trace_id_ts: plan.traces });
  expect(points.reduce<number>((sum, each) => sum + (each ?? 0), 0)).toBe(plan.points);
  expect(report.queries.filter(({ wrong, rowsAnswered }) => wrong > 0 || rowsAnswered === 0)).toEqual([]);
  expect(report).toMatchObject({ right: true, isSettled: true, telemetry: { spans: 8_000, points: 1_980 } });
  expect(report.queries.at(-1)?.rowsAnswered).toBeGreaterThan(0);
  const trace = report.queries.find(({ markMs }) => markMs === 100);
  expect(trace?.rowsRead).toBeLessThan((plan.spans + plan.traces + size.logs + plan.points) / 2);
  expect(report.queries.map(({ repetitions, rowsRead }) => repetitions === 3 && rowsRead > 0)).toEqual([
    ...[true, true, true, true],
  ]);
});

it('uses a week that is there, and refuses one of another size', async () => {
  expect(existsSync(join(dataDir, 'plan.json'))).toBe(true);
  const later = { ...options, repetitions: 1, nowMs: NOW_MS + 9 * 86_400_000 };
  const again = await runQueryBenchmark(later);
  expect(again.right).toBe(true);
  expect(again.tables.find(({ table }) => table === 'otel_traces')?.rows).toBe(8_000);
  await expect(runQueryBenchmark({ ...later, size: { ...size, logs: 1 } })).rejects.toThrow(InputError);
});
