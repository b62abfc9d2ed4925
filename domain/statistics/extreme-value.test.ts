import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tailThreshold } from './extreme-value.ts';

const RISK = 1e-6;
const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 20, maxLength: 60 });
// Shifted fractions lose bits, and the threshold amplifies what it lost.
const wholeNumbers = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 20, maxLength: 60 });

test('extends the tail exponentially from its tenth largest share', () => {
  const past = Array.from({ length: 20 }, (_, index) => index);
  // 90 % lie below 17.1; the excesses are 0.9 and 1.9; two of twenty exceed, one in a million shall.
  expect(tailThreshold(past, RISK)).toBeCloseTo(17.1 + 1.4 * Math.log(2 / (20 * RISK)), 9);
});

test('is out of reach while too little is known', () => {
  expect(tailThreshold([], RISK)).toBe(Number.POSITIVE_INFINITY);
  expect(
    tailThreshold(
      Array.from({ length: 19 }, (_, index) => index),
      RISK,
    ),
  ).toBe(Number.POSITIVE_INFINITY);
});

test('of values that never moved is their value', () => {
  expect(
    tailThreshold(
      Array.from({ length: 30 }, () => 4),
      RISK,
    ),
  ).toBe(4);
});

test('lies beyond all that was seen often, further out the smaller the risk, in any order of the values', () => {
  fc.assert(
    fc.property(values, (past) => {
      const threshold = tailThreshold(past, RISK);
      expect(Number.isFinite(threshold)).toBe(true);
      expect(tailThreshold(past, 1e-9)).toBeGreaterThanOrEqual(threshold);
      expect(tailThreshold(past, 1e-3)).toBeLessThanOrEqual(threshold);
      expect(tailThreshold([...past].reverse(), RISK)).toBeCloseTo(threshold, 6);
      const sorted = past.toSorted((left, right) => left - right);
      expect(threshold).toBeGreaterThanOrEqual(sorted[Math.floor(0.9 * (sorted.length - 1))] ?? Number.NaN);
    }),
  );
});

test('moves and scales with the values', () => {
  fc.assert(
    fc.property(
      wholeNumbers,
      fc.integer({ min: -1_000, max: 1_000 }),
      fc.integer({ min: 1, max: 8 }),
      (past, by, factor) => {
        const threshold = tailThreshold(past, RISK);
        const moved = tailThreshold(
          past.map((value) => value * factor + by),
          RISK,
        );
        expect(Math.abs(moved - (threshold * factor + by))).toBeLessThan(1e-6 * (1 + Math.abs(moved)));
      },
    ),
  );
});
