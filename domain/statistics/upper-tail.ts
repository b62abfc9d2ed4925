/** How rare a value is among all before it, from the largest few alone: constant memory, one pass, plain JSON. */

/** Largest values kept. Anything from 32 to 64 judges alike; fewer see only the last record, many see the bulk. */
const KEPT = 48;
/** Below this many values nothing is called rare: a tail of five or fewer extrapolates wildly. */
const LEAST_COUNT = 50;
/** Early on, all values would be among the largest: only this share of them is a tail. */
const TAIL_SHARE = 0.1;
const LEAST_TAIL = 5;
/** Beyond the largest value ever seen the tail is extrapolated, at most this many decades of chance. */
const MOST_EXTRAPOLATED = 6;

/** State; grows to 48 numbers. Built with `newUpperTail`, changed only by `observeInTail`. */
export interface UpperTail {
  count: number;
  /** The largest values seen, the largest first. */
  readonly top: number[];
}

export function newUpperTail(): UpperTail {
  return { count: 0, top: [] };
}

/**
 * -log10 of the chance that a value so large or larger comes, were it drawn like those seen before: its rank (a conformal
 * p-value; Laxhammar and Falkman 2010), continued beyond the largest by an exponential tail (peaks over threshold with shape
 * 0; Siffer et al. 2017). 0 for values outside the tail and while fewer than 50 have been seen. Looking does not count.
 */
export function tailRarity(tail: UpperTail, value: number): number {
  const { count, top } = tail;
  if (count < LEAST_COUNT) return 0;
  const length = lengthOf(tail);
  const base = top[length - 1] ?? 0;
  if (!(value > base)) return 0;
  const above = Math.min(length, countAtLeast(top, value));
  const ranked = Math.log10((count + 1) / (above + 1));
  if (above > 0) return ranked;
  const excess = meanExcess(tail, length);
  // Where the tail is one value over and over it has no scale to extrapolate by.
  if (excess <= 0) return ranked;
  const beyond = (value - (top[0] ?? 0)) / excess;
  return ranked + Math.min(MOST_EXTRAPOLATED, beyond * Math.LOG10E);
}

export function observeInTail(tail: UpperTail, value: number): void {
  tail.count++;
  const { top } = tail;
  if (top.length >= KEPT && value <= (top[KEPT - 1] ?? 0)) return;
  top.splice(countAtLeast(top, value), 0, value);
  if (top.length > KEPT) top.pop();
}

/** As if the values of both had been seen by one. */
export function mergeTails(one: UpperTail, other: UpperTail): UpperTail {
  const top = [...one.top, ...other.top].sort((left, right) => right - left).slice(0, KEPT);
  return { count: one.count + other.count, top };
}

/** How many of a falling sequence are at least `value`. */
function countAtLeast(falling: readonly number[], value: number): number {
  let low = 0;
  let high = falling.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((falling[middle] ?? 0) >= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The value that is passed with probability `risk` by one more like those seen: the same exponential tail, read the other way.
 * Infinity while fewer than 50 have been seen.
 */
export function tailBar(tail: UpperTail, risk: number): number {
  const { count, top } = tail;
  if (count < LEAST_COUNT) return Number.POSITIVE_INFINITY;
  const length = lengthOf(tail);
  return (top[length - 1] ?? 0) + meanExcess(tail, length) * Math.log(length / (count * risk));
}

/** How many of the largest values are the tail. */
function lengthOf({ count, top }: UpperTail): number {
  return Math.min(top.length, Math.max(LEAST_TAIL, Math.floor(count * TAIL_SHARE)));
}

/** Over the last value of the tail; 0 where it is one value over and over. */
function meanExcess({ top }: UpperTail, length: number): number {
  const base = top[length - 1] ?? 0;
  let excess = 0;
  for (let index = 0; index < length; index++) excess += (top[index] ?? 0) - base;
  return excess / length;
}
