/** What past days excuse, and what they do not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PastTimes, SeriesBaseline } from '../domain/baseline.ts';
import { seriesKey } from '../domain/series-name.ts';
import { UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { anomalyOf } from './anomaly.fixture.ts';
import { createSeason } from './apply-season.ts';
import { baselineNameOf, isUsual, withSeason } from './seasonal-range.ts';

const MINUTE_MS = 60_000;
const NONE: PastTimes = { times: 0, usual: [], lows: [], highs: [] };
/** A job that takes a quarter of an hour brings 10 up to 50. */
const JOB: PastTimes = { times: 20, usual: [10, 8, 50], lows: [8, 8, 9, 9, 10], highs: [52, 50, 50, 12, 10] };
const series = { kind: 'metric', service: 'cart', name: 'resources', detail: '' } as const;
const baselineOf = (ofDays: PastTimes, ofWeeks = NONE): SeriesBaseline => {
  return { series, ofDays, ofWeeks, ofHours: { ...NONE, times: 6, usual: [10, 8, 12] } };
};
const lasting = (minutes: number, observed: number, expected = 10) =>
  anomalyOf('cart', 'resources', { observed, expected, window: { startMs: 0, endMs: minutes * MINUTE_MS } });

describe('usual', () => {
  it('is what most days reached, and a little beyond', () => {
    expect(isUsual(lasting(2, 52), baselineOf(JOB))).toBe(true);
    expect(isUsual(lasting(2, 60), baselineOf(JOB))).toBe(true);
    expect(isUsual(lasting(2, 90), baselineOf(JOB))).toBe(false);
    expect(isUsual(lasting(2, 8), baselineOf(JOB))).toBe(true);
    expect(isUsual(lasting(2, 4), baselineOf(JOB))).toBe(false);
  });

  it('is not what lasts for much longer than it did', () => {
    const minutes = [2, 10, 15, 20, 31, 33, 70, 600];
    expect(minutes.map((each) => isUsual(lasting(each, 50), baselineOf(JOB)))).toEqual([
      ...[true, true, true, true, true],
      ...[false, false, false],
    ]);
    // One minute's spike of each day excuses one of a minute.
    const spike = baselineOf({ ...JOB, highs: [100, 12, 11, 10, 10] });
    expect([1, 3, 5].map((each) => isUsual(lasting(each, 100), spike))).toEqual([true, true, false]);
  });

  it('is also what the same day of other weeks did', () => {
    const weekly = baselineOf({ ...JOB, highs: [12, 12, 12, 12, 12] }, { ...JOB, times: 3 });
    expect(isUsual(lasting(5, 50), weekly)).toBe(true);
    expect(isUsual(lasting(5, 50), baselineOf({ ...JOB, highs: [12, 12, 12, 12, 12] }, { ...JOB, times: 2 }))).toBe(
      false,
    );
  });

  it('is nothing after two days, or when nothing is known', () => {
    expect(isUsual(lasting(2, 11), baselineOf({ ...JOB, times: 2 }))).toBe(false);
    expect(isUsual(lasting(2, 11), undefined)).toBe(false);
  });

  it('whatever is nearer to what is expected is usual, too, and whatever is further off is not', () => {
    const level = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const past = fc.tuple(fc.array(level, { minLength: 10, maxLength: 10 }), fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(past, level, level, fc.integer({ min: 1, max: 200 }), ([levels, times], observed, step, minutes) => {
        const sorted = levels.toSorted((one, other) => one - other);
        const usual = sorted[5] ?? 0;
        const highs = sorted.slice(5).toReversed();
        const baseline = baselineOf({ times, usual: [usual, 0, 0], lows: sorted.slice(0, 5), highs });
        const expected = usual;
        const isFar = isUsual(lasting(minutes, observed, expected), baseline);
        const nearer = expected + (observed - expected) * (Math.abs(step) / 1e6);
        if (isFar) expect(isUsual(lasting(minutes, nearer, expected), baseline)).toBe(true);
        if (times < 3) expect(isFar).toBe(false);
        // What lasts is held to no more than what is short.
        if (isFar) expect(isUsual(lasting(1, observed, expected), baseline)).toBe(true);
      }),
    );
  });
});

it('says what is expected at that hour, where days tell', () => {
  const sentence = 'cart: cpu 90 % since 02:10 UTC, normally 10 % (8 to 12 %).';
  const anomaly = { ...lasting(5, 90), unit: 'ms', sentence };
  expect(withSeason(anomaly, baselineOf({ ...JOB, usual: [10, 8, 2_000] }))).toEqual({
    ...anomaly,
    expected: 10,
    range: [8, 2_000],
    sentence: 'cart: cpu 90 % since 02:10 UTC, normally 10 ms at this hour of 20 days like this (8 ms to 2 s).',
  });
  expect(withSeason(anomaly, baselineOf(JOB, { ...JOB, times: 4 })).sentence).toContain('of the last 4 weeks');
  expect(withSeason(anomaly, baselineOf({ ...JOB, times: 1 }))).toEqual(anomaly);
  expect(withSeason(anomaly, undefined)).toEqual(anomaly);
});

it('finds the baseline of what was measured', () => {
  const nameOf = (kind: 'duration' | 'metric' | 'requests', subject: string, unit: string) =>
    baselineNameOf(anomalyOf('cart', 'latency', { series: { ...series, kind, detail: 'Server' }, subject, unit }))
      .detail;
  expect(nameOf('duration', 'p95 duration of GET /', 'ms')).toBe('Server p95');
  expect(nameOf('duration', 'median duration', 'ms')).toBe('Server p50');
  expect(nameOf('metric', 'served', '1/min')).toBe('Server /min');
  expect(nameOf('metric', 'cpu', '%')).toBe('Server');
  expect(nameOf('requests', 'request rate', '1/s')).toBe('Server');
});

describe('at a moment', () => {
  const { signal } = new AbortController();
  const usual = lasting(5, 50);
  const strange = anomalyOf('web', 'resources', { observed: 50 });
  const silent = anomalyOf('db', 'silence', { series: { ...series, kind: 'presence' } });

  it('takes out what is usual, and reads once an hour', async () => {
    const asked: string[][] = [];
    const season = createSeason({
      logger: silentLogger,
      baselines: {
        read: async ({ series: names = [] }) => {
          asked.push(names.map(({ service }) => service));
          return { rows: [baselineOf(JOB)], query: { sql: 'SELECT', parameters: {}, rowCount: 1, digest: '' } };
        },
      },
    });
    expect(await season.refine([usual, silent], 0, signal)).toEqual([silent]);
    expect(await season.refine([strange, usual, silent], MINUTE_MS, signal)).toEqual([strange, silent]);
    expect(await season.refine([usual], 60 * MINUTE_MS, signal)).toEqual([]);
    expect(asked).toEqual([['cart'], ['web'], ['cart']]);
    expect(seriesKey(baselineNameOf(usual))).toBe(seriesKey(series));
  });

  it('takes nothing out while the engine is away', async () => {
    const read = () => Promise.reject(new UnavailableError('away'));
    const season = createSeason({ logger: silentLogger, baselines: { read } });
    expect(await season.refine([usual, strange], 0, signal)).toEqual([usual, strange]);
  });
});
