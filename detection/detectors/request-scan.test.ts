import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CountedStep, learnScore, newRequestScan, scanForExcess } from './request-scan.ts';

/** Chance alone: a share of so many, known from very many. */
function stepOf(count: number, trials: number, share: number): CountedStep {
  return { count, trials, expected: trials * share, variance: trials * share * (1 - share), doubt: 0 };
}

/** What came before was as expected. */
function known(scores: number) {
  const scan = newRequestScan();
  for (let step = 0; step < 200; step++) learnScore(scan, step % 50 === 0 ? scores : 0);
  return scan;
}

const calm = Array.from({ length: 24 }, () => stepOf(1, 100, 0.01));

describe('an excess', () => {
  test('is found with its beginning, however long it has lasted', () => {
    for (const lasting of [2, 3, 6, 12]) {
      const steps = [...calm, ...Array.from({ length: lasting }, () => stepOf(12, 100, 0.01))];
      const excess = scanForExcess(known(0), steps);
      expect(excess.length).toBe(lasting);
      expect(excess.deviation).toBeGreaterThan(1);
    }
  });

  test('of a share that rises slowly shows over minutes where no half minute shows it', () => {
    const slow = Array.from({ length: 30 }, () => stepOf(3, 100, 0.01));
    expect(scanForExcess(known(0), slow.slice(-3)).deviation).toBeLessThan(1);
    expect(scanForExcess(known(0), slow).deviation).toBeGreaterThan(1);
  });

  test('is measured by what its own past has reached', () => {
    const steps = [...calm, ...Array.from({ length: 3 }, () => stepOf(12, 100, 0.01))];
    expect(scanForExcess(known(8), steps).deviation).toBeLessThan(scanForExcess(known(2), steps).deviation);
  });

  test('is forgotten after a day', () => {
    const scan = known(50);
    for (let step = 0; step < 2 * 4_320; step++) learnScore(scan, 0);
    const steps = [...calm, ...Array.from({ length: 3 }, () => stepOf(12, 100, 0.01))];
    expect(scanForExcess(scan, steps)).toEqual(scanForExcess(known(0), steps));
  });

  test('of too few is found where too few are looked for', () => {
    const half = Array.from({ length: 12 }, () => ({
      ...stepOf(50, 0, 0),
      trials: Infinity,
      expected: 100,
      variance: 100,
    }));
    expect(scanForExcess(known(0), half).score).toBe(0);
    expect(scanForExcess(known(0), half, -1).deviation).toBeGreaterThan(1);
  });
});

describe('nothing is said', () => {
  test('about one of two that failed, or two of three', () => {
    expect(scanForExcess(known(0), [stepOf(0, 0, 0), stepOf(1, 2, 0.005)]).deviation).toBeLessThan(0.5);
    expect(scanForExcess(known(0), [stepOf(0, 0, 0), stepOf(2, 3, 0.005)]).deviation).toBeLessThan(1);
  });

  test('while too little is known of how far normal time reaches', () => {
    expect(scanForExcess(newRequestScan(), Array(5).fill(stepOf(50, 100, 0.01))).deviation).toBe(0);
  });
});

const count = fc.nat({ max: 1_000 });
const someSteps = fc.array(
  fc
    .record({
      trials: count,
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      share: fc.constantFrom(0.001, 0.05, 0.5),
    })
    .map(({ trials, part, share }) => stepOf(Math.floor(trials * part), trials, share)),
  { maxLength: 30 },
);

test('a score is finite and never below nothing, and more of the same is surer', () => {
  fc.assert(
    fc.property(someSteps, (steps) => {
      const { score, length } = scanForExcess(known(0), steps);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(score)).toBe(true);
      expect(length).toBeLessThanOrEqual(steps.length);
      const twice = steps.map((step) => ({
        count: 2 * step.count,
        trials: 2 * step.trials,
        expected: 2 * step.expected,
        variance: 2 * step.variance,
        doubt: 2 * step.doubt,
      }));
      expect(scanForExcess(known(0), twice).score).toBeGreaterThanOrEqual(score - 1e-9);
    }),
  );
});
