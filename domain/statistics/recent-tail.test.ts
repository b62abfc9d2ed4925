/** A tail that forgets in halves. */
import { expect, it } from 'vitest';
import { newRecentTail, observeRecent, recentTail } from './recent-tail.ts';
import { newUpperTail, observeInTail } from './upper-tail.ts';

it('is the tail of all values while nothing was forgotten', () => {
  const recent = newRecentTail();
  const all = newUpperTail();
  for (let index = 0; index < 8_000; index++) {
    const value = (index * 7_919) % 8_009;
    observeRecent(recent, value);
    observeInTail(all, value);
  }
  expect(recentTail(recent)).toEqual(all);
});

it('forgets what is older than two halves, and remembers the newest half at least', () => {
  const recent = newRecentTail();
  observeRecent(recent, 1_000);
  const largest = () => recentTail(recent).top[0];
  for (let index = 1; index < 8_639; index++) observeRecent(recent, 1);
  expect(largest()).toBe(1_000);
  observeRecent(recent, 2);
  expect(largest()).toBe(2);
  expect(recentTail(recent).count).toBe(4_320);
});
