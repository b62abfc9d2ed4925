import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countAt, excessScore } from './log-template-score.ts';

const range = fc
  .tuple(fc.double({ min: 0.001, max: 1_000, noNaN: true }), fc.double({ min: 1, max: 20, noNaN: true }))
  .map(([expected, dispersion]) => ({ expected, variance: expected * dispersion }));

describe('the score of a count', () => {
  it('is nothing up to one more than expected, and grows with the count', () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 1, max: 5_000 }), (expected, lines) => {
        const score = excessScore(lines, expected);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(excessScore(lines + 1, expected)).toBeGreaterThanOrEqual(score);
        if (lines <= expected.expected + 1) expect(score).toBe(0);
      }),
    );
  });

  it('shrinks as the past was wider', () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 1, max: 5_000 }), ({ expected, variance }, lines) => {
        const wider = excessScore(lines, { expected, variance: variance * 2 });
        expect(wider).toBeLessThanOrEqual(excessScore(lines, { expected, variance }));
      }),
    );
  });

  it('is reached by the count that is given for it', () => {
    fc.assert(
      fc.property(range, fc.double({ min: 1, max: 12, noNaN: true }), (expected, score) => {
        expect(excessScore(countAt(score, expected), expected)).toBeCloseTo(score, 2);
      }),
    );
  });
});
