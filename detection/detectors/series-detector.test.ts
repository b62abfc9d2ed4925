import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeValue, likelihoodOf, newSeriesState, RAISE_LIKELIHOOD, type SeriesState } from './series-detector.ts';

const STEP_MS = 300_000;
const DAY = 288;
const MONDAY_MS = Date.UTC(2024, 0, 1);

/** 0..1, without a pattern that anything here could see. */
function noise(index: number): number {
  const mixed = Math.imul(index + 1, 0x9e3779b1) ^ (index >>> 3);
  return (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 0) / 2 ** 32;
}

function feed(state: SeriesState, from: number, to: number, valueAt: (index: number) => number) {
  return Array.from({ length: to - from }, (_, offset) => {
    const index = from + offset;
    return judgeValue(state, MONDAY_MS + index * STEP_MS, valueAt(index));
  });
}

/** Indices raised, of those from `from` on. */
function raisedFrom(from: number, count: number, valueAt: (index: number) => number): number[] {
  const judged = feed(newSeriesState(), 0, count, valueAt);
  return judged.flatMap(({ isRaised }, index) => (isRaised && index >= from ? [index] : []));
}

describe('finds', () => {
  const daily = (index: number) => 100 + 50 * Math.sin((2 * Math.PI * index) / DAY) + 5 * noise(index);
  const from = 14 * DAY;

  test.each([
    ['a value never seen', (index: number) => (index === from + 9 ? 400 : daily(index)), 10],
    [
      'a usual value at an unusual hour',
      (index: number) => (index >= from && index < from + 24 ? 145 : daily(index)),
      24,
    ],
    ['a new level', (index: number) => daily(index) + (index >= from ? 40 : 0), 24],
    ['a flat line', (index: number) => (index >= from ? 103 : daily(index)), DAY],
    ['noise that grows', (index: number) => daily(index) + (index >= from ? 60 * (noise(index) - 0.5) : 0), 24],
    ['silence', (index: number) => (index >= from ? 0 : daily(index)), 1],
  ])('%s', (_, valueAt, within) => {
    const [first = Number.POSITIVE_INFINITY] = raisedFrom(from, from + 2 * DAY, valueAt);
    expect(first).toBeLessThan(from + within);
  });

  test('nothing where the day goes as it always did', () => {
    expect(raisedFrom(7 * DAY, 28 * DAY, daily).length).toBeLessThanOrEqual(2);
  });
});

describe('is quiet', () => {
  test('about a constant, about a job that runs every night at about three, about noise (once a week or less)', () => {
    expect(raisedFrom(0, 7 * DAY, () => 45)).toEqual([]);
    const isJob = (index: number) => {
      const minute = index % DAY;
      const start = 36 + Math.floor(6 * noise(Math.floor(index / DAY)));
      return minute >= start && minute < start + 4;
    };
    expect(raisedFrom(4 * DAY, 14 * DAY, (index) => 20 + noise(index) + (isJob(index) ? 60 : 0)).length).toBeLessThan(
      3,
    );
    expect(raisedFrom(3 * DAY, 31 * DAY, noise).length).toBeLessThanOrEqual(8);
  });

  test('about a tiny rate that goes on as it was', () => {
    const sparse = (index: number) => (noise(index) < 0.05 ? 1 : 0);
    expect(raisedFrom(3 * DAY, 31 * DAY, sparse).length).toBeLessThanOrEqual(8);
  });
});

const anyValue = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: -1e9, max: 1e9, noNaN: true }));
const anyValues = fc.array(anyValue, { minLength: 60, maxLength: 150 });

describe('for any values', () => {
  test('later ones change nothing that was said before, and a state kept as JSON goes on as if it had never left', () => {
    fc.assert(
      fc.property(anyValues, anyValues, (past, future) => {
        const all = [...past, ...future];
        const valueAt = (index: number) => all[index] ?? 0;
        const whole = feed(newSeriesState(), 0, all.length, valueAt);
        const state = newSeriesState();
        expect(feed(state, 0, past.length, valueAt)).toEqual(whole.slice(0, past.length));
        const kept: SeriesState = JSON.parse(JSON.stringify(state));
        expect(feed(kept, past.length, all.length, valueAt)).toEqual(whole.slice(past.length));
      }),
    );
  });

  test('likelihoods lie in 0..1, raised ones reach the bar, a series twice as high is judged alike', () => {
    fc.assert(
      fc.property(anyValues, (values) => {
        const judged = feed(newSeriesState(), 0, values.length, (index) => values[index] ?? 0);
        for (const { likelihood, isRaised } of judged) {
          expect(likelihood).toBeGreaterThanOrEqual(0);
          expect(likelihood).toBeLessThanOrEqual(1);
          if (isRaised) expect(likelihood).toBeGreaterThanOrEqual(RAISE_LIKELIHOOD - 1e-9);
        }
        const doubled = feed(newSeriesState(), 0, values.length, (index) => 2 * (values[index] ?? 0));
        expect(doubled.map(({ isRaised }) => isRaised)).toEqual(judged.map(({ isRaised }) => isRaised));
      }),
    );
  });
});

test('the state stays as small as it is, however long the series', () => {
  const state = newSeriesState();
  const numbers = () => JSON.stringify(state).match(/-?\d[\d.e+-]*/g)?.length ?? 0;
  feed(state, 0, 10 * DAY, noise);
  const afterTenDays = numbers();
  feed(state, 10 * DAY, 40 * DAY, noise);
  expect(numbers()).toBe(afterTenDays);
  expect(afterTenDays).toBeLessThan(1_300);
});

test('five p-values of 1 in 100 together are e in 100', () => {
  expect(likelihoodOf(10)).toBeCloseTo(1 - Math.E / 100, 12);
  expect(likelihoodOf(0)).toBe(0);
});
