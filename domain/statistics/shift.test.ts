import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BUCKETS_PER_E,
  bucketToMs,
  combineStrengths,
  type Histogram,
  histogramQuantile,
  histogramSize,
  judgeRise,
  lowerDifference,
  slowdownShift,
} from './shift.ts';

/** [successes, trials]. */
const counts = fc
  .tuple(fc.nat({ max: 50_000 }), fc.nat({ max: 50_000 }))
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);
const anyHistogram: fc.Arbitrary<Histogram> = fc
  .array(fc.tuple(fc.integer({ min: -11, max: 200 }), fc.integer({ min: 1, max: 500 })), { maxLength: 12 })
  .map((entries) => new Map(entries));

describe('lowerDifference', () => {
  test('is the difference of the shares less 1.64 of its standard errors', () => {
    // 9.5/10 - 0.5/10, each with variance 0.0475/10
    expect(lowerDifference(9, 9, 0, 9)).toBeCloseTo(0.9 - 1.64 * Math.sqrt(0.0095), 12);
    expect(lowerDifference(50, 100, 49, 100)).toBe(0);
    expect(lowerDifference(0, 100, 100, 100)).toBe(0);
  });

  test('believes nothing that was not seen on both sides', () => {
    expect(lowerDifference(0, 0, 0, 0)).toBe(0);
    expect(lowerDifference(1_000, 1_000, 0, 0)).toBe(0);
    expect(lowerDifference(0, 0, 0, 1_000)).toBe(0);
  });

  test('lies in 0..1, never for both sides at once, and grows with the successes', () => {
    fc.assert(
      fc.property(counts, counts, ([successes, trials], [baseSuccesses, baseTrials]) => {
        const difference = lowerDifference(successes, trials, baseSuccesses, baseTrials);
        expect(difference).toBeGreaterThanOrEqual(0);
        expect(difference).toBeLessThanOrEqual(1);
        if (difference > 0) expect(lowerDifference(baseSuccesses, baseTrials, successes, trials)).toBe(0);
        if (successes < trials) {
          expect(lowerDifference(successes + 1, trials, baseSuccesses, baseTrials)).toBeGreaterThanOrEqual(difference);
        }
      }),
    );
  });

  test('is surer the more was seen', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.integer({ min: 2, max: 10 }), (trials, times) => {
        const few = lowerDifference(trials, trials, 0, trials);
        expect(lowerDifference(trials * times, trials * times, 0, trials * times)).toBeGreaterThan(few);
      }),
    );
  });
});

describe('judgeRise', () => {
  test('is full when the share grew thirty times for sure', () => {
    const { strength, rank } = judgeRise(9, 9, 0, 99);
    const atLeast = 0.95 - 1.64 * Math.sqrt(0.0475 / 10);
    const before = 0.005 + 1.64 * Math.sqrt(0.004975 / 100);
    const difference = 0.945 - 1.64 * Math.sqrt(0.0475 / 10 + 0.004975 / 100);
    expect(strength).toBe(1);
    expect(rank).toBeCloseTo(Math.log10(atLeast / before) / 1.5 + difference, 12);
  });

  test('is nothing while the bounds overlap, or without a past, or without a failure', () => {
    for (const { strength, rank } of [
      judgeRise(1, 100, 0, 100),
      judgeRise(50, 100, 50, 100),
      judgeRise(0, 100, 50, 100),
      judgeRise(1, 2, 0, 0),
      judgeRise(0, 0, 0, 0),
    ]) {
      expect(strength).toBe(0);
      expect(rank).toBe(0);
    }
  });

  test('says more of a rise of something rare than of the same or a larger difference of something common', () => {
    const rare = judgeRise(500, 10_000, 20, 10_000).strength;
    const common = judgeRise(4_500, 10_000, 2_000, 10_000).strength;
    expect(common).toBeGreaterThan(0.2);
    expect(rare).toBeGreaterThan(common);
  });

  test('lies in 0..1, ranks no lower than its strength, and grows with the failures', () => {
    fc.assert(
      fc.property(counts, counts, ([failures, units], [baseFailures, baseUnits]) => {
        const rise = judgeRise(failures, units, baseFailures, baseUnits);
        expect(rise.strength).toBeGreaterThanOrEqual(0);
        expect(rise.strength).toBeLessThanOrEqual(1);
        expect(rise.rank).toBeGreaterThanOrEqual(rise.strength - 1e-12);
        if (failures < units) {
          const more = judgeRise(failures + 1, units, baseFailures, baseUnits);
          expect(more.strength).toBeGreaterThanOrEqual(rise.strength);
          expect(more.rank).toBeGreaterThanOrEqual(rise.rank);
        }
      }),
    );
  });
});

