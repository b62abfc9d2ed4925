/**
 * Judges a series by what it has been for days (series-detector.ts): off its hour, its level, its rhythm. Only what lives for
 * days can be judged so: a pod's series ends with the next deploy.
 */
import { judgeValue, type SeriesState } from './series-detector.ts';

/**
 * Summed rarity at which a minute passes the bar: quiet simulated series do so once a week (at 9 every other day, at 13 every other
 * week). Below it nothing is whispered: what is half as rare comes every hour.
 */
const RARE = 11;
/** Two days of minutes: before them no hour has been seen twice. */
const LEAST_COUNT = 2_880;

/** How many times the bar is passed, at least once; 0: not, too little is known, or it is better than usual. Learns. */
export function judgeSeason(state: SeriesState, atMs: number, value: number, worse: 1 | -1 | undefined): number {
  const { strength, expected } = judgeValue(state, atMs, value);
  if (state.rarity.count < LEAST_COUNT) return 0;
  const isBetter = worse !== undefined && expected !== undefined && (value - expected) * worse <= 0;
  return isBetter || strength < RARE ? 0 : strength / RARE;
}
