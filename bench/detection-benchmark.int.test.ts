/** The detection benchmark on few series: faults are seen, and everything is measured. */
import { afterAll, expect, it } from 'vitest';
import { makeDataDir } from '../clickhouse/engine.fixture.ts';
import { InputError } from '../platform/errors.ts';
import { runDetectionBenchmark } from './detection-benchmark.ts';
import { renderDetectionReport } from './detection-report.ts';
import { fitProphet } from './fit-prophet.ts';

const { dataDir, remove } = makeDataDir();
afterAll(remove);
const { signal } = new AbortController();

it('judges every series in every minute, and sums up and reads every baseline', async () => {
  const report = await runDetectionBenchmark({
    ...{ directory: dataDir, series: 100, hours: 2, minutes: 12, days: 3 },
    nowMs: Date.UTC(2026, 2, 5, 10, 30),
    signal,
    onProgress: () => undefined,
  });
  expect(report).toMatchObject({ series: 100, minutes: { wall: { repetitions: 12 } }, keepsUp: true });
  expect(report.baselines).toMatchObject({ refresh: { repetitions: 3 }, readAll: { repetitions: 5 } });
  // One series is eight times what it was, for the last ten minutes.
  expect(report.anomalies).toBeGreaterThanOrEqual(5);
  expect(report.anomalies).toBeLessThan(40);
  expect(report.seriesPerCpuSecond).toBeGreaterThan(10);
  expect(
    Math.max(
      ...renderDetectionReport(report)
        .split('\n')
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(80);
});

it('says when there is no Prophet', async () => {
  const series = { startMs: 0, values: [[1, 2, 3]] };
  await expect(fitProphet({ python: '/nowhere/python', series, signal })).rejects.toThrow(InputError);
  await expect(fitProphet({ python: process.execPath, series, signal })).rejects.toThrow(/did not fit/);
});
