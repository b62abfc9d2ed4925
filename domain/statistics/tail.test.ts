import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { poissonTail, proportionDeviation } from './tail.ts';

/** [successes, trials]. */
const counts = fc
  .tuple(fc.nat({ max: 100_000 }), fc.nat({ max: 100_000 }))
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);

test('is the z of the difference with one imaginary success and failure on each side', () => {
  // (10/20 - 1/10) / sqrt(0.25/20 + 0.09/10)
  expect(proportionDeviation(9, 18, 0, 8)).toBeCloseTo(0.4 / Math.sqrt(0.0215), 12);
  expect(proportionDeviation(3, 10, 3, 10)).toBe(0);
});

test('says nothing about nothing', () => {
  expect(proportionDeviation(0, 0, 0, 0)).toBe(0);
});

test('is finite, changes its sign with its sides, and grows with the successes', () => {
  fc.assert(
    fc.property(counts, counts, ([successes, trials], [baseSuccesses, baseTrials]) => {
      const deviation = proportionDeviation(successes, trials, baseSuccesses, baseTrials);
      expect(Number.isFinite(deviation)).toBe(true);
      expect(proportionDeviation(baseSuccesses, baseTrials, successes, trials)).toBeCloseTo(-deviation, 9);
      if (successes < trials) {
        expect(proportionDeviation(successes + 1, trials, baseSuccesses, baseTrials)).toBeGreaterThan(deviation);
      }
    }),
  );
});

describe('poissonTail', () => {
  test('is what is left of one by the smaller counts', () => {
    expect(poissonTail(0, 3)).toBe(1);
    expect(poissonTail(1, 0.5)).toBeCloseTo(1 - Math.exp(-0.5), 12);
    expect(poissonTail(3, 2)).toBeCloseTo(1 - 5 * Math.exp(-2), 12);
    expect(poissonTail(2, 3)).toBeCloseTo(1 - 4 * Math.exp(-3), 12);
    expect(poissonTail(1, 0)).toBe(0);
    // Six where a fifth is expected: 0.2^6 / 720 and hardly more.
    expect(poissonTail(6, 0.2) / ((0.2 ** 6 / 720) * Math.exp(-0.2))).toBeCloseTo(1.029, 2);
  });

  test('lies in 0..1, falls with the count, and grows with the expectation, however large they are', () => {
    const expected = fc.double({ min: 0, max: 5_000, noNaN: true });
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), expected, expected, (count, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const tail = poissonTail(count, low);
        expect(tail).toBeGreaterThanOrEqual(0);
        expect(tail).toBeLessThanOrEqual(1);
        expect(poissonTail(count + 1, low)).toBeLessThanOrEqual(tail + 1e-9);
        expect(poissonTail(count, high)).toBeGreaterThanOrEqual(tail - 1e-9);
      }),
    );
  });

  test('is about a half at the expectation, and next to nothing ten standard deviations above it', () => {
    for (const expected of [50, 1_000, 100_000]) {
      expect(poissonTail(expected, expected)).toBeCloseTo(0.5, 1);
      expect(poissonTail(expected + 10 * Math.sqrt(expected), expected)).toBeLessThan(1e-15);
      expect(poissonTail(Math.round(expected + 4 * Math.sqrt(expected)), expected)).toBeGreaterThan(1e-5);
    }
  });
});
