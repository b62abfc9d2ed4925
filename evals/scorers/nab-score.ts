/**
 * The score of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015; nab/sweeper.py of NAB 1.1): early detections inside a
 * labelled window earn, missed windows and detections outside cost, and 0 and 100 are the null and the perfect detector.
 */
import { InvariantError } from '../../platform/errors.ts';

export interface NabProfile {
  readonly tpWeight: number;
  readonly fnWeight: number;
  readonly fpWeight: number;
}

export const NAB_PROFILES = {
  standard: { tpWeight: 1, fnWeight: 1, fpWeight: 0.11 },
  reward_low_FP: { tpWeight: 1, fnWeight: 1, fpWeight: 0.22 },
  reward_low_FN: { tpWeight: 1, fnWeight: 2, fpWeight: 0.11 },
} as const satisfies Record<string, NabProfile>;

export interface NabSeries {
  readonly file: string;
  /** One in 0..1 for each row. */
  readonly scores: readonly number[];
  /** Row indices [first, last], both inside; in time order, without overlap. */
  readonly windows: readonly (readonly [first: number, last: number])[];
}

export interface NabFileScore {
  readonly file: string;
  readonly windows: number;
  readonly found: number;
  /** Detections outside every window. */
  readonly falseDetections: number;
  readonly raw: number;
}

/** Rows at the start that are never scored: 15 %, at most 750. */
export function probationRows(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 750);
}

/** 1 where y is far below 0 and -1 far above it; -0.987 is a whole window too late. */
function sigmoid(y: number): number {
  return y > 3 ? -1 : 2 / (1 + Math.exp(5 * y)) - 1;
}

/** Raw score of one series when every row with a score of at least `threshold` is a detection. */
export function scoreNabSeries(series: NabSeries, threshold: number, profile: NabProfile): NabFileScore {
  const { file, scores, windows } = series;
  const best = windows.map((): number | undefined => undefined);
  let next = 0;
  let falseDetections = 0;
  let falseCost = 0;
  for (let row = probationRows(scores.length); row < scores.length; row++) {
    if ((scores[row] ?? 0) < threshold) continue;
    while (next < windows.length && row > lastRow(windows, next)) next++;
    const [first, last] = windows[next] ?? [Number.POSITIVE_INFINITY, 0];
    if (row >= first) {
      const earned = sigmoid(-(last - row + 1) / (last - first + 1)) / sigmoid(-1);
      best[next] = Math.max(best[next] ?? Number.NEGATIVE_INFINITY, earned);
    } else {
      falseDetections++;
      falseCost += sinceWindow(row, windows[next - 1]);
    }
  }
  const hits = best.filter((earned) => earned !== undefined);
  const earned = hits.reduce((sum, value) => sum + value, 0);
  const raw =
    profile.tpWeight * earned - profile.fnWeight * (windows.length - hits.length) + profile.fpWeight * falseCost;
  return { file, windows: windows.length, found: hits.length, falseDetections, raw };
}

function lastRow(windows: NabSeries['windows'], index: number): number {
  return windows[index]?.[1] ?? Number.POSITIVE_INFINITY;
}

/** A detection soon after a window costs less than one far from any; 0 to -1. */
function sinceWindow(row: number, previous: readonly [number, number] | undefined): number {
  if (previous === undefined) return -1;
  const [first, last] = previous;
  return sigmoid((row - last) / Math.max(1, last - first));
}

export interface NabScore {
  /** 0 is the null detector, 100 the perfect one; worse than null is negative. */
  readonly normalised: number;
  readonly files: readonly NabFileScore[];
}

/** Throws InvariantError when no series has a window: then nothing can be normalised. */
export function scoreNab(corpus: readonly NabSeries[], threshold: number, profile: NabProfile): NabScore {
  const files = corpus.map((series) => scoreNabSeries(series, threshold, profile));
  const windows = files.reduce((sum, file) => sum + file.windows, 0);
  if (windows === 0) throw new InvariantError('NAB cannot score series without a single labelled window');
  return { normalised: normaliseNab(files, profile), files };
}

/** Raw scores of some series on the scale 0 (nothing found, nothing raised) to 100 (every window at its first row). */
export function normaliseNab(files: readonly NabFileScore[], { tpWeight, fnWeight }: NabProfile): number {
  const raw = files.reduce((sum, file) => sum + file.raw, 0);
  const windows = files.reduce((sum, file) => sum + file.windows, 0);
  return (100 * (raw + fnWeight * windows)) / ((tpWeight + fnWeight) * windows);
}
