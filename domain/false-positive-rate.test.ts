import fc from 'fast-check';
import { expect, test } from 'vitest';
import { falsePositiveRate } from './false-positive-rate.ts';
import type { Feedback } from './feedback.ts';

const outcomes = (many: number, isExplained: boolean, prefix = 'inc') =>
  Array.from({ length: many }, (_, index) => ({ incidentId: `${prefix}_${index}`, isExplained }));
const noiseOn = (incidentId: string): Feedback => ({
  feedbackId: incidentId,
  atMs: 1,
  by: 'lea',
  judgement: 'noise',
  reason: '',
  about: incidentId,
  incidentId,
  series: [],
});

test('the share of noise among those that are known, with its interval', () => {
  const all = [...outcomes(20, true), ...outcomes(3, false, 'open')];
  const rate = falsePositiveRate(all, [noiseOn('inc_0'), noiseOn('open_1'), noiseOn('long_gone')], 30);
  expect(rate).toMatchObject({ noise: 2, real: 19, undecided: 2, objective: 'likely-missed' });
  expect(rate.percent).toBeCloseTo((100 * 2) / 21);
  expect(rate.interval.low).toBeCloseTo(2.65, 1);
});

test.each([
  [0, 0, 'unknown'],
  [0, 10, 'likely-met'],
  [0, 200, 'met'],
  [60, 100, 'missed'],
  [4, 96, 'likely-met'],
] as const)('%i noise and %i real: %s', (noise, real, objective) => {
  const all = [...outcomes(noise, true, 'noise'), ...outcomes(real, true)];
  const feedback = Array.from({ length: noise }, (_, index) => noiseOn(`noise_${index}`));
  expect(falsePositiveRate(all, feedback, 30).objective).toBe(objective);
});

test('every incident is counted once, and the interval holds the share', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (noise, real, open) => {
      const all = [...outcomes(noise, false, 'noise'), ...outcomes(real, true), ...outcomes(open, false, 'open')];
      const feedback = Array.from({ length: noise }, (_, index) => noiseOn(`noise_${index}`));
      const rate = falsePositiveRate(all, feedback, 30);
      expect([rate.noise, rate.real, rate.undecided]).toEqual([noise, real, open]);
      if (rate.percent === undefined) return;
      expect(rate.interval.low).toBeLessThanOrEqual(rate.percent + 1e-9);
      expect(rate.interval.high).toBeGreaterThanOrEqual(rate.percent - 1e-9);
    }),
  );
});
