/** How far a count is beyond what was expected of it, in standard errors that hold for counts of one as for thousands. Pure. */

/** What is expected of a count. */
export interface CountRange {
  readonly expected: number;
  /** Of the count: chance, how much wider than chance the past was, and how little is known of the expectation. */
  readonly variance: number;
}

/**
 * The signed root of the likelihood ratio of a Poisson count, narrowed by as much as the variance is wider; 0 where it is not beyond.
 * One of the lines is anybody's accident, and does not count.
 */
export function excessScore(lines: number, { expected, variance }: CountRange): number {
  const seen = lines - 1;
  if (seen <= expected || expected <= 0 || variance <= 0) return 0;
  const ratio = 2 * (seen * Math.log(seen / expected) - (seen - expected));
  return Math.sqrt((ratio * expected) / Math.max(expected, variance));
}

/** The count of which the score is the one given. */
export function countAt(score: number, range: CountRange): number {
  let low = range.expected;
  let high = 2 + 2 * range.expected;
  while (excessScore(high, range) < score) [low, high] = [high, high * 2];
  for (let halving = 0; halving < 20; halving++) {
    const middle = (low + high) / 2;
    if (excessScore(middle, range) < score) low = middle;
    else high = middle;
  }
  return high;
}

/** The same for lines that did not come at all: -log of the chance of none, as standard errors. */
export function absenceScore(missed: number, dispersion: number): number {
  return Math.sqrt((2 * missed) / dispersion);
}
