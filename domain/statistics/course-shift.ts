/** When a measured course left what it was before, by a step or by a climb, and how far: the beginning of it, not its peak. */
import { median } from './robust-scale.ts';

export type Course = readonly (readonly [atMs: number, value: number])[];

export interface CourseShift {
  readonly onsetMs: number;
  readonly before: number;
  /** The far end of what came after (its 90th percentile by distance). */
  readonly after: number;
  /** (after - before) in robust scales of what was before, signed. */
  readonly scales: number;
}

const LEAST_POINTS = 8;
const LEAST_SIDE = 3;
/** The split must explain so much of the course's variance. */
const LEAST_GAIN = 0.3;
const LEAST_SCALES = 6;
/** A change of less than this share of what was there does not matter, however steady it was. */
const LEAST_CHANGE = 0.15;

/**
 * Least-squares split into a level and a line (a step is a flat line, a leak a climbing one), by prefix sums in one pass; then
 * back to the first point that left the level for good. Undefined where nothing shifted.
 */
export function shiftOfCourse(course: Course): CourseShift | undefined {
  if (course.length < LEAST_POINTS) return undefined;
  const split = bestSplit(course.map(([, value]) => value));
  if (split === undefined) return undefined;
  const left = course.slice(0, split).map(([, value]) => value);
  const before = median(left);
  const spread = 1.4826 * median(left.map((value) => Math.abs(value - before)));
  const right = course.slice(split).map(([, value]) => value - before);
  const byDistance = [...right].sort((one, other) => Math.abs(one) - Math.abs(other));
  const change = byDistance[Math.floor(0.9 * (byDistance.length - 1))] ?? 0;
  const scale = Math.max(spread, 0.01 * Math.abs(before), 0.001 * Math.abs(change));
  const scales = scale > 0 ? change / scale : 0;
  if (Math.abs(scales) < LEAST_SCALES || Math.abs(change) < LEAST_CHANGE * Math.abs(before)) return undefined;
  const isOff = (index: number) => ((course[index]?.[1] ?? 0) - before) * Math.sign(change) > 3 * scale;
  let first = split;
  while (first > 1 && isOff(first - 1)) first--;
  while (first < course.length - 1 && !isOff(first)) first++;
  return { onsetMs: course[first]?.[0] ?? 0, before, after: before + change, scales };
}

function bestSplit(values: readonly number[]): number | undefined {
  const count = values.length;
  const sums = prefixSums(values);
  const total = levelError(sums, 0, count);
  let best: { split: number; error: number } | undefined;
  for (let split = LEAST_SIDE; split <= count - LEAST_SIDE; split++) {
    const error = levelError(sums, 0, split) + lineError(sums, split, count);
    if (error < (best?.error ?? Number.POSITIVE_INFINITY)) best = { split, error };
  }
  return best && total > 0 && 1 - best.error / total >= LEAST_GAIN ? best.split : undefined;
}

interface Sums {
  readonly value: Float64Array;
  readonly square: Float64Array;
  readonly timesIndex: Float64Array;
}

function prefixSums(values: readonly number[]): Sums {
  const size = values.length + 1;
  const sums = { value: new Float64Array(size), square: new Float64Array(size), timesIndex: new Float64Array(size) };
  // Around the first value, so that large levels do not drown small changes.
  const origin = values[0] ?? 0;
  values.forEach((raw, index) => {
    const value = raw - origin;
    sums.value[index + 1] = (sums.value[index] ?? 0) + value;
    sums.square[index + 1] = (sums.square[index] ?? 0) + value * value;
    sums.timesIndex[index + 1] = (sums.timesIndex[index] ?? 0) + value * index;
  });
  return sums;
}

function between(sums: Float64Array, from: number, to: number): number {
  return (sums[to] ?? 0) - (sums[from] ?? 0);
}

function levelError(sums: Sums, from: number, to: number): number {
  return between(sums.square, from, to) - between(sums.value, from, to) ** 2 / Math.max(1, to - from);
}

function lineError(sums: Sums, from: number, to: number): number {
  const count = to - from;
  const meanIndex = (from + to - 1) / 2;
  const indexVariance = (count * (count * count - 1)) / 12;
  const covariance = between(sums.timesIndex, from, to) - meanIndex * between(sums.value, from, to);
  return Math.max(0, levelError(sums, from, to) - (indexVariance > 0 ? covariance ** 2 / indexVariance : 0));
}
