import { afterAll, beforeAll, expect, test } from 'vitest';
import { callTool, MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { gaugeRow } from '../metric-rows.contract.ts';
import { runTool } from '../tool.ts';
import { getSeries } from './get-series.ts';

let fixture: TelemetryFixture;
const baseline = { startMs: T0_MS, endMs: T0_MS + 20 * MINUTE_MS };
const window = { startMs: T0_MS + 20 * MINUTE_MS, endMs: T0_MS + 24 * MINUTE_MS };

beforeAll(async () => {
  const steady = Array.from({ length: 24 }, (_, minute) =>
    gaugeRow({
      service: 'cart',
      pod: 'cart-b',
      metric: 'cpu',
      unit: '1',
      atMs: minute * MINUTE_MS,
      value: 10 + (minute % 2),
    }),
  );
  const normal = Array.from({ length: 20 }, (_, minute) =>
    gaugeRow({ service: 'cart', pod: 'cart-a', metric: 'cpu', unit: '1', atMs: minute * MINUTE_MS, value: minute + 1 }),
  );
  const fault = [
    [20, 50],
    [20.25, 70],
    // Minute 21 was not observed.
    [22, 90],
    [23, 80],
  ] as const;
  fixture = await openTelemetryFixture({
    otel_metrics_gauge: [
      ...steady,
      ...normal,
      ...fault.map(([minute, value]) =>
        gaugeRow({ service: 'cart', pod: 'cart-a', metric: 'cpu', unit: '1', atMs: minute * MINUTE_MS, value }),
      ),
      gaugeRow({ service: 'web', metric: 'cpu', unit: '1', atMs: 22 * MINUTE_MS, value: 3, attributes: { core: '0' } }),
      gaugeRow({ service: 'web', metric: 'memory', unit: 'By', atMs: 22 * MINUTE_MS, value: 3 }),
    ],
  });
});
afterAll(() => fixture?.close());

test('gives the points of each series with what its baseline makes one expect, the furthest off first', async () => {
  const { output } = await callTool(fixture, getSeries, { metric: 'cpu', window, baseline, stepSeconds: 60 });
  expect(output).toMatchObject({ stepSeconds: 60, totalRows: 3, truncated: false });
  expect(output.series.map(({ service, pod }) => [service, pod])).toEqual([
    ['cart', 'cart-a'],
    ['cart', 'cart-b'],
    ['web', ''],
  ]);
  expect(output.series[0]).toEqual({
    service: 'cart',
    pod: 'cart-a',
    metric: 'cpu',
    statistic: 'value',
    attributes: {},
    unit: '1',
    expected: 10.5,
    expectedLow: 1.95,
    expectedHigh: 19.05,
    baselinePoints: 20,
    points: [
      { atMs: T0_MS + 20 * MINUTE_MS, value: 60 },
      { atMs: T0_MS + 22 * MINUTE_MS, value: 90 },
      { atMs: T0_MS + 23 * MINUTE_MS, value: 80 },
    ],
  });
  expect(output.series[2]).toMatchObject({
    attributes: { core: '0' },
    baselinePoints: 0,
    expected: null,
    expectedHigh: null,
  });
});

test('can be asked for one pod, and without a baseline', async () => {
  const { output } = await callTool(fixture, getSeries, { metric: 'cpu', window, service: 'cart', pod: 'cart-b' });
  // Ten seconds is the shortest step that is chosen.
  expect(output).toMatchObject({ stepSeconds: 10, totalRows: 1, series: [{ pod: 'cart-b', expected: null }] });
  expect(output.series[0]?.points).toEqual(
    [20, 21, 22, 23].map((minute) => ({ atMs: T0_MS + minute * MINUTE_MS, value: 10 + (minute % 2) })),
  );
});

test('limits series and steps', async () => {
  const { output } = await callTool(fixture, getSeries, { metric: 'cpu', window, baseline, limit: 1 });
  expect(output).toMatchObject({ totalRows: 3, truncated: true, series: [{ pod: 'cart-a' }] });
  const day = { startMs: T0_MS, endMs: T0_MS + 24 * 60 * MINUTE_MS };
  const outcome = await runTool(getSeries, { metric: 'cpu', window: day, stepSeconds: 10 }, fixture.context);
  expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid-input' } });
  const chosen = await callTool(fixture, getSeries, { metric: 'cpu', window: day });
  expect(chosen.output.stepSeconds).toBe(1_800);
});
