/**
 * The Numenta Anomaly Benchmark: every series goes value by value through detection's detector of single series, with
 * its one bar. Beside NAB's three scores stand what other bars would have given, and what a bar is worth on unseen series.
 */
import { judgeValue, newSeriesState, RAISE_LIKELIHOOD } from '../detection/detectors/series-detector.ts';
import { type NabFile, readNabFiles, readNabWindows, windowsOfRows } from './datasets/nab.ts';
import { crossValidate } from './scorers/cross-validate.ts';
import {
  NAB_PROFILES,
  type NabFileScore,
  type NabProfile,
  type NabSeries,
  normaliseNab,
  scoreNab,
} from './scorers/nab-score.ts';
import type { FileSuite, Scored } from './suite.ts';
import type { UnpackedDataset } from './unpack-dataset.ts';

export interface NabPrediction {
  /** Relative to `data/`. */
  readonly file: string;
  /** A score of at least this is a detection; the same for every file. */
  readonly threshold: number;
  /** One in 0..1 for each row, made from the rows up to it. */
  readonly scores: readonly number[];
}

/** Bars that the product's own is compared with. */
const BARS = [0.8, 0.82, 0.84, 0.86, 0.87, 0.88, 0.89, 0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.98];

/** What others published (standard, reward_low_FP, reward_low_FN) on the dev part, their bars chosen on the whole corpus. */
const PUBLISHED: readonly (readonly [who: string, ...scores: number[]])[] = [
  ['ARTime', 71.64, 62.1, 77.11],
  ['Numenta HTM', 67.99, 63.05, 72.19],
  ['contextOSE', 67.02, 64.51, 71.14],
  ['randomCutForest', 52.83, 41.94, 61.57],
  ['windowedGaussian', 44.51, 28.69, 51.56],
];

export const nabSuite: FileSuite<NabPrediction> = {
  source: 'files',
  predict: ({ partDir }, only) => readNabFiles(partDir, only).map((file) => predictNab(file, RAISE_LIKELIHOOD)),
  score: scorePredictions,
};

/** A row that is not raised although it is abnormal (the same anomaly going on) scores just below the bar. */
export function predictNab({ file, rows }: NabFile, bar: number): NabPrediction {
  const state = newSeriesState();
  const scores = rows.map(({ atMs, value }) => {
    if (!Number.isFinite(value)) return 0;
    const { likelihood, isRaised } = judgeValue(state, atMs, value, bar);
    const score = isRaised ? Math.max(bar, likelihood) : Math.min(0.99 * bar, likelihood);
    return Number(score.toFixed(6));
  });
  return { file, threshold: bar, scores };
}

function scorePredictions(data: UnpackedDataset, predictions: readonly NabPrediction[]): Scored | undefined {
  if (data.labelsPath === undefined) return undefined;
  const windows = readNabWindows(data.labelsPath);
  const files = new Map(readNabFiles(data.partDir, '').map((file) => [file.file, file]));
  const corpus = predictions.map(({ file, scores }): NabSeries => {
    return { file, scores, windows: windowsOfRows(files.get(file)?.rows ?? [], windows[file]) };
  });
  const threshold = predictions[0]?.threshold ?? RAISE_LIKELIHOOD;
  const byBar = BARS.map((bar) =>
    corpus.map((series) => ({ ...series, scores: scoresAt(files.get(series.file), bar) })),
  );
  const profiles = Object.entries(NAB_PROFILES).map(([name, profile]) => {
    const { normalised, files: rows } = scoreNab(corpus, threshold, profile);
    return { name, normalised, files: rows, ...otherBars(byBar, profile) };
  });
  const perFile = profiles[0]?.files ?? [];
  return {
    score: { threshold, profiles: profiles.map(({ files: _, ...profile }) => profile), files: perFile },
    text: describe(threshold, profiles, perFile),
  };
}

function scoresAt(file: NabFile | undefined, bar: number): readonly number[] {
  return file ? predictNab(file, bar).scores : [];
}

interface OtherBars {
  readonly bars: readonly { readonly bar: number; readonly normalised: number }[];
  /** Bar chosen on half of the series, scored on the other half. */
  readonly crossValidated: number;
}

function otherBars(byBar: readonly (readonly NabSeries[])[], profile: NabProfile): OtherBars {
  const scored = byBar.map((corpus, index) => scoreNab(corpus, BARS[index] ?? 1, profile));
  const crossValidated = crossValidate(
    scored.map(({ files }) => files.map(({ raw }) => raw)),
    (bar, cases) =>
      normaliseNab(
        cases.flatMap((index) => scored[bar]?.files[index] ?? []),
        profile,
      ),
  );
  return { bars: scored.map(({ normalised }, index) => ({ bar: BARS[index] ?? 1, normalised })), crossValidated };
}

interface ProfileScore extends OtherBars {
  readonly name: string;
  readonly normalised: number;
}

function describe(threshold: number, profiles: readonly ProfileScore[], files: readonly NabFileScore[]): string {
  const cells = (numbers: readonly number[]) => numbers.map((value) => value.toFixed(1).padStart(15)).join('');
  const row = (label: string, pick: (profile: ProfileScore) => number) =>
    `${label.padEnd(34)}${cells(profiles.map(pick))}`;
  const total = (pick: (file: NabFileScore) => number) => files.reduce((sum, file) => sum + pick(file), 0);
  return [
    `${'file'.padEnd(62)}found  false    raw`,
    ...files.map(
      ({ file, windows, found, falseDetections, raw }) =>
        `${file.padEnd(62)}${`${found}/${windows}`.padStart(5)}${String(falseDetections).padStart(7)}${raw.toFixed(2).padStart(7)}`,
    ),
    `${'all'.padEnd(62)}${`${total(({ found }) => found)}/${total(({ windows }) => windows)}`.padStart(5)}${String(total(({ falseDetections }) => falseDetections)).padStart(7)}`,
    '',
    `${'score'.padEnd(34)}${profiles.map(({ name }) => name.padStart(15)).join('')}`,
    row(`the product's bar, ${threshold}`, ({ normalised }) => normalised),
    row('bar from one half, on the other', ({ crossValidated }) => crossValidated),
    ...BARS.map((bar, index) => row(`  bar ${bar}`, ({ bars }) => bars[index]?.normalised ?? 0)),
    'published, dev part',
    ...PUBLISHED.map(([who, ...scores]) => `${`  ${who}`.padEnd(34)}${cells(scores)}`),
  ].join('\n');
}
