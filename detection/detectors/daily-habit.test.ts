import { expect, test } from 'vitest';
import { excuseHabit, newDailyHabit } from './daily-habit.ts';
import { HOUR_MS } from './seasonal-baseline.ts';

const at = (day: number, hour: number) => Date.UTC(2024, 0, 1) + (24 * day + hour) * HOUR_MS;

test('what both of the last two days showed around this hour is half excused, once is not enough', () => {
  const habit = newDailyHabit();
  expect(excuseHabit(habit, at(0, 3), 8)).toBe(8);
  expect(excuseHabit(habit, at(1, 4), 6)).toBe(6);
  expect(excuseHabit(habit, at(2, 3), 8)).toBe(5); // less half of the 6 that both showed
  expect(excuseHabit(habit, at(2, 12), 8)).toBe(8);
});

test('worse than usual is not excused away; a day without it and the excuse is gone', () => {
  const habit = newDailyHabit();
  for (let day = 0; day < 5; day++) excuseHabit(habit, at(day, 3), 8);
  expect(excuseHabit(habit, at(5, 3), 20)).toBe(16);
  expect(excuseHabit(habit, at(7, 3), 8)).toBe(8);
  expect(excuseHabit(habit, at(90, 3), 1)).toBe(1);
});

test('values out of order by an hour (clocks turned back) are taken as they come', () => {
  const habit = newDailyHabit();
  excuseHabit(habit, at(0, 3), 4);
  expect(excuseHabit(habit, at(0, 2), 5)).toBe(5);
  excuseHabit(habit, at(1, 2), 6);
  expect(excuseHabit(habit, at(2, 2), 6)).toBe(3.5);
});
