import { describe, expect, it } from 'vitest';
import { timeLimitsAt } from './time-limits.ts';

const NOW_MS = Date.UTC(2026, 5, 15, 12);
const DAY_MS = 86_400_000;
const nanos = (ms: number) => BigInt(ms) * 1_000_000n;

describe('times that are taken', () => {
  it.each([
    ['now', 30, NOW_MS],
    ['the last day of retention', 30, NOW_MS - 30 * DAY_MS],
    ['a clock in another time zone', 30, NOW_MS + 14 * 3_600_000],
    ['a day ahead', 30, NOW_MS + DAY_MS],
    ['replayed history, without retention', 0, Date.UTC(2000, 0, 1)],
  ])('%s', (_what, retentionDays, atMs) => {
    expect(timeLimitsAt(NOW_MS, retentionDays).problemOf(nanos(atMs))).toBeUndefined();
  });
});

describe('times that are named and rejected', () => {
  it.each([
    ['none', 0n, 'is missing'],
    ['a nanosecond after 1970 began', 1n, 'is outside 2000 to 2100'],
    ['seconds instead of nanoseconds', BigInt(NOW_MS / 1000), 'is outside 2000 to 2100'],
    ['before 1970, as an unsigned number', 2n ** 64n - 1n, 'is outside 2000 to 2100'],
    ['what the store would delete', nanos(NOW_MS - 30 * DAY_MS) - 1n, 'is older than the 30 days of retention'],
    ['a nanosecond too far ahead', nanos(NOW_MS + DAY_MS) + 1n, "is more than a day ahead of the receiver's clock"],
  ])('%s', (_what, unixNano, problem) => {
    expect(timeLimitsAt(NOW_MS, 30).problemOf(unixNano)).toBe(problem);
  });
});

it.each([
  ['five minutes ago', 5 * 60_000, 0n, false],
  ['a nanosecond longer ago', 5 * 60_000, 1n, true],
  ['now', 0, 0n, false],
])('%s: late or not', (_what, agoMs, moreNanos, isLate) => {
  expect(timeLimitsAt(NOW_MS, 0).isLate(nanos(NOW_MS - agoMs) - moreNanos)).toBe(isLate);
});
