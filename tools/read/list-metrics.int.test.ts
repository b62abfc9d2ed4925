import { afterAll, beforeAll, expect, test } from 'vitest';
import { callTool, MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { gaugeRow, histogramRow, sumRow } from '../metric-rows.contract.ts';
import { listMetrics } from './list-metrics.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS, endMs: T0_MS + 10 * MINUTE_MS };

beforeAll(async () => {
  const cpu = (service: string, pod: string, minute: number) =>
    gaugeRow({ service, pod, metric: 'cpu', unit: '1', atMs: minute * MINUTE_MS, value: 1 });
  fixture = await openTelemetryFixture({
    otel_metrics_gauge: [
      cpu('a', 'a-1', 0),
      cpu('a', 'a-1', 9),
      cpu('a', 'a-2', 1),
      cpu('b', 'b-1', 2),
      cpu('b', 'b-1', 10),
    ],
    otel_metrics_sum: [sumRow({ service: 'a', metric: 'requests', atMs: 0, value: 1 })],
    otel_metrics_histogram: [
      histogramRow({
        service: 'b',
        metric: 'duration',
        unit: 'ms',
        atMs: 0,
        count: 1,
        sum: 1,
        attributes: { route: '/' },
      }),
      histogramRow({
        service: 'b',
        metric: 'duration',
        unit: 'ms',
        atMs: 0,
        count: 1,
        sum: 1,
        attributes: { route: '/x' },
      }),
    ],
  });
});
afterAll(() => fixture?.close());

test('names metrics with kind, unit, services, series and points', async () => {
  const { output } = await callTool(fixture, listMetrics, { window });
  expect(output).toEqual({
    metrics: [
      { metric: 'cpu', kind: 'gauge', unit: '1', services: 2, series: 3, points: 4 },
      { metric: 'duration', kind: 'histogram', unit: 'ms', services: 1, series: 2, points: 2 },
      { metric: 'requests', kind: 'sum', unit: '', services: 1, series: 1, points: 1 },
    ],
    totalRows: 3,
    truncated: false,
  });
});

test('can be asked for one service and for few', async () => {
  const { output } = await callTool(fixture, listMetrics, { window, service: 'a', limit: 1 });
  expect(output).toMatchObject({
    metrics: [{ metric: 'cpu', services: 1, series: 2, points: 3 }],
    totalRows: 2,
    truncated: true,
  });
});
