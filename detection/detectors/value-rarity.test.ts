import { expect, test } from 'vitest';
import { newValueRarity, observeRarity } from './value-rarity.ts';

/** Up and down by one, five minutes a value. */
const swing = (index: number) => (index % 2 === 0 ? 10 : 12);

function observe(count: number, valueAt: (index: number) => number) {
  const rarity = newValueRarity();
  let newest: ReturnType<typeof observeRarity> = { transition: 0, hour: undefined };
  for (let index = 0; index < count; index++)
    newest = observeRarity(rarity, Math.floor(index / 12) % 24, valueAt(index));
  return newest;
}

test('another rhythm of the same values is rare, and so is a flat line', () => {
  const usual = observe(2000, swing).transition;
  expect(observe(2000, (index) => (index < 1960 ? swing(index) : swing(index >> 1))).transition).toBeGreaterThan(
    usual + 1,
  );
  expect(observe(2000, (index) => (index < 1960 ? swing(index) : 11)).transition).toBeGreaterThan(usual + 1);
});

test('the same value at another hour is rare at that hour only', () => {
  /** A job at three, each day. */
  const daily = (index: number) => (Math.floor(index / 12) % 24 === 3 ? 100 : swing(index));
  const days = 10 * 288;
  const atThree = observe(days + 48, daily).hour ?? 0;
  const atNoon = observe(days + 156, (index) => (index >= days + 144 ? 100 : daily(index))).hour ?? 0;
  expect(atNoon).toBeGreaterThan(atThree + 0.5);
});

test('an hour with little history has nothing to say', () => {
  expect(observe(12, swing).hour).toBeUndefined();
  expect(observe(2, swing).hour).toBeUndefined();
  expect(observe(288 + 1, swing).hour).toBeTypeOf('number');
});
