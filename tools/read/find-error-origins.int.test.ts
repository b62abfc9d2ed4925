import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SpanRow } from '../../clickhouse/telemetry-rows.ts';
import {
  callTool,
  hexId,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { findErrorOrigins } from './find-error-origins.ts';

let fixture: TelemetryFixture;
const NORMAL_MS = -60 * MINUTE_MS;

/** web fails because stock fails; only stock is the origin. */
function failing(trace: string, atMs: number, message: string): SpanRow[] {
  return [
    spanRow({
      trace,
      span: 'web',
      service: 'web',
      name: 'GET /',
      atMs,
      durationMs: 9,
      status: 'Error',
      message: 'upstream',
    }),
    spanRow({
      trace,
      span: 'stock',
      parent: 'web',
      service: 'stock',
      name: '/stock',
      atMs,
      durationMs: 5,
      status: 'Error',
      message,
    }),
  ];
}

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    otel_traces: [
      ...failing('w1', 0, 'item 17 of 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone, see abcdefab01'),
      ...failing('w2', MINUTE_MS, 'item 4 of 3f2504e0-4f89-11d3-9a0c-0305e82c3302 is gone, see abcdefab02'),
      ...failing('n1', NORMAL_MS, 'item 5 of 3f2504e0-4f89-11d3-9a0c-0305e82c3303 is gone, see abcdefab03'),
      // Fails by itself, by an exception; and one that was handled and says so.
      spanRow({
        trace: 'w3',
        span: 'pay',
        service: 'pay',
        name: '/pay',
        atMs: 5,
        durationMs: 1,
        exception: 'java.net.SocketTimeoutException',
      }),
      spanRow({
        trace: 'w4',
        span: 'pay',
        service: 'pay',
        name: '/pay',
        atMs: 5,
        durationMs: 1,
        status: 'Ok',
        exception: 'Handled',
      }),
      spanRow({ trace: 'w5', span: 'web', service: 'web', name: 'GET /', atMs: 5, durationMs: 1 }),
      spanRow({
        trace: 'n2',
        span: 'mail',
        service: 'mail',
        name: 'send',
        atMs: NORMAL_MS,
        durationMs: 1,
        status: 'Error',
      }),
      spanRow({
        trace: 'n2',
        span: 'm2',
        service: 'mail',
        name: 'send',
        atMs: NORMAL_MS,
        durationMs: 1,
        status: 'Error',
      }),
    ],
  });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS, endMs: T0_MS + 5 * MINUTE_MS };
const baseline = { startMs: T0_MS + NORMAL_MS, endMs: T0_MS };

test('finds the spans whose children did not fail, grouped by what they say', async () => {
  const { output } = await callTool(fixture, findErrorOrigins, { window, baseline });
  expect(output).toEqual({
    origins: [
      {
        service: 'pay',
        operation: '/pay',
        reason: 'java.net.SocketTimeoutException',
        message: '',
        windowCount: 1,
        baselineCount: 0,
        windowPerMinute: 0.5,
        baselinePerMinute: 0,
        windowTraces: 1,
        failingTraceShare: 0.333,
        sampleTraceId: hexId('w3', 32),
      },
      {
        service: 'stock',
        operation: '/stock',
        reason: 'item <n> of <uuid> is gone, see <hex>',
        message: 'item 17 of 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone, see abcdefab01',
        windowCount: 2,
        baselineCount: 1,
        windowPerMinute: 1,
        baselinePerMinute: 1,
        windowTraces: 2,
        failingTraceShare: 0.667,
        sampleTraceId: hexId('w1', 32),
      },
      {
        service: 'mail',
        operation: 'send',
        reason: '',
        message: '',
        windowCount: 0,
        baselineCount: 2,
        windowPerMinute: 0,
        baselinePerMinute: 2,
        windowTraces: 0,
        failingTraceShare: 0,
        sampleTraceId: hexId('n2', 32),
      },
    ],
    totalRows: 3,
    truncated: false,
  });
});
