import { expect, test } from 'vitest';
import { expectCalls, learnTraffic, newRequestTraffic } from './request-traffic.ts';

const STEP_MS = 10_000;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 2, 4);
const LAG = 30;

/** What is expected at `endMs`, when calls a step were as said until five minutes before. */
function expectedAfter(endMs: number, callsAt: (atMs: number) => number) {
  const traffic = newRequestTraffic();
  for (let atMs = START_MS; atMs < endMs - LAG * STEP_MS; atMs += STEP_MS) learnTraffic(traffic, atMs, callsAt(atMs));
  const expected = expectCalls(traffic, endMs, LAG);
  return expected ?? expect.unreachable();
}

test('nothing is expected of what is hardly known', () => {
  expect(expectCalls(newRequestTraffic(), START_MS, LAG)).toBeUndefined();
});

test('what was, is; noise is no trend', () => {
  const { low, high, variance } = expectedAfter(
    START_MS + HOUR_MS,
    (atMs) => 100 + ((atMs / STEP_MS) % 2 === 0 ? 5 : -5),
  );
  expect(low).toBeCloseTo(100 / 1.2, 6);
  expect(high).toBeCloseTo(100 * 1.2, 6);
  expect(variance).toBeGreaterThanOrEqual(100);
});

test('a rise goes on, or does not', () => {
  const { low, high } = expectedAfter(START_MS + HOUR_MS, (atMs) => 100 + (atMs - START_MS) / 60_000);
  expect(high).toBeGreaterThanOrEqual(159);
  expect(low).toBeLessThan(150);
});

test('what came yesterday around this hour may come again, and may not: a batch, a peak, a holiday', () => {
  const batch = (atMs: number) => (Math.floor((atMs - START_MS) / HOUR_MS) % 24 === 2 ? 1_000 : 10);
  const { low, high } = expectedAfter(START_MS + 26 * HOUR_MS + 60_000, batch);
  expect(high).toBeGreaterThanOrEqual(1_000);
  expect(low).toBeLessThanOrEqual(10);
  expect(expectedAfter(START_MS + 36 * HOUR_MS, batch).high).toBeLessThan(13);
});
