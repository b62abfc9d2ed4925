import { expect, test } from 'vitest';
import { expectedAt, HOUR_MS, hourOfDay, learnSeason, newSeasonalBaseline } from './seasonal-baseline.ts';

const MONDAY_MS = Date.UTC(2024, 0, 1);
const at = (day: number, hour: number, quarter = 0) => MONDAY_MS + (24 * day + hour + quarter / 4) * HOUR_MS;

function learnDays(days: number, valueAt: (day: number, hour: number) => number) {
  const baseline = newSeasonalBaseline();
  for (let day = 0; day < days; day++)
    for (let hour = 0; hour < 24; hour++)
      for (let quarter = 0; quarter < 4; quarter++) learnSeason(baseline, at(day, hour, quarter), valueAt(day, hour));
  return baseline;
}

test('expects what this hour of the day usually is, and nothing of an hour not seen yet', () => {
  const baseline = newSeasonalBaseline();
  for (const value of [10, 11, 12]) learnSeason(baseline, at(0, 9), value);
  expect(expectedAt(baseline, at(1, 9, 3))).toBeCloseTo(11, 12);
  expect(expectedAt(baseline, at(1, 10))).toBeUndefined();
  expect(hourOfDay(at(3, 17, 2))).toBe(17);
});

test('workdays and weekends part once that is the better guess', () => {
  const isWeekend = (day: number) => day % 7 >= 5;
  const baseline = learnDays(21, (day, hour) => (isWeekend(day) ? 5 : 5 + 10 * hour));
  expect(expectedAt(baseline, at(21, 20))).toBeCloseTo(205, 6);
  expect(expectedAt(baseline, at(26, 20))).toBeCloseTo(5, 6);
});

test('follows a change of level within days, and is kept as JSON', () => {
  const baseline = learnDays(14, () => 10);
  const kept: typeof baseline = JSON.parse(JSON.stringify(baseline));
  for (let day = 14; day < 74; day++)
    for (let quarter = 0; quarter < 4; quarter++) learnSeason(kept, at(day, 3, quarter), 50);
  expect(expectedAt(kept, at(74, 3))).toBeGreaterThan(45);
  expect(expectedAt(kept, at(74, 4))).toBeCloseTo(10, 6);
});
