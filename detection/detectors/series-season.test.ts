import { describe, expect, test } from 'vitest';
import { newSeriesState } from './series-detector.ts';
import { judgeSeason } from './series-season.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const START_MS = Date.UTC(2026, 2, 2);

/** A busy day and a quiet night, with a little noise that repeats itself in no day. */
function usual(minute: number): number {
  const hour = (minute % DAY_MINUTES) / 60;
  return 100 + 60 * Math.sin((2 * Math.PI * (hour - 8)) / 24) + 5 * Math.sin(minute * 12.9898);
}

/** The greatest share of the bar on each day. */
function play(days: number, valueAt: (minute: number) => number, worse?: 1 | -1): number[] {
  const state = newSeriesState();
  return Array.from({ length: days }, (_, day) => {
    let most = 0;
    for (let minute = day * DAY_MINUTES; minute < (day + 1) * DAY_MINUTES; minute++) {
      most = Math.max(most, judgeSeason(state, START_MS + minute * MINUTE_MS, valueAt(minute), worse));
    }
    return most;
  });
}

describe('judgeSeason', () => {
  /** On the fourth day the morning does not come: each value was seen on every day before, at another hour. */
  const noMorning = (minute: number) => {
    const isMissing = minute > 3 * DAY_MINUTES + 7 * 60;
    return usual(isMissing ? 3 * 60 + (minute % 60) : minute);
  };

  test('a day like the others is nothing, and two days are needed to say so', () => {
    const days = play(5, usual);
    expect(days.slice(0, 2)).toEqual([0, 0]);
    expect(Math.max(...days)).toBeLessThan(1);
  });

  test('a morning that does not come passes the bar', () => {
    expect(play(4, noMorning)[3]).toBeGreaterThan(1);
  });

  test('better than usual is no trouble where trouble has one way to go', () => {
    expect(play(4, noMorning, 1)[3]).toBeLessThan(1);
    expect(play(4, noMorning, -1)[3]).toBeGreaterThan(1);
  });
});
