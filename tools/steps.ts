/** How a window is cut into steps: as many as a reader can take in, and no more. */
import { z } from 'zod';
import { durationMs, type TimeWindow } from '../domain/time-window.ts';
import { InputError } from '../platform/errors.ts';

const MAX_STEPS = 1_500;
const READABLE_STEPS = 120;
const ROUND_SECONDS = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

export const stepSecondsInput = z.int().min(1).max(86_400).describe('Length of a step, counted from the window start.');

/** How many steps the window has; throws InputError when nobody could read that many. */
export function countSteps(window: TimeWindow, stepSeconds: number): number {
  const steps = Math.ceil(durationMs(window) / (stepSeconds * 1000));
  if (steps <= MAX_STEPS) return steps;
  throw new InputError(`${steps} steps are too many (at most ${MAX_STEPS}): choose a longer step or a shorter window.`);
}

/** The shortest round step of at least `minSeconds` that cuts the window into 120 steps at the most. */
export function readableStepSeconds(window: TimeWindow, minSeconds: number): number {
  const isReadable = (seconds: number) => durationMs(window) <= READABLE_STEPS * seconds * 1000;
  return ROUND_SECONDS.find((seconds) => seconds >= minSeconds && isReadable(seconds)) ?? 86_400;
}
