/** Centre and spread that a few wild values cannot move. Pure functions over plain arrays; none modifies its input. */

/** The q-quantile (0..1) with linear interpolation between order statistics (type 7); NaN for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return quantileOfSorted(sorted, q);
}

export function quantileOfSorted(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low + (high - low) * (position - below);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** 1 / Phi^-1(3/4): makes the median absolute deviation an estimate of a normal standard deviation. */
const MAD_TO_SIGMA = 1.4826;
/** 2 * Phi^-1(3/4): the same for the interquartile range. */
const IQR_TO_SIGMA = 1.349;

/** Robust standard deviation: scaled MAD, or the scaled interquartile range where more than half the values are equal. */
export function robustScale(values: readonly number[]): number {
  const centre = median(values);
  const mad = median(values.map((value) => Math.abs(value - centre)));
  if (mad > 0) return mad * MAD_TO_SIGMA;
  return (quantile(values, 0.75) - quantile(values, 0.25)) / IQR_TO_SIGMA;
}
