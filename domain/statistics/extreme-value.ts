/** A threshold from data instead of from a user: how far normal time can be expected to reach, given how far it has reached. */
import { quantileOfSorted } from './robust-scale.ts';

/** Share of the values that count as the tail. */
const TAIL_SHARE = 0.1;

/**
 * The value that normal time exceeds with probability `risk` per observation: peaks over threshold with an exponential tail
 * (Siffer et al., Anomaly Detection in Streams with Extreme Value Theory, KDD 2017, with shape 0: with tens of excesses an
 * estimated shape would be noise). Infinity for fewer than 20 values: too little is known to call anything abnormal.
 */
export function tailThreshold(values: readonly number[], risk: number): number {
  if (values.length < 20) return Number.POSITIVE_INFINITY;
  const sorted = [...values].sort((left, right) => left - right);
  const start = quantileOfSorted(sorted, 1 - TAIL_SHARE);
  const excesses = sorted.filter((value) => value > start).map((value) => value - start);
  if (excesses.length === 0) return start;
  const meanExcess = excesses.reduce((sum, excess) => sum + excess, 0) / excesses.length;
  return start + meanExcess * Math.log(excesses.length / (values.length * risk));
}
