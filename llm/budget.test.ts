import { describe, expect, it } from 'vitest';
import { createManualClock } from '../platform/clock.ts';
import { type Budget, createBudget, type Reservation } from './budget.ts';

const UNLIMITED = { tokens: undefined, usd: undefined, seconds: undefined };
const price = { inputUsd: 1, outputUsd: 10 };
const clock = createManualClock(0);
const call = (inputTokens: number, outputTokens: number) => ({ inputTokens, outputTokens });

function reserve(budget: Budget, inputTokens: number, outputTokens: number): Reservation {
  const reservation = budget.reserve(call(inputTokens, outputTokens), price);
  if (typeof reservation === 'string') throw new Error(`stopped by ${reservation}`);
  return reservation;
}

describe('a budget', () => {
  it.each([
    ['tokens', { ...UNLIMITED, tokens: 149 }],
    ['money', { ...UNLIMITED, usd: 0.0005 }],
  ] as const)('of %s refuses the call that could exceed it, and not a smaller one', (limit, limits) => {
    const budget = createBudget(limits, clock);
    expect(budget.reserve(call(100, 50), price)).toBe(limit);
    reserve(budget, 90, 40).settle({ ...call(50, 5), isEstimated: false });
    expect(budget.usage()).toMatchObject({ calls: 1, inputTokens: 50, outputTokens: 5, costUsd: 0.0001 });
    reserve(budget, 60, 34);
    expect(budget.reserve(call(0, 1), price)).toBe(limit);
  });

  it('holds what calls under way may still take', () => {
    const budget = createBudget({ ...UNLIMITED, tokens: 100 }, clock);
    const first = reserve(budget, 30, 30);
    expect(budget.reserve(call(30, 30), price)).toBe('tokens');
    first.settle({ ...call(30, 1), isEstimated: false });
    expect(budget.reserve(call(30, 30), price)).not.toBe('tokens');
  });

  it('counts a second once, however many calls are under way, and none between calls', () => {
    const time = createManualClock(0);
    const budget = createBudget({ ...UNLIMITED, seconds: 5 }, time);
    const [first, second] = [reserve(budget, 1, 1), reserve(budget, 1, 1)];
    time.advance(2_000);
    first.settle({ ...call(1, 1), isEstimated: false });
    time.advance(1_000);
    expect(budget.usage().seconds).toBe(3);
    second.settle({ ...call(1, 1), isEstimated: false });
    time.advance(60_000);
    expect(budget.usage().seconds).toBe(3);
    const third = reserve(budget, 1, 1);
    time.advance(2_000);
    expect(budget.reserve(call(1, 1), price)).toBe('seconds');
    third.settle({ ...call(1, 1), isEstimated: true });
    expect(budget.reserve(call(1, 1), price)).toBe('seconds');
    expect(budget.usage()).toMatchObject({ calls: 3, seconds: 5, estimatedCalls: 1 });
  });

  it('says whose cost is not known, and goes on', () => {
    const budget = createBudget({ ...UNLIMITED, usd: 0 }, clock);
    const reservation = budget.reserve(call(1e9, 1e9), undefined) as Reservation;
    reservation.settle({ ...call(10, 10), isEstimated: false });
    expect(budget.usage()).toMatchObject({ costUsd: 0, unpricedCalls: 1 });
    expect(budget.reserve(call(1, 0), price)).toBe('money');
  });

  it('goes on where an earlier part of the investigation stopped', () => {
    const before = createBudget({ ...UNLIMITED, tokens: 100 }, clock);
    reserve(before, 50, 50).settle({ ...call(50, 40), isEstimated: false });
    const stored = JSON.parse(JSON.stringify(before.usage()));
    const after = createBudget({ ...UNLIMITED, tokens: 100 }, clock, stored);
    expect(after.reserve(call(5, 6), price)).toBe('tokens');
    expect(after.reserve(call(5, 5), price)).not.toBe('tokens');
  });

  it('takes a call once', () => {
    const budget = createBudget(UNLIMITED, clock);
    const reservation = reserve(budget, 1, 1);
    reservation.settle({ ...call(1, 1), isEstimated: false });
    reservation.settle({ ...call(1, 1), isEstimated: false });
    expect(budget.usage().calls).toBe(1);
  });
});
