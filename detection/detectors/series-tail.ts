/**
 * How rare it is for a series to stand out so far, from how far it stood out before: what jumps every hour has a long tail, and
 * an hourly jump is nothing. A few troubles in the past do not make the next one normal.
 */
import type { UpperTail } from '../../domain/statistics/upper-tail.ts';

/** Below this many values a series has no tail of its own. */
const LEAST_COUNT = 50;
const TAIL_SHARE = 0.1;
/** Tails of normal noise fall faster in logarithms; what seems to fall faster still has been seen too rarely. */
const LEAST_EXCESS = 1 / 6;

/**
 * -log10 of the chance to stand out by `z` scales or more; undefined while too little has been seen. The tail falls as a power of
 * z (Hill), which is an exponential tail of its logarithm; its rate is taken from the median excess instead of the mean one, so
 * that less than half of the tail may be troubles.
 * @param tail of logarithms of z
 */
export function standingRarity({ count, top }: UpperTail, z: number): number | undefined {
  if (count < LEAST_COUNT) return undefined;
  const length = Math.min(top.length, Math.floor(count * TAIL_SHARE));
  const base = top[length - 1] ?? 0;
  const excess = Math.log(z) - base;
  if (!(excess > 0)) return 0;
  const middle = ((top[Math.floor((length - 1) / 2)] ?? base) - base) / Math.LN2;
  return Math.log10(count / length) + (Math.LOG10E * excess) / Math.max(LEAST_EXCESS, middle);
}
