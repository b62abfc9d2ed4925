/** Minutes of metric series from the rollup, as the engine gives them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { createMetricMinuteReader } from './read-metric-minutes.ts';

const START_MS = Date.UTC(2026, 2, 4, 12);
const MINUTE_MS = 60_000;
const BOUNDS = { maxRows: 100 };

let engine: TestDatabase;

beforeAll(async () => {
  engine = await openTestDatabase();
  const at = (seconds: number) => new Date(START_MS + seconds * 1_000).toISOString().replace('T', ' ').replace('Z', '');
  const common = { ServiceName: 'cart', MetricUnit: 'By', Attributes: { b: '2', a: '1' }, Flags: 0 };
  const pod = { ResourceAttributes: { 'k8s.pod.name': 'cart-1' } };
  const point = (seconds: number, value: number, more: object = {}) => ({
    ...common,
    ...pod,
    TimeUnix: at(seconds),
    MetricName: 'memory',
    Value: value,
    ...more,
  });
  await engine.database.insert('otel_metrics_gauge', [point(50, 30), point(10, 10), point(130, 7), point(180, 99)]);
  // The same minute in a second insert, and a point that says it has no value.
  await engine.database.insert('otel_metrics_gauge', [point(20, 20), point(70, 5, { Flags: 1 })]);
  const counter = { MetricName: 'requests', MetricUnit: '{request}', Attributes: {} };
  await engine.database.insert('otel_metrics_sum', [
    point(10, 100, counter),
    point(55, 160, counter),
    point(70, 220, counter),
  ]);
});
afterAll(() => engine?.close());

test("one row a series, side by side the minutes in which it was observed, the window's end left out", async () => {
  const window = { startMs: START_MS, endMs: START_MS + 3 * MINUTE_MS };
  const { rows } = await createMetricMinuteReader(engine.database).readMinutes({ window }, BOUNDS);
  const [memory, requests] = rows;
  expect(rows).toHaveLength(2);
  expect(memory).toMatchObject({ service: 'cart', metric: 'memory', kind: 'gauge', pod: 'cart-1', unit: 'By' });
  expect(memory?.attributes).toEqual({ a: '1', b: '2' });
  expect(memory?.attributesKey).toMatch(/^\d+$/);
  expect(memory?.atMs).toEqual([START_MS, START_MS + 2 * MINUTE_MS]);
  expect(memory?.means).toEqual([20, 7]);
  expect(memory?.lasts).toEqual([30, 7]);
  expect(requests).toMatchObject({ kind: 'sum', lasts: [160, 220], means: [130, 220] });
});

test('nothing was measured: no rows', async () => {
  const window = { startMs: START_MS - 9 * MINUTE_MS, endMs: START_MS };
  expect((await createMetricMinuteReader(engine.database).readMinutes({ window }, BOUNDS)).rows).toEqual([]);
});
