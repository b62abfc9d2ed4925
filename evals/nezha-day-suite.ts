/**
 * Days of real metrics with injected faults, replayed in order through the real ingest path and the real scanner: which faults an
 * incident was opened for, how soon, and how many incidents were opened for nothing.
 */
import { readFileSync } from 'node:fs';
import { formatDay, formatInstant } from '../domain/time-window.ts';
import { InputError } from '../platform/errors.ts';
import { listNezhaDays, type NezhaDay } from './datasets/nezha.ts';
import { nezhaLabelsSchema } from './datasets/nezha-labels.ts';
import { withDetectionRun } from './detect-incidents.ts';
import { describeDays, type LabelledFault, type ReplayedDay, scoreDays } from './scorers/score-days.ts';
import type { DetectionSuite, DetectionSuiteOptions, Scored } from './suite.ts';
import type { UnpackedDataset } from './unpack-dataset.ts';

export interface DayPrediction {
  readonly dataset: string;
  readonly onset_utc: string;
  readonly opened_utc: string;
  /** The most affected first. */
  readonly services: readonly string[];
}

const MINUTE_MS = 60_000;
/** Telemetry that comes in between two looks: the scanner catches up in event time. */
const LOOK_MS = 10 * MINUTE_MS;
/** After the last row, so that its minute is judged. */
const AFTER_MS = 3 * MINUTE_MS;

export const nezhaDaySuite: DetectionSuite<DayPrediction> = {
  source: 'detection',
  needsData: true,
  predict: async (options) => {
    const predictions: DayPrediction[] = [];
    for (const data of options.data) predictions.push(...(await predictDataset(data, options)));
    return predictions;
  },
  score: scorePredictions,
};

async function predictDataset(data: UnpackedDataset, options: DetectionSuiteOptions): Promise<DayPrediction[]> {
  const { only, note, signal } = options;
  const predictions: DayPrediction[] = [];
  for (const day of daysOf(data).filter((each) => `${data.name} ${each.day}`.includes(only))) {
    signal.throwIfAborted();
    const incidents = await replayDay(data.name, day, options);
    note(`${data.name} ${day.day}: ${incidents.length} incidents`);
    predictions.push(...incidents);
  }
  return predictions;
}

function daysOf({ partDir, commonDir, name }: UnpackedDataset): NezhaDay[] {
  if (commonDir === undefined) throw new InputError(`${name} needs common/data.tar.zst beside the part.`);
  return listNezhaDays(partDir, commonDir);
}

function replayDay(
  dataset: string,
  { startMs, endMs, metricsWithin }: NezhaDay,
  { without, signal }: DetectionSuiteOptions,
): Promise<DayPrediction[]> {
  return withDetectionRun({ startMs, without, signal }, async (run) => {
    for (let fromMs = startMs; fromMs < endMs + AFTER_MS; fromMs += LOOK_MS) {
      await run.advance(fromMs + LOOK_MS, metricsWithin(fromMs, fromMs + LOOK_MS));
    }
    const courses = await run.listCourses();
    return courses.map(({ onsetMs, openedAtMs, mostAffected, services }) => ({
      dataset,
      onset_utc: formatInstant(onsetMs),
      opened_utc: formatInstant(openedAtMs),
      services: [...new Set([mostAffected, ...services.map(({ service }) => service)])],
    }));
  });
}

function scorePredictions(predictions: readonly DayPrediction[], data: readonly UnpackedDataset[]): Scored | undefined {
  const days = data.flatMap((each): ReplayedDay[] => {
    if (each.labelsPath === undefined) return [];
    const faults = readFaults(each.labelsPath);
    const incidents = predictions
      .filter(({ dataset }) => dataset === each.name)
      .map(({ onset_utc, opened_utc, services }) => ({
        onsetMs: Date.parse(onset_utc),
        openedMs: Date.parse(opened_utc),
        services,
      }));
    return daysOf(each).map(({ day }) => ({
      name: `${each.name} ${day}`,
      faults: faults.filter(({ injectMs }) => formatDay(injectMs) === day),
      incidents: incidents.filter(({ onsetMs }) => formatDay(onsetMs) === day),
    }));
  });
  if (days.length === 0) return undefined;
  const score = scoreDays(days);
  return { score, text: describeDays(score) };
}

function readFaults(labelsPath: string): LabelledFault[] {
  return nezhaLabelsSchema.parse(JSON.parse(readFileSync(labelsPath, 'utf8'))).map(({ caseId, ...truth }) => ({
    ...truth,
    faultId: caseId,
    isDefect: truth.faultType === 'return' || truth.faultType === 'exception',
  }));
}
