/** How surprising an observation is against normal time, and what that is worth as evidence. */

/**
 * Conformal p-value: the share of calibration values at least as extreme as the observed one, counting the observed one itself
 * (Vovk et al., Algorithmic Learning in a Random World, 2005). Never 0: with n values nothing is rarer than 1 / (n + 1).
 */
export function upperTail(calibration: readonly number[], observed: number): number {
  const asExtreme = calibration.filter((value) => value >= observed).length;
  return (asExtreme + 1) / (calibration.length + 1);
}

/** Strength 0..1 of a deviation in robust scales: 0.5 at `halfAt`, towards 1 beyond; 0 at or below zero. Saturates slowly so
 *  that one measure with a tiny spread cannot drown the others. */
export function strengthOfDeviation(deviation: number, halfAt: number): number {
  if (!(deviation > 0)) return 0;
  return deviation / (deviation + halfAt);
}

/**
 * Poisson-like deviation of a count from its expectation, in scales of its own noise, with a floor that keeps tiny counts
 * quiet (variance-stabilising square-root transform, Anscombe 1948).
 */
export function countDeviation(observed: number, expected: number): number {
  return 2 * (Math.sqrt(observed + 0.375) - Math.sqrt(expected + 0.375));
}

/** z of the difference of two proportions, pooled, with one imaginary success and failure on each side (Agresti and Caffo, 2000). */
export function proportionDeviation(successes: number, trials: number, baseSuccesses: number, baseTrials: number): number {
  const share = (successes + 1) / (trials + 2);
  const baseShare = (baseSuccesses + 1) / (baseTrials + 2);
  const variance = (share * (1 - share)) / (trials + 2) + (baseShare * (1 - baseShare)) / (baseTrials + 2);
  return variance > 0 ? (share - baseShare) / Math.sqrt(variance) : 0;
}
