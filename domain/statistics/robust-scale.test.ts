import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { median, quantile, quantileOfSorted, robustScale } from './robust-scale.ts';

const anyNumber = fc.double({ min: -1e9, max: 1e9, noNaN: true });
const numbers = fc.array(anyNumber, { minLength: 1, maxLength: 40 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('quantile', () => {
  test('interpolates between order statistics (type 7) whatever their order', () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 20, 30], 0.9)).toBeCloseTo(28, 12);
    expect(quantile([10, 20, 30], 0)).toBe(10);
    expect(quantile([10, 20, 30], 1)).toBe(30);
    expect(quantile([7], 0.3)).toBe(7);
    expect(quantile([10, 9], 0.5)).toBe(9.5); // by value, not by text
  });

  test('of nothing is NaN', () => {
    expect(quantile([], 0.5)).toBeNaN();
    expect(quantileOfSorted([], 0)).toBeNaN();
    expect(median([])).toBeNaN();
  });

  test('lies between the extremes, grows with q, and mirrors with the sign', () => {
    fc.assert(
      fc.property(numbers, share, share, (values, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const slack = 1e-6;
        expect(quantile(values, low)).toBeGreaterThanOrEqual(Math.min(...values) - slack);
        expect(quantile(values, high)).toBeLessThanOrEqual(Math.max(...values) + slack);
        expect(quantile(values, low)).toBeLessThanOrEqual(quantile(values, high) + slack);
        const mirrored = values.map((value) => -value);
        expect(quantile(mirrored, 1 - one)).toBeCloseTo(-quantile(values, one), 3);
      }),
    );
  });

  test('leaves its input as it was', () => {
    const values = Object.freeze([3, 1, 2]);
    expect(median(values)).toBe(2);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('robustScale', () => {
  test('is the scaled median absolute deviation', () => {
    expect(robustScale([1, 2, 3, 4, 5])).toBeCloseTo(1.4826, 12);
    expect(robustScale([1, 2, 3, 4, 5_000])).toBeCloseTo(1.4826, 12);
  });

  test('is the scaled interquartile range where more than half the values are equal', () => {
    expect(robustScale([0, 0, 0, 1, 10])).toBeCloseTo(1 / 1.349, 12);
    expect(robustScale([5, 5, 5, 5])).toBe(0);
  });

  test('is near the standard deviation of normal noise', () => {
    // Quantiles of the normal distribution at (i + 0.5) / 8, by table.
    const half = [0.1573, 0.4888, 0.8871, 1.5341];
    expect(robustScale([...half, ...half.map((value) => -value)])).toBeCloseTo(1, 1);
  });

  test('ignores where the values lie, and scales with them', () => {
    // Whole numbers: a shift makes fractions equal in their last bits.
    const around = fc.array(fc.integer({ min: -10_000, max: 10_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        around,
        fc.integer({ min: -1_000, max: 1_000 }),
        fc.integer({ min: 1, max: 8 }),
        (values, by, factor) => {
          const scale = robustScale(values);
          expect(scale).toBeGreaterThanOrEqual(0);
          expect(Math.abs(robustScale(values.map((value) => value + by)) - scale)).toBeLessThan(1e-6 * (1 + scale));
          expect(Math.abs(robustScale(values.map((value) => value * factor)) - scale * factor)).toBeLessThan(
            1e-9 * (1 + scale * factor),
          );
        },
      ),
    );
  });

  test('is moved by no single wild value', () => {
    const several = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(several, fc.constantFrom(1e9, -1e9, 1e15), (values, wild) => {
        expect(robustScale([...values, wild])).toBeLessThanOrEqual(200 * 1.4826);
      }),
    );
  });
});
