import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callTool, MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { gaugeRow, histogramRow, sumRow } from '../metric-rows.contract.ts';
import { compareMetrics } from './compare-metrics.ts';

let fixture: TelemetryFixture;
const baseline = { startMs: T0_MS, endMs: T0_MS + 60 * MINUTE_MS };
const window = { startMs: T0_MS + 60 * MINUTE_MS, endMs: T0_MS + 80 * MINUTE_MS };
const minutes = Array.from({ length: 80 }, (_, minute) => minute);
const CPU_UNIT = '1';

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    otel_metrics_gauge: [
      // Normal: 1, 2, 3, 2, ... ; from minute 65 on: 12.
      ...minutes.map((minute) =>
        gaugeRow({
          service: 'cart',
          pod: 'cart-a',
          metric: 'cpu',
          unit: CPU_UNIT,
          atMs: minute * MINUTE_MS,
          value: minute < 65 ? ([1, 2, 3, 2][minute % 4] ?? 0) : 12,
        }),
      ),
      ...minutes.map((minute) =>
        gaugeRow({ service: 'cart', pod: 'cart-b', metric: 'cpu', atMs: minute * MINUTE_MS, value: 2 }),
      ),
      // Never anything but zero, then something.
      ...minutes.map((minute) =>
        gaugeRow({
          service: 'cart',
          pod: 'cart-a',
          metric: 'drops',
          atMs: minute * MINUTE_MS,
          value: minute === 70 ? 1 : 0,
        }),
      ),
      // Attribute order is no difference; a mark without a value is no point.
      gaugeRow({ service: 'web', metric: 'level', atMs: 0, value: 5, attributes: { a: '1', b: '2' } }),
      gaugeRow({ service: 'web', metric: 'level', atMs: 61 * MINUTE_MS, value: 7, attributes: { b: '2', a: '1' } }),
      gaugeRow({
        service: 'web',
        metric: 'level',
        atMs: 62 * MINUTE_MS,
        value: 0,
        attributes: { a: '1', b: '2' },
        flags: 1,
      }),
      gaugeRow({ service: 'web', metric: 'fresh', atMs: 61 * MINUTE_MS, value: 7 }),
      gaugeRow({ service: 'web', metric: 'gone', atMs: 1 * MINUTE_MS, value: 7 }),
    ],
    otel_metrics_sum: [
      // 60 a minute; the process restarts at minute 30 and begins anew with 30.
      ...minutes.map((minute) =>
        sumRow({
          service: 'web',
          pod: 'web-a',
          metric: 'requests',
          unit: '{request}',
          atMs: minute * MINUTE_MS,
          value: minute < 30 ? 1_000 + minute * 60 : 30 + (minute - 30) * 60,
        }),
      ),
      // Not observed from minute 10 to 29: what grew meanwhile belongs to no step.
      ...minutes
        .filter((minute) => minute < 10 || minute >= 30)
        .map((minute) =>
          sumRow({
            service: 'web',
            metric: 'jobs',
            atMs: minute * MINUTE_MS,
            value: minute < 10 ? minute * 60 : 9_000 + minute * 60,
          }),
        ),
      // 120 in each minute, told as deltas every 30 s.
      ...minutes.flatMap((minute) =>
        [30_000, 60_000].map((offsetMs) =>
          sumRow({
            service: 'web',
            metric: 'bytes',
            atMs: minute * MINUTE_MS + offsetMs - 1,
            sinceMs: minute * MINUTE_MS + offsetMs - 30_001,
            value: 60,
            isDelta: true,
          }),
        ),
      ),
      ...minutes.map((minute) =>
        sumRow({
          service: 'web',
          metric: 'open',
          atMs: minute * MINUTE_MS,
          value: 4 + (minute % 2),
          isMonotonic: false,
        }),
      ),
    ],
    otel_metrics_histogram: minutes.map((minute) =>
      // 6 a minute of 10 ms each, from minute 60 on of 50 ms each.
      histogramRow({
        service: 'web',
        pod: 'web-a',
        metric: 'duration',
        unit: 'ms',
        atMs: minute * MINUTE_MS,
        count: minute * 6,
        sum: Math.min(minute, 59) * 60 + Math.max(0, minute - 59) * 300,
      }),
    ),
  });
});
afterAll(() => fixture?.close());

async function compare(input: { service?: string; metric?: string; limit?: number } = {}) {
  const { output } = await callTool(fixture, compareMetrics, { window, baseline, limit: 100, ...input });
  return output;
}
async function only(metric: string, pod = '', statistic?: string) {
  const { series } = await compare({ metric });
  return series.find((one) => one.pod === pod && (statistic === undefined || one.statistic === statistic));
}

