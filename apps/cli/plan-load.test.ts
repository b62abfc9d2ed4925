/** Where the simulated time of a load lies for each way to ask for it. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../platform/errors.ts';
import { type LoadOptions, planLoad } from './plan-load.ts';

const NOW_MS = Date.UTC(2026, 0, 31, 12);
const MINUTE_MS = 60_000;
const OPTIONS: LoadOptions = {
  seed: 3,
  rate: 5,
  for: 10 * MINUTE_MS,
  history: 45 * MINUTE_MS,
  faultAfter: MINUTE_MS,
};

describe('planLoad', () => {
  it('sends the history up to now and then goes with the clock', () => {
    const { simulation, presentMs, wallMs } = planLoad(OPTIONS, NOW_MS);
    expect(simulation).toMatchObject({ startMs: NOW_MS - 45 * MINUTE_MS, endMs: NOW_MS + 10 * MINUTE_MS });
    expect(presentMs).toBe(NOW_MS);
    expect(wallMs).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([{ fast: true }, { out: '/tmp/x' }] as const)('lies in the past altogether with %o', (more) => {
    const { simulation, presentMs } = planLoad({ ...OPTIONS, fault: 'error-burst', decoys: true, ...more }, NOW_MS);
    const onsetMs = NOW_MS - 9 * MINUTE_MS;
    expect(simulation).toMatchObject({
      endMs: NOW_MS,
      fault: { kind: 'error-burst', onsetMs },
      decoysAroundMs: onsetMs,
    });
    expect(presentMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('floods for a time by the clock, from far enough back that the simulated time does not run out', () => {
    const { simulation, wallMs, connections } = planLoad({ ...OPTIONS, rate: 'max' }, NOW_MS);
    expect(wallMs).toBe(10 * MINUTE_MS);
    expect(NOW_MS - simulation.startMs).toBe(100 * MINUTE_MS);
    expect(simulation.requestsPerSecond).toBeGreaterThan(100);
    expect(connections).toBeGreaterThan(1);
  });

  it('makes small batches of a dense shop', () => {
    expect(planLoad(OPTIONS, NOW_MS).simulation.batchSeconds).toBe(10);
    expect(planLoad({ ...OPTIONS, rate: 400 }, NOW_MS).simulation.batchSeconds).toBe(1);
  });

  it.each<[Partial<LoadOptions>, RegExp]>([
    [{ fault: 'error-burst', faultAfter: 10 * MINUTE_MS }, /is not before the end: it runs --for 10 min/],
    [{ rate: 'max', decoys: true }, /name a rate/],
    [{ rate: 'max', out: '/tmp/x' }, /name a --rate/],
    [{ history: 400 * 86_400_000 }, /at most 366 d each/],
  ])('refuses %o', (more, problem) => {
    const planning = () => planLoad({ ...OPTIONS, ...more }, NOW_MS);
    expect(planning).toThrow(InputError);
    expect(planning).toThrow(problem);
  });
});
