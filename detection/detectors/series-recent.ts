/**
 * How far a value stands out of the newest values before it, in scales that a few wild values cannot move: what can be known of a
 * series after a quarter of an hour. Plain JSON, constant memory.
 */
import { quantileOfSorted } from '../../domain/statistics/robust-scale.ts';

/** Values that count as recent; from 30 to 60 judge alike, fewer take a trouble of minutes for normal. */
const RECENT_POINTS = 40;
/** With fewer nothing is known. */
const LEAST_POINTS = 8;
/** A spread taken from few values is itself uncertain: it counts as if so many more were missing. */
const DOUBT_POINTS = 3;
/** A change of so small a share of what is usual matters to nobody, however quiet the series; from 2 to 10 % judge alike. */
const LEAST_SCALE_SHARE = 0.05;
/** Steps of the last digits of a sum of floats. */
const DIGITS = 1e-9;
/** Further out is no further. */
const MOST_SCALES = 1000;
/** So far out is what differs at all from what never moved. */
const FROM_STILL = 40;

/** State; the newest values, the oldest first. */
export type RecentValues = number[];

export interface Standing {
  /** Signed distance from the median, in scales. */
  readonly z: number;
  readonly expected: number;
  /** What 1 % to 99 % of the recent values lie in, in normal noise: 2.3 scales to either side. */
  readonly range: readonly [low: number, high: number];
}

/**
 * Undefined where too little is known. The value is not learned.
 * @param leastScale what chance alone moves it by: 1 for a count of things that come one by one
 */
export function standingOf(recent: RecentValues, value: number, leastScale = 0): Standing | undefined {
  if (recent.length < LEAST_POINTS) return undefined;
  const sorted = [...recent].sort((left, right) => left - right);
  const expected = quantileOfSorted(sorted, 0.5);
  const scale = Math.max(leastScale, scaleOf(sorted, expected));
  const off = scale > 0 ? (value - expected) / scale : FROM_STILL * Math.sign(value - expected);
  const doubt = recent.length / (recent.length + DOUBT_POINTS);
  const z = Math.max(-MOST_SCALES, Math.min(MOST_SCALES, off)) * doubt;
  return { z, expected, range: [expected - 2.326 * scale, expected + 2.326 * scale] };
}

export function learnRecent(recent: RecentValues, value: number): void {
  recent.push(value);
  if (recent.length > RECENT_POINTS) recent.shift();
}

/**
 * The largest of the scales that normal noise would show in its middle half and between 5 % and 95 %: a series that is flat most
 * of the time and jumps at times is one that jumps.
 */
function scaleOf(sorted: readonly number[], centre: number): number {
  const middle = (quantileOfSorted(sorted, 0.75) - quantileOfSorted(sorted, 0.25)) / 1.349;
  const wide = (quantileOfSorted(sorted, 0.95) - quantileOfSorted(sorted, 0.05)) / 3.29;
  const largest = Math.max(Math.abs(sorted[0] ?? 0), Math.abs(sorted.at(-1) ?? 0));
  return Math.max(middle, wide, LEAST_SCALE_SHARE * Math.abs(centre), DIGITS * largest);
}
