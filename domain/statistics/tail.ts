/** How surprising an observation is against normal time. */

/** z of the difference of two proportions, pooled, with one imaginary success and failure on each side (Agresti and Caffo, 2000). */
export function proportionDeviation(
  successes: number,
  trials: number,
  baseSuccesses: number,
  baseTrials: number,
): number {
  const share = (successes + 1) / (trials + 2);
  const baseShare = (baseSuccesses + 1) / (baseTrials + 2);
  const variance = (share * (1 - share)) / (trials + 2) + (baseShare * (1 - baseShare)) / (baseTrials + 2);
  return variance > 0 ? (share - baseShare) / Math.sqrt(variance) : 0;
}

/** The chance that a Poisson count is at least so high, 0..1; a binomial one is still less likely to be. */
export function poissonTail(count: number, expected: number): number {
  if (count <= 0) return 1;
  if (count <= expected) return 1 - sumOfTerms(count - 1, expected, -1);
  return sumOfTerms(count, expected, 1);
}

/** Poisson probabilities from `count` on, away from the expectation, where each is smaller than the one before. */
function sumOfTerms(count: number, expected: number, step: 1 | -1): number {
  let logTerm = -expected;
  for (let below = 1; below <= count; below++) logTerm += Math.log(expected / below);
  let term = Math.exp(logTerm);
  let sum = 0;
  for (let at = count; at >= 0 && term > sum * 1e-15; at += step) {
    sum += term;
    term *= step > 0 ? expected / (at + 1) : at / expected;
  }
  return Math.min(1, sum);
}
