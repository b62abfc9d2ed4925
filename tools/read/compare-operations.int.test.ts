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
import { compareOperations } from './compare-operations.ts';

let fixture: TelemetryFixture;
const NORMAL_MS = -120 * MINUTE_MS;

/** checkout spends `ownMs` itself, 10 ms in pay and 5 ms in ship (two children), and tells a queue that takes an hour. */
function request(trace: string, atMs: number, ownMs: number, isError = false): SpanRow[] {
  const status = isError ? 'Error' : 'Unset';
  return [
    spanRow({ trace, span: 'root', service: 'checkout', name: 'POST /buy', atMs, durationMs: ownMs + 15, status }),
    spanRow({
      trace,
      span: 'pay',
      parent: 'root',
      service: 'checkout',
      name: 'pay',
      kind: 'Client',
      atMs,
      durationMs: 10,
    }),
    spanRow({
      trace,
      span: 'ship',
      parent: 'root',
      service: 'checkout',
      name: 'ship',
      kind: 'Internal',
      atMs,
      durationMs: 5,
    }),
    spanRow({
      trace,
      span: 'job',
      parent: 'root',
      service: 'mail',
      name: 'on',
      kind: 'Consumer',
      atMs,
      durationMs: 3_600_000,
    }),
  ];
}

beforeAll(async () => {
  const normal = Array.from({ length: 30 }, (_, index) => request(`n${index}`, NORMAL_MS + index * 20_000, 20)); // 3 a minute, 10 minutes
  const slow = Array.from({ length: 30 }, (_, index) => request(`w${index}`, index * 10_000, 60, index % 3 === 0)); // 6 a minute, 5 minutes
  fixture = await openTelemetryFixture({ otel_traces: [...normal, ...slow].flat() });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS, endMs: T0_MS + 5 * MINUTE_MS };
/** Two hours of which ten minutes were recorded: rates must not be diluted. */
const baseline = { startMs: T0_MS + NORMAL_MS, endMs: T0_MS };

test('compares rates by observed minutes, errors, durations and self time', async () => {
  const { output } = await callTool(fixture, compareOperations, { window, baseline, service: 'checkout' });
  expect(output.totalRows).toBe(3);
  expect(output.operations[0]).toMatchObject({
    service: 'checkout',
    operation: 'POST /buy',
    spanKind: 'Server',
    window: {
      calls: 30,
      callsPerMinute: 6,
      callsPerTrace: 1,
      errorRatio: 0.333,
      p50Ms: 75,
      selfP50Ms: 60,
      selfP95Ms: 60,
    },
    baseline: {
      calls: 30,
      callsPerMinute: 3,
      callsPerTrace: 1,
      errorRatio: 0,
      p50Ms: 35,
      selfP50Ms: 20,
      selfP95Ms: 20,
    },
  });
  // Self time tripled: |60 - 20| / 81. The rate doubled: 3 / 9. The larger, discounted by 30 / (30 + 20).
  expect(output.operations[0]?.changeScore).toBeCloseTo((0.6 * 40) / 81, 3);
});

test('covers all services, and says null where one was not observed', async () => {
  const early = { startMs: T0_MS + NORMAL_MS - 60_000, endMs: T0_MS + NORMAL_MS };
  const { output } = await callTool(fixture, compareOperations, { window, baseline: early });
  expect(output.operations.map(({ operation }) => operation).sort()).toEqual(['POST /buy', 'on', 'pay', 'ship']);
  expect(output.operations[0]?.baseline).toEqual({
    calls: 0,
    callsPerMinute: null,
    callsPerTrace: null,
    errorRatio: null,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
    selfP50Ms: null,
    selfP95Ms: null,
  });
});
