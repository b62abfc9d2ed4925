/** How sure a share of few cases is: Wilson's score interval (JASA 22, 1927), which stays inside 0..100 and is honest at the ends. */

/** The normal distribution's two-sided 95 % quantile. */
const Z = 1.959964;

/** 95 % interval of `hits` of `count`, in percent; everything is possible where nothing was counted. */
export function wilsonInterval(hits: number, count: number): { readonly low: number; readonly high: number } {
  if (count === 0) return { low: 0, high: 100 };
  const share = hits / count;
  const spread = Z * Math.sqrt((share * (1 - share)) / count + Z ** 2 / (4 * count ** 2));
  const middle = share + Z ** 2 / (2 * count);
  const scale = 1 + Z ** 2 / count;
  // At the ends the bound is exact; rounding of the roots is not.
  const low = hits === 0 ? 0 : (middle - spread) / scale;
  const high = hits === count ? 1 : (middle + spread) / scale;
  return { low: 100 * low, high: 100 * high };
}
