import { expect, test } from 'vitest';
import { InputError } from '../platform/errors.ts';
import { countSteps, readableStepSeconds } from './steps.ts';

const hours = (count: number) => ({ startMs: 0, endMs: count * 3_600_000 });

test('counts steps, the last one may be cut, and refuses more than anybody reads', () => {
  expect(countSteps({ startMs: 0, endMs: 65_000 }, 60)).toBe(2);
  expect(countSteps(hours(25), 60)).toBe(1_500);
  expect(() => countSteps(hours(26), 60)).toThrow(InputError);
});

test('chooses round steps so that 120 at the most cover the window', () => {
  expect(readableStepSeconds(hours(0.1), 10)).toBe(10);
  expect(readableStepSeconds(hours(0.1), 1)).toBe(5);
  expect(readableStepSeconds(hours(2), 10)).toBe(60);
  expect(readableStepSeconds(hours(24 * 365), 10)).toBe(86_400);
});