describe('gauges', () => {
  test('are measured against the median and robust scale of normal time', async () => {
    expect(await only('cpu', 'cart-a')).toEqual({
      service: 'cart',
      pod: 'cart-a',
      metric: 'cpu',
      statistic: 'value',
      attributes: {},
      unit: CPU_UNIT,
      baselinePoints: 60,
      windowPoints: 20,
      baselineMedian: 2,
      // Half of the values are 2, half are 1 away: the median deviation is between, 0.5.
      baselineScale: 0.741,
      baselineMin: 1,
      baselineMax: 3,
      baselineQ01: 1,
      baselineQ99: 3,
      windowMedian: 12,
      // 1 + 2 + 3 + 2 + 1 and fifteen twelves.
      windowMean: 9.45,
      windowMin: 1,
      windowMax: 12,
      deviation: 13.49,
      extremeDeviation: 13.49,
      exceedance: 0,
      firstBeyondMs: T0_MS + 65 * MINUTE_MS,
    });
  });

  test('that never change have scale 0 and deviate by 0', async () => {
    expect(await only('cpu', 'cart-b')).toMatchObject({
      baselineScale: 0,
      deviation: 0,
      extremeDeviation: 0,
      exceedance: 1,
      firstBeyondMs: null,
    });
  });

  test('that were always zero deviate by the most there is', async () => {
    expect(await only('drops', 'cart-a')).toMatchObject({
      baselineMedian: 0,
      baselineScale: 0,
      deviation: 0,
      extremeDeviation: 1000,
      exceedance: 0,
      firstBeyondMs: T0_MS + 70 * MINUTE_MS,
    });
  });

  test('are one series whatever the order of their attributes, and skip points without a value', async () => {
    const { series } = await compare({ metric: 'level' });
    expect(series).toHaveLength(1);
    expect(series[0]).toMatchObject({
      attributes: { a: '1', b: '2' },
      baselinePoints: 1,
      windowPoints: 1,
      windowMax: 7,
    });
  });

  test('without points in one of the windows have no deviation and come last', async () => {
    const { series } = await compare();
    expect(
      series
        .slice(-2)
        .map(({ metric }) => metric)
        .sort(),
    ).toEqual(['fresh', 'gone']);
    expect(await only('fresh')).toMatchObject({
      baselinePoints: 0,
      baselineMedian: null,
      baselineScale: null,
      windowMedian: 7,
      deviation: null,
      extremeDeviation: null,
      exceedance: null,
      firstBeyondMs: null,
    });
    expect(await only('gone')).toMatchObject({
      windowPoints: 0,
      windowMedian: null,
      windowMax: null,
      baselineMedian: 7,
      deviation: null,
    });
  });
});

describe('counters', () => {
  test('become rates per second, begin anew after a reset, and have their predecessor before the window', async () => {
    expect(await only('requests', 'web-a')).toMatchObject({
      statistic: 'rate',
      unit: '{request}/s',
      baselinePoints: 59,
      windowPoints: 20,
      baselineMedian: 1,
      // 30 in the minute of the restart.
      baselineMin: 0.5,
      baselineMax: 1,
      windowMin: 1,
      windowMax: 1,
    });
  });

  test('do not grow across a hole in coverage', async () => {
    expect(await only('jobs')).toMatchObject({
      baselinePoints: 38,
      baselineMin: 1,
      baselineMax: 1,
      windowPoints: 20,
      deviation: 0,
    });
  });

  test('told as deltas are divided by the time they cover', async () => {
    expect(await only('bytes')).toMatchObject({
      statistic: 'rate',
      unit: '1/s',
      baselineMedian: 2,
      baselineMax: 2,
      windowMean: 2,
    });
  });

  test('that may fall are levels', async () => {
    expect(await only('open')).toMatchObject({
      statistic: 'value',
      baselineMedian: 4.5,
      baselineMin: 4,
      baselineMax: 5,
    });
  });
});

test('histograms give a mean and a rate of counts', async () => {
  expect(await only('duration', 'web-a', 'mean')).toMatchObject({
    unit: 'ms',
    baselineMedian: 10,
    windowMedian: 50,
    windowPoints: 20,
    // Constant before: the scale is 1 % of the median.
    deviation: 400,
    firstBeyondMs: T0_MS + 60 * MINUTE_MS,
  });
  expect(await only('duration', 'web-a', 'countRate')).toMatchObject({
    unit: '1/s',
    baselineMedian: 0.1,
    windowMedian: 0.1,
    deviation: 0,
  });
});

test('puts those furthest off first, cuts to the limit and says how many there are', async () => {
  const all = await compare();
  expect(all).toMatchObject({ totalRows: 12, truncated: false, stepSeconds: 60 });
  expect(all.series.slice(0, 2).map(({ metric, statistic }) => [metric, statistic])).toEqual([
    ['drops', 'value'],
    ['duration', 'mean'],
  ]);
  const first = await compare({ limit: 1 });
  expect(first).toMatchObject({ totalRows: 12, truncated: true });
  expect(first.series).toEqual(all.series.slice(0, 1));
  expect((await compare({ service: 'cart' })).series.every(({ service }) => service === 'cart')).toBe(true);
});

test('cuts short windows into short steps', async () => {
  const short = { startMs: T0_MS + 60 * MINUTE_MS, endMs: T0_MS + 70 * MINUTE_MS };
  const { output } = await callTool(fixture, compareMetrics, { window: short, baseline, metric: 'bytes' });
  expect(output).toMatchObject({ stepSeconds: 10, series: [{ windowPoints: 20, windowMax: 2, baselineMedian: 2 }] });
});
