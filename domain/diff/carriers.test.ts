import { describe, expect, it } from 'vitest';
import { carriageWeight, explainedShare } from './carriers.ts';
import type { Sign } from './incident-signs.ts';

const MINUTE_MS = 60_000;
const DEPLOYED_MS = 100 * MINUTE_MS;
const carrier = { service: 'cart', changeId: 'd1', atMs: DEPLOYED_MS, certainty: 1 };
const sign = (minute: number, weight: number): Sign => ({
  ...({ service: 'cart', text: '', symptoms: [], isLoad: false } as unknown as Sign),
  onsetMs: minute * MINUTE_MS,
  weight,
});

describe('the share of the trouble that a change explains', () => {
  const trouble = [sign(60, 1), sign(90, 1), sign(103, 2)];

  it('is what began after it, of everything', () => {
    expect(explainedShare(carrier, trouble)).toBe(0.5);
  });

  it('leaves out what began before the trouble did', () => {
    expect(explainedShare(carrier, trouble, 85 * MINUTE_MS)).toBeCloseTo(2 / 3);
    expect(explainedShare(carrier, trouble, 101 * MINUTE_MS)).toBe(1);
  });

  it('keeps what it explains, however early', () => {
    const early = { ...carrier, atMs: 50 * MINUTE_MS };
    expect(explainedShare(early, trouble, 101 * MINUTE_MS)).toBe(1);
  });

  it('counts once for a commit that the trouble names, twice for one that merely fits', () => {
    const carriage = { carrier, explained: 0.5, nearness: 1 };
    expect([carriageWeight(carriage, true), carriageWeight(carriage)]).toEqual([0.5, 0.25]);
  });
});
