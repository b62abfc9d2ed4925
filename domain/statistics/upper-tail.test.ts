import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newUpperTail, observeInTail, tailRarity, type UpperTail } from './upper-tail.ts';

function seen(values: readonly number[]): UpperTail {
  const tail = newUpperTail();
  for (const value of values) observeInTail(tail, value);
  return tail;
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('tailRarity', () => {
  test('is the rank among all before: 1 in 20, 1 in 100', () => {
    const tail = seen(upTo(99));
    expect(tailRarity(tail, 96)).toBeCloseTo(Math.log10(100 / 5), 12); // 96, 97, 98, 99 and itself
    expect(tailRarity(tail, 98.5)).toBeCloseTo(Math.log10(100 / 2), 12);
    expect(tailRarity(tail, 50)).toBe(0);
  });

  test('goes on beyond the largest by the mean excess of the tail, at most six decades', () => {
    const tail = seen(upTo(99)); // the tail: 91 to 99, mean excess over 91 is 4
    expect(tailRarity(tail, 99 + 4)).toBeCloseTo(2 + Math.LOG10E, 12);
    expect(tailRarity(tail, 1e12)).toBeCloseTo(2 + 6, 12);
  });

  test('says nothing before fifty values, and of what always was', () => {
    expect(tailRarity(seen(upTo(49)), 1e9)).toBe(0);
    expect(tailRarity(seen(upTo(50)), 1e9)).toBeGreaterThan(1);
    const constant = seen(new Array<number>(999).fill(7));
    expect(tailRarity(constant, 7)).toBe(0);
    expect(tailRarity(constant, 8)).toBeCloseTo(3, 12);
  });
});

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 50, maxLength: 400 });
const value = fc.double({ min: -2e6, max: 2e6, noNaN: true });

test('for any values: never negative, finite, not less for a larger value, in constant memory', () => {
  fc.assert(
    fc.property(values, value, value, (past, one, other) => {
      const tail = seen(past);
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      const rarity = tailRarity(tail, high);
      expect(Number.isFinite(rarity)).toBe(true);
      expect(tailRarity(tail, low)).toBeGreaterThanOrEqual(0);
      expect(rarity).toBeGreaterThanOrEqual(tailRarity(tail, low));
      expect(tail.top.length).toBeLessThanOrEqual(48);
      expect(tail.top).toEqual(past.toSorted((left, right) => right - left).slice(0, 48));
    }),
  );
});

test('the order in which values came does not matter', () => {
  fc.assert(
    fc.property(values, value, (past, probe) => {
      expect(tailRarity(seen(past.toReversed()), probe)).toBe(tailRarity(seen(past), probe));
    }),
  );
});
