import { afterAll, beforeAll, expect, test } from 'vitest';
import { createQueryRerunner, type RerunQuery } from '../clickhouse/rerun-query.ts';
import type { Evidence } from '../domain/evidence.ts';
import { InputError } from '../platform/errors.ts';
import {
  callTool,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from './fixture.contract.ts';
import { gaugeRow, sumRow } from './metric-rows.contract.ts';
import { compareLogTemplates } from './read/compare-log-templates.ts';
import { compareMetrics } from './read/compare-metrics.ts';
import { getCoverage } from './read/get-coverage.ts';
import { listChanges } from './read/list-changes.ts';
import { searchLogs } from './read/search-logs.ts';
import { TOOLS } from './registry.ts';
import { verifyEvidence } from './verify-evidence.ts';

let fixture: TelemetryFixture;
let rerun: RerunQuery;
const { signal } = new AbortController();
const baseline = { startMs: T0_MS, endMs: T0_MS + 20 * MINUTE_MS };
const window = { startMs: T0_MS + 20 * MINUTE_MS, endMs: T0_MS + 30 * MINUTE_MS };
const minutes = Array.from({ length: 30 }, (_, minute) => minute);

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    otel_logs: minutes.map((minute) =>
      logRow({ service: 'web', atMs: minute * MINUTE_MS, body: `order ${minute} placed` }),
    ),
    otel_metrics_gauge: minutes.map((minute) =>
      gaugeRow({ service: 'web', metric: 'cpu', atMs: minute * MINUTE_MS, value: 0.1 + (minute % 3) / 7 }),
    ),
    otel_metrics_sum: minutes.map((minute) =>
      sumRow({ service: 'web', metric: 'requests', atMs: minute * MINUTE_MS, value: minute / 3 }),
    ),
    otel_traces: [
      spanRow({
        trace: 'a',
        span: 'a',
        service: 'web',
        name: 'x',
        atMs: 0,
        durationMs: 1,
        resource: { 'service.version': '1' },
      }),
    ],
  });
  rerun = createQueryRerunner(fixture.database);
});
afterAll(() => fixture?.close());

const statusOf = async (evidence: Evidence) => (await verifyEvidence(evidence, rerun, signal)).status;
const change = (sql: string) => fixture.database.command(`${sql} SETTINGS mutations_sync = 1`);

test('evidence holds, drifts when a row is tampered with or added, and is gone when its rows are', async () => {
  const { evidence } = await callTool(fixture, searchLogs, { window, service: 'web' });
  expect(await verifyEvidence(evidence, rerun, signal)).toEqual({
    evidenceId: evidence.evidenceId,
    status: 'holds',
    queries: evidence.queries.map((query) => ({ before: query, after: query })),
  });

  await change("ALTER TABLE otel_logs UPDATE Body = 'order 25 cancelled' WHERE Body = 'order 25 placed'");
  expect(await statusOf(evidence)).toBe('drifted');
  await change("ALTER TABLE otel_logs UPDATE Body = 'order 25 placed' WHERE Body = 'order 25 cancelled'");
  expect(await statusOf(evidence)).toBe('holds');

  await fixture.database.insert('otel_logs', [
    logRow({ service: 'web', atMs: 25.5 * MINUTE_MS, body: 'order 99 placed' }),
  ]);
  expect(await statusOf(evidence)).toBe('drifted');
  await change("ALTER TABLE otel_logs DELETE WHERE Body = 'order 99 placed'");
  expect(await statusOf(evidence)).toBe('holds');

  await change('ALTER TABLE otel_logs DELETE WHERE true');
  const { status, queries } = await verifyEvidence(evidence, rerun, signal);
  expect(status).toBe('gone');
  expect(queries[0]?.after.rowCount).toBe(0);
});

test('every kind of statement of ours may run again', async () => {
  const cases = [
    await callTool(fixture, compareMetrics, { window, baseline }),
    await callTool(fixture, compareLogTemplates, { window, baseline }),
    await callTool(fixture, listChanges, { window }),
    await callTool(fixture, getCoverage, { window, stepSeconds: 60 }),
  ];
  for (const { evidence } of cases) expect(await statusOf(evidence)).toBe('holds');
});

test('a statement that was tampered with is not run', async () => {
  const { evidence } = await callTool(fixture, getCoverage, { window, stepSeconds: 60 });
  const tampered = {
    ...evidence,
    queries: evidence.queries.map((query) => ({ ...query, sql: 'DROP TABLE otel_traces' })),
  };
  await expect(verifyEvidence(tampered, rerun, signal)).rejects.toThrow(InputError);
});

test('the largest answer that any tool may read can be verified', async () => {
  const maxRows = Math.max(...TOOLS.map(({ tool }) => tool.limits.maxRows));
  const sql = 'SELECT number FROM system.numbers LIMIT {rows:UInt32}';
  const { query } = await fixture.database.read(sql, { rows: maxRows }, { tag: 'test', maxRows });
  expect(query.rowCount).toBe(maxRows);
  expect(await rerun(query, signal)).toEqual(query);
});
