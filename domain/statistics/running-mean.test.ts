import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newRunningMean, updateMean } from './running-mean.ts';

test('is the plain mean until the span is reached', () => {
  const state = newRunningMean();
  expect([3, 5, 10].map((value) => updateMean(state, value, 100))).toEqual([3, 4, 6]);
});

test('then forgets: a new level is taken over within a few spans', () => {
  const state = newRunningMean();
  for (let index = 0; index < 1000; index++) updateMean(state, 1, 9);
  expect(updateMean(state, 2, 9)).toBeCloseTo(1.2, 12);
  for (let index = 0; index < 50; index++) updateMean(state, 2, 9);
  expect(state.mean).toBeCloseTo(2, 3);
});

test('for any values: stays between the least and the greatest', () => {
  const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 40 }), (all, span) => {
      const state = newRunningMean();
      for (const value of all) updateMean(state, value, span);
      expect(state.mean).toBeGreaterThanOrEqual(Math.min(...all) - 1e-3);
      expect(state.mean).toBeLessThanOrEqual(Math.max(...all) + 1e-3);
    }),
  );
});