describe('histogramQuantile', () => {
  test('is the duration of the bucket that holds it', () => {
    const histogram = new Map([
      [32, 2],
      [0, 1],
      [BUCKETS_PER_E, 1],
    ]);
    expect(histogramSize(histogram)).toBe(4);
    expect(histogramQuantile(histogram, 0)).toBe(1);
    expect(histogramQuantile(histogram, 0.25)).toBe(1);
    expect(histogramQuantile(histogram, 0.5)).toBeCloseTo(Math.E, 12);
    expect(histogramQuantile(histogram, 1)).toBeCloseTo(Math.E ** 2, 12);
    expect(histogramQuantile(new Map(), 0.5)).toBeNaN();
  });

  test('grows with q and lies between the first bucket and the last', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(anyHistogram, share, share, (histogram, one, other) => {
        fc.pre(histogram.size > 0);
        const low = histogramQuantile(histogram, Math.min(one, other));
        const high = histogramQuantile(histogram, Math.max(one, other));
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(bucketToMs(Math.min(...histogram.keys())));
        expect(high).toBeLessThanOrEqual(bucketToMs(Math.max(...histogram.keys())));
      }),
    );
  });
});

describe('slowdownShift', () => {
  const SECOND = Math.round(Math.log(1_000) * BUCKETS_PER_E);

  test('weighs how surely calls became slow by how much slower they are', () => {
    const shift = slowdownShift(new Map([[SECOND, 10]]), new Map([[0, 100]]));
    // 10.5/11 - 0.5/101; a second is more than 10^2.5 times a millisecond, so size counts in full.
    const [slow, normal] = [10.5 / 11, 0.5 / 101];
    const error = Math.sqrt((slow * (1 - slow)) / 11 + (normal * (1 - normal)) / 101);
    expect(shift).toEqual({
      strength: expect.closeTo(slow - normal - 1.64 * error, 12),
      normalMedianMs: 1,
      windowUpperQuartileMs: bucketToMs(SECOND),
      slowShare: 1,
      normalSlowShare: 0,
      windowCount: 10,
    });
  });

  test('counts a slowdown of the same surety by its size', () => {
    const tenfold = Math.round(Math.log(10) * BUCKETS_PER_E);
    const shift = slowdownShift(new Map([[tenfold, 1_000]]), new Map([[0, 1_000]]));
    const size = Math.log10(bucketToMs(tenfold)) / 2.5;
    expect(shift?.strength).toBeCloseTo(size * lowerDifference(1_000, 1_000, 0, 1_000), 12);
    expect(shift?.strength).toBeCloseTo(0.4, 1);
  });

  test('takes a change below a millisecond for clock resolution, and knows no strength of getting faster', () => {
    const half = Math.round(Math.log(0.5) * BUCKETS_PER_E);
    expect(slowdownShift(new Map([[16, 500]]), new Map([[half, 500]]))?.strength).toBe(0);
    expect(slowdownShift(new Map([[0, 500]]), new Map([[SECOND, 500]]))?.strength).toBe(0);
  });

  test('has nothing to say about fewer than three calls on either side', () => {
    expect(slowdownShift(new Map([[SECOND, 2]]), new Map([[0, 100]]))).toBeUndefined();
    expect(slowdownShift(new Map([[SECOND, 100]]), new Map([[0, 2]]))).toBeUndefined();
    expect(slowdownShift(new Map(), new Map())).toBeUndefined();
  });

  test('has finite figures, a strength in 0..1, none against itself, and no less of it when all calls take longer', () => {
    fc.assert(
      fc.property(anyHistogram, anyHistogram, fc.integer({ min: 0, max: 40 }), (window, normal, later) => {
        const shift = slowdownShift(window, normal);
        if (!shift) return;
        for (const figure of Object.values(shift)) expect(Number.isFinite(figure)).toBe(true);
        expect(shift.strength).toBeGreaterThanOrEqual(0);
        expect(shift.strength).toBeLessThanOrEqual(1);
        expect(slowdownShift(window, window)?.strength).toBe(0);
        const slower = new Map([...window].map(([bucket, calls]) => [bucket + later, calls]));
        expect(slowdownShift(slower, normal)?.strength).toBeGreaterThanOrEqual(shift.strength);
      }),
    );
  });
});

describe('combineStrengths', () => {
  const strengths = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

  test('is the chance that at least one is right', () => {
    expect(combineStrengths([])).toBe(0);
    expect(combineStrengths([0.5, 0.5])).toBe(0.75);
    expect(combineStrengths([0.2, 1, 0.3])).toBe(1);
  });

  test('lies in 0..1, is no less than its strongest, and grows with every other', () => {
    fc.assert(
      fc.property(strengths, fc.double({ min: 0, max: 1, noNaN: true }), (some, another) => {
        const combined = combineStrengths(some);
        expect(combined).toBeLessThanOrEqual(1);
        expect(combined).toBeGreaterThanOrEqual(Math.max(0, ...some) - 1e-12);
        expect(combineStrengths([...some, another])).toBeGreaterThanOrEqual(combined);
        expect(combineStrengths(some.toReversed())).toBeCloseTo(combined, 12);
      }),
    );
  });
});
