import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChangesWriter } from './changes-writer.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { readStatus } from './read-status.ts';

const AT_MS = Date.UTC(2026, 0, 1);
const NANOS = (atMs: number) => `${atMs}000000`;
let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

const EMPTY = {
  otel_traces: 0,
  otel_logs: 0,
  otel_metrics_gauge: 0,
  otel_metrics_sum: 0,
  otel_metrics_histogram: 0,
  otel_metrics_exponential_histogram: 0,
  otel_metrics_summary: 0,
  inquest_changes: 0,
};

it('counts the rows of every table and tells the newest of every signal', async () => {
  const { database } = opened;
  expect(await readStatus(database, database)).toEqual({ rows: EMPTY, newest: {} });

  const spans = [3, 1, 2].map((seconds) => ({ Timestamp: NANOS(AT_MS + seconds * 1_000), ServiceName: 'cart' }));
  await database.insert('otel_traces', spans);
  // Metrics of a sender that has no gauges are metrics too.
  await database.insert('otel_metrics_sum', [{ TimeUnix: NANOS(AT_MS + 9_000), MetricName: 'requests' }]);
  await database.insert('otel_metrics_histogram', [{ TimeUnix: NANOS(AT_MS + 8_000), MetricName: 'duration' }]);
  await createChangesWriter(database)([
    {
      changeId: 'chg_1',
      kind: 'deploy',
      service: 'cart',
      atMs: AT_MS,
      version: '1',
      summary: '',
      author: '',
      url: '',
      attributes: {},
      diff: '',
      source: 'webhook',
    },
  ]);
  expect(await readStatus(database, database)).toEqual({
    rows: { ...EMPTY, otel_traces: 3, otel_metrics_sum: 1, otel_metrics_histogram: 1, inquest_changes: 1 },
    newest: { traces: AT_MS + 3_000, metrics: AT_MS + 9_000, changes: AT_MS },
  });
});
