/** Ratios, the verdict and the table of the detection benchmark. */
import { expect, it } from 'vitest';
import { type DetectionMeasurement, renderDetectionReport, reportDetection } from './detection-report.ts';
import { spreadOf } from './query-report.ts';

const measurement: DetectionMeasurement = {
  machine: { cores: 2, node: 'v24.21.0', engine: '26.7.2.1' },
  series: 10_000,
  hours: 3,
  minutes: { wall: spreadOf([800, 1_000]), nodeCpuMs: 600, engineCpuMs: 400 },
  heapBytes: 100 * 1024 ** 2,
  anomalies: 10,
  baselines: {
    refresh: spreadOf([300]),
    days: 28,
    readAll: spreadOf([500]),
    readOne: spreadOf([100]),
    ...{ bytes: 50 * 1024 ** 2, refreshCpuMs: 200, readAllCpuMs: 700 },
  },
};
const prophet = { fits: 20, points: 240, cpuSeconds: 10, wallSeconds: 10 };

it('says in eighty columns what a minute costs, beside Prophet', () => {
  const report = reportDetection({ ...measurement, prophet });
  expect(report).toMatchObject({ seriesPerCpuSecond: 10_000, prophetPerCpuSecond: 2, ratio: 5_000, keepsUp: true });
  expect(renderDetectionReport(report)).toBe(`10,000 series by the minute, 3 hours of past
2 cores, Node v24.21.0, ClickHouse 26.7.2.1

                                                     p50         p95         max
a minute of all series, read and judged           800 ms     1000 ms     1000 ms
an hour of all series summed up                   300 ms      300 ms      300 ms
an hour to come, 28 days of baselines             500 ms      500 ms      500 ms
one series of it                                  100 ms      100 ms      100 ms

CPU for a minute: Node, engine                    600 ms      400 ms
engine CPU: hour summed up, hour to come          200 ms      700 ms
series judged a CPU second                        10,000
states of all series in memory                   100 MiB
baselines on disk                                 50 MiB
Prophet fits a CPU second, 240 minutes each            2
times as many; with one fit an hour                5,000        83.3

It keeps up, with time to spare.`);
});

it('says when it does not keep up', () => {
  const report = reportDetection({ ...measurement, minutes: { ...measurement.minutes, wall: spreadOf([40_000]) } });
  expect(report).toMatchObject({ keepsUp: false, ratio: undefined });
  expect(renderDetectionReport(report)).toContain('DOES NOT KEEP UP');
});
