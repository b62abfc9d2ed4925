import { afterAll, beforeAll, expect, test } from 'vitest';
import { callTool, logRow, openTelemetryFixture, spanRow, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { gaugeRow } from '../metric-rows.contract.ts';
import { getInstrumentation } from './get-instrumentation.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS, endMs: T0_MS + 60_000 };

beforeAll(async () => {
  const span = (words: Partial<Parameters<typeof spanRow>[0]> & { span: string; service: string }) =>
    spanRow({ trace: 't1', name: 'x', atMs: 1_000, durationMs: 1, kind: 'Server', ...words });
  fixture = await openTelemetryFixture({
    otel_traces: [
      span({ span: 'a', service: 'web' }),
      span({ span: 'b', service: 'web', parent: 'a', kind: 'Client', attributes: { 'server.address': 'pay.example' } }),
      span({ span: 'c', service: 'stock', parent: 'a' }),
      span({ span: 'd', service: 'stock', parent: 'never-arrived' }),
      span({ span: 'e', service: 'stock', parent: 'a', atMs: 90_000 }),
    ],
    otel_logs: [
      logRow({ service: 'web', atMs: 2_000, body: 'x' }),
      logRow({ service: 'quiet', atMs: 2_000, body: 'x' }),
    ],
    otel_metrics_gauge: [
      gaugeRow({ service: 'web', metric: 'container.cpu.usage', atMs: 0, value: 1 }),
      gaugeRow({ service: 'web', metric: 'orders.open', atMs: 0, value: 1 }),
    ],
  });
});
afterAll(() => fixture?.close());

test('counts what each service tells, whose parents are missing, and which peers are silent', async () => {
  const { output } = await callTool(fixture, getInstrumentation, { window });
  const [first, second, third] = output.services;
  expect(first).toMatchObject({
    service: 'web',
    spans: 2,
    servingSpans: 1,
    callingSpans: 1,
    logs: 1,
    linkedLogs: 0,
    points: 2,
    metrics: ['container.cpu.usage'],
  });
  expect(second).toMatchObject({ service: 'stock', spans: 2, orphanSpans: 1, parentedSpans: 2, logs: 0, points: 0 });
  expect(third).toMatchObject({ service: 'quiet', spans: 0, logs: 1, versionedShare: 0 });
  expect(output.peers).toEqual([{ caller: 'web', peer: 'pay.example' }]);
});
