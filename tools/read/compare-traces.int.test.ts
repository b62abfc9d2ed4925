import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SpanRow } from '../../clickhouse/telemetry-rows.ts';
import {
  callTool,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { compareTraces } from './compare-traces.ts';

let fixture: TelemetryFixture;
const NORMAL_MS = -60 * MINUTE_MS;

function trace(
  name: string,
  atMs: number,
  durationMs: number,
  operations: readonly string[],
  isError = false,
): SpanRow[] {
  const status = isError ? 'Error' : 'Unset';
  return [
    spanRow({ trace: name, span: 'root', service: 'web', name: 'GET /', atMs, durationMs, status }),
    ...operations.map((operation) =>
      spanRow({ trace: name, span: operation, parent: 'root', service: 'api', name: operation, atMs, durationMs: 1 }),
    ),
  ];
}

beforeAll(async () => {
  const times = (count: number, make: (index: number) => SpanRow[]) =>
    Array.from({ length: count }, (_, index) => make(index)).flat();
  fixture = await openTelemetryFixture({
    otel_traces: [
      ...times(40, (index) => trace(`n${index}`, NORMAL_MS + index * 1_000, 10, ['read', 'audit'])),
      // In the window: four fail through the cache, two are slow through it, two take it and are fine; none is audited any more.
      ...times(4, (index) => trace(`f${index}`, index * 1_000, 10, ['read', 'cache'], true)),
      ...times(2, (index) => trace(`s${index}`, index * 1_000, 500, ['read', 'cache'])),
      ...times(2, (index) => trace(`c${index}`, index * 1_000, 10, ['read', 'cache'])),
      ...times(8, (index) => trace(`o${index}`, index * 1_000, 10, ['read'])),
      spanRow({ trace: 'x', span: 'root', service: 'cron', name: 'tick', atMs: 0, durationMs: 1 }),
    ],
  });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS, endMs: T0_MS + 5 * MINUTE_MS };
const baseline = { startMs: T0_MS + NORMAL_MS, endMs: T0_MS };

test('scores operations by how far they go with abnormal traces', async () => {
  const { output } = await callTool(fixture, compareTraces, { window, baseline, service: 'web' });
  expect(output).toMatchObject({ abnormalTraces: 6, normalTraces: 10, totalCoverage: 3, truncated: false });
  expect(output.coverage).toEqual([
    { service: 'api', operation: 'cache', abnormalCovered: 6, normalCovered: 2, ochiai: 0.866 }, // 6 / sqrt(6 * 8)
    { service: 'api', operation: 'read', abnormalCovered: 6, normalCovered: 10, ochiai: 0.612 }, // 6 / sqrt(6 * 16)
    { service: 'web', operation: 'GET /', abnormalCovered: 6, normalCovered: 10, ochiai: 0.612 },
  ]);
});

test('tells what used to follow an entry and is missing now', async () => {
  const { output } = await callTool(fixture, compareTraces, { window, baseline });
  expect(output.totalMissing).toBe(1);
  expect(output.missing[0]).toMatchObject({
    entryService: 'web',
    entryOperation: 'GET /',
    service: 'api',
    operation: 'audit',
    expectedShare: 1,
    observedShare: 0,
    baselineTraces: 40,
    windowTraces: 16,
  });
  expect(output.normalTraces).toBe(11);
});
