import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NAB_PROFILES,
  type NabProfile,
  type NabSeries,
  normaliseNab,
  probationRows,
  scoreNab,
  scoreNabSeries,
} from './nab-score.ts';

const { standard, reward_low_FP, reward_low_FN } = NAB_PROFILES;

function series(rows: number, windows: NabSeries['windows'], detections: readonly number[]): NabSeries {
  const scores = Array.from({ length: rows }, (_, row) => (detections.includes(row) ? 0.9 : 0.1));
  return { file: `${rows}`, windows, scores };
}
const raw = (one: NabSeries, profile: NabProfile = standard) => scoreNabSeries(one, 0.5, profile).raw;

/** A hundred rows: 15 are on probation. */
const WINDOW = [40, 49] as const;

describe('against numbers worked by hand', () => {
  test('the earliest detection in a window counts, and it alone', () => {
    // y = -(49 - 45 + 1) / 10 = -0.5; (2 / (1 + e^-2.5) - 1) / (2 / (1 + e^-5) - 1)
    expect(raw(series(100, [WINDOW], [45]))).toBeCloseTo(0.848284 / 0.986614, 5);
    expect(raw(series(100, [WINDOW], [45, 47, 49]))).toBeCloseTo(0.848284 / 0.986614, 5);
    // y = -0.1 on the last row
    expect(raw(series(100, [WINDOW], [49]))).toBeCloseTo(0.244919 / 0.986614, 5);
    expect(raw(series(100, [WINDOW], [40]))).toBeCloseTo(1, 12);
  });

  test('outside, a detection costs by its distance from the window before it, all where there is none', () => {
    expect(raw(series(100, [], [50]))).toBeCloseTo(-0.11, 12);
    expect(raw(series(100, [WINDOW], [39, 40]))).toBeCloseTo(1 - 0.11, 12);
    // (50 - 49) / 9; 2 / (1 + e^0.5556) - 1
    expect(raw(series(100, [WINDOW], [40, 50]))).toBeCloseTo(1 - 0.11 * 0.270857, 5);
    expect(raw(series(100, [WINDOW], [40, 99]))).toBeCloseTo(1 - 0.11, 12);
  });

  test('a missed window costs once; probation is neither here nor there', () => {
    expect(raw(series(100, [WINDOW], []))).toBe(-1);
    expect(raw(series(100, [WINDOW], [0, 14]))).toBe(-1);
    expect(raw(series(100, [WINDOW], [15]))).toBeCloseTo(-1 - 0.11, 12);
    expect([100, 4032, 5000, 22_695].map(probationRows)).toEqual([15, 604, 750, 750]);
  });

  test('profiles weigh misses and false detections', () => {
    const one = series(100, [WINDOW, [80, 89]], [20, 40]);
    expect(raw(one)).toBeCloseTo(1 - 1 - 0.11, 12);
    expect(raw(one, reward_low_FP)).toBeCloseTo(1 - 1 - 0.22, 12);
    expect(raw(one, reward_low_FN)).toBeCloseTo(1 - 2 - 0.11, 12);
    expect(scoreNabSeries(one, 0.5, standard)).toMatchObject({ windows: 2, found: 1, falseDetections: 1 });
  });

  test('a corpus is normalised over all its windows', () => {
    const corpus = [series(100, [WINDOW], [40]), series(200, [[100, 119]], []), series(100, [], [50])];
    // raw 1 - 1 - 0.11 between -2 and 2
    expect(scoreNab(corpus, 0.5, standard).normalised).toBeCloseTo((100 * (-0.11 + 2)) / 4, 10);
    expect(scoreNab(corpus, 0.5, reward_low_FN).normalised).toBeCloseTo((100 * (-1.11 + 4)) / 6, 10);
  });
});

/** Windows of at least two rows, apart from each other, after probation. */
const anySeries = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 5 })
  .map((pieces) => {
    let at = 150;
    return pieces.map(([gap, width]): [number, number] => {
      const first = at + gap;
      at = first + width;
      return [first, at];
    });
  });
const profiles = fc.constantFrom(...Object.values(NAB_PROFILES));
const rows = fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 20 });

describe('for any windows', () => {
  test('nothing is worth 0, the first row of every window 100', () => {
    fc.assert(
      fc.property(anySeries, profiles, (windows, profile) => {
        const score = (detections: number[]) => scoreNab([series(1000, windows, detections)], 0.5, profile).normalised;
        expect(score([])).toBe(0);
        expect(score(windows.map(([first]) => first))).toBeCloseTo(100, 10);
      }),
    );
  });

  test('nothing is worth more than perfect, a false detection never helps, an earlier one never hurts', () => {
    fc.assert(
      fc.property(
        anySeries,
        profiles,
        rows,
        fc.integer({ min: 150, max: 999 }),
        (windows, profile, detections, more) => {
          const before = raw(series(1000, windows, detections), profile);
          const after = raw(series(1000, windows, [...detections, more]), profile);
          expect(before).toBeLessThanOrEqual(windows.length + 1e-9);
          const isInside = windows.some(([first, last]) => more >= first && more <= last);
          if (isInside) expect(after).toBeGreaterThanOrEqual(before - 1e-9);
          else expect(after).toBeLessThanOrEqual(before + 1e-9);
        },
      ),
    );
  });
});

test('series without a window cost, but cannot be normalised alone', () => {
  const quiet = series(100, [], []);
  expect(() => scoreNab([quiet], 0.5, standard)).toThrow('without a single labelled window');
  expect(normaliseNab([scoreNabSeries(quiet, 0.5, standard)], standard)).toBeNaN();
});
