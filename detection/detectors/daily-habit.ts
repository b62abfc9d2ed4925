/** What a series does every day at this hour is no anomaly, however odd: nightly batches, morning peaks. Plain JSON. */
import { HOUR_MS, HOURS_A_DAY } from './seasonal-baseline.ts';

/** Two days back, and an hour to either side. */
const KEPT_HOURS = 2 * HOURS_A_DAY + 2;
/** How much of what both days showed is excused: from 0.25 to 0.5 judge alike, all of it would hide what lasts for days. */
const EXCUSED_SHARE = 0.5;

/** State; 50 numbers. */
export interface DailyHabit {
  /** Hours since 1970 of the newest value; -1 before there is one. */
  hour: number;
  /** Greatest strength of each of the last hours, by hour modulo their number. */
  readonly strengths: number[];
}

export function newDailyHabit(): DailyHabit {
  return { hour: -1, strengths: new Array<number>(KEPT_HOURS).fill(0) };
}

/** What remains of a strength when what yesterday and the day before both showed around this hour is excused; learns it. */
export function excuseHabit(habit: DailyHabit, atMs: number, strength: number): number {
  return Math.max(0, strength - EXCUSED_SHARE * noteHabit(habit, atMs, strength));
}

/** Learns a strength; what yesterday and the day before both showed around this hour. */
export function noteHabit(habit: DailyHabit, atMs: number, strength: number): number {
  const hour = Math.floor(atMs / HOUR_MS);
  const skipped = Math.min(KEPT_HOURS, habit.hour < 0 ? 0 : hour - habit.hour);
  for (let back = 0; back < skipped; back++) habit.strengths[(hour - back) % KEPT_HOURS] = 0;
  habit.hour = Math.max(habit.hour, hour);
  const usual = Math.min(around(habit, hour - HOURS_A_DAY), around(habit, hour - 2 * HOURS_A_DAY));
  habit.strengths[hour % KEPT_HOURS] = Math.max(habit.strengths[hour % KEPT_HOURS] ?? 0, strength);
  return usual;
}

function around({ strengths }: DailyHabit, hour: number): number {
  const at = (index: number) => strengths[(index + KEPT_HOURS) % KEPT_HOURS] ?? 0;
  return Math.max(at(hour - 1), at(hour), at(hour + 1));
}
