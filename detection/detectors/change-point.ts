/**
 * Whether a series has moved to another level and stayed there. Works on distances from what was normal (see series-recent.ts), so
 * that one bar holds for every series. Plain JSON, constant memory.
 */

/** Values that make a level: two in a row are no accident, and three minutes of trouble are found while they last. */
const LEVEL_POINTS = 2;

/** State; the newest distances, the oldest first. */
export type NewestDistances = number[];

/** How far all of the newest values are out on one side, with its sign; 0 where they are not on one side. Learns the distance. */
export function judgeLevel(newest: NewestDistances, distance: number): number {
  newest.push(distance);
  if (newest.length > LEVEL_POINTS) newest.shift();
  if (newest.length < LEVEL_POINTS) return 0;
  const [low, high] = [Math.min(...newest), Math.max(...newest)];
  return low > 0 ? low : Math.min(0, high);
}
