/** Watches every metric series by the minute (see detectors/series-judge.ts): reads finished minutes, keeps the states. */
import type { DetectorState } from '../clickhouse/detector-states.ts';
import type { MetricMinuteReader, MetricMinuteRow } from '../clickhouse/read-metric-minutes.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Logger } from '../platform/logger.ts';
import { createSeriesJudge, type MetricPoint, type WatchedSeries } from './detectors/series-judge.ts';
import type { Watch, WatchedStep } from './watch.ts';

export interface SeriesWatchParts {
  readonly telemetry: MetricMinuteReader;
  readonly logger: Logger;
  readonly without?: ReadonlySet<string> | undefined;
}

const NAME = 'metrics';
const STATE_VERSION = 1;
const STEP_MS = 60_000;
/** Collectors export every few seconds to every minute; what comes later is judged when it comes. */
const LATENESS_MS = 15_000;
const MAX_SERIES = 100_000;
const READ_TIMEOUT_MS = 20_000;

interface SavedSeries {
  readonly version: number;
  readonly watched: WatchedSeries;
  readonly minutes: number;
}

export function createSeriesWatch({ telemetry, logger, without = new Set<string>() }: SeriesWatchParts): Watch {
  const judge = createSeriesJudge(without);
  /** End of what was judged. */
  let judgedToMs = 0;
  const savedToMs = new Map<string, number>();

  async function observe(window: TimeWindow, signal: AbortSignal): Promise<WatchedStep[]> {
    const bounds = { maxRows: MAX_SERIES, timeoutMs: READ_TIMEOUT_MS, signal };
    const { rows } = await telemetry.readMinutes({ window }, bounds);
    const byMinute = pointsByMinute(rows);
    const steps: WatchedStep[] = [];
    for (let atMs = window.startMs; atMs < window.endMs; atMs += STEP_MS) {
      const points = byMinute.get(atMs) ?? [];
      const isLate = atMs < judgedToMs;
      const its = isLate ? points.filter((point) => judge.isNew(atMs, point)) : points;
      if (isLate && its.length === 0) continue;
      steps.push({ window: { startMs: atMs, endMs: atMs + STEP_MS }, judge: () => judgeStep(atMs, its) });
    }
    return steps;
  }

  function judgeStep(atMs: number, points: readonly MetricPoint[]) {
    judgedToMs = Math.max(judgedToMs, atMs + STEP_MS);
    return judge.judge(atMs, points);
  }

  function restoreOne({ key, state }: DetectorState): void {
    const { version, watched, minutes } = JSON.parse(state) as SavedSeries;
    if (version !== STATE_VERSION) return;
    judge.restore(key, watched, minutes);
    savedToMs.set(key, watched.learnedToMs);
    judgedToMs = Math.max(judgedToMs, watched.learnedToMs);
  }

  return {
    name: NAME,
    stepMs: STEP_MS,
    latenessMs: LATENESS_MS,
    observe,
    save: (limit) => {
      for (const key of savedToMs.keys()) if (!judge.series.has(key)) savedToMs.delete(key);
      const due = [...judge.series]
        .filter(([key, { learnedToMs }]) => learnedToMs > (savedToMs.get(key) ?? 0))
        .sort(([one], [other]) => (savedToMs.get(one) ?? 0) - (savedToMs.get(other) ?? 0));
      return due.slice(0, limit).map(([key, watched]) => {
        savedToMs.set(key, watched.learnedToMs);
        const saved: SavedSeries = { version: STATE_VERSION, watched, minutes: judge.minutesOf(serviceOf(key)) };
        return { watch: NAME, key, learnedToMs: watched.learnedToMs, state: JSON.stringify(saved) };
      });
    },
    restore: (states) => {
      for (const state of states) restoreOne(state);
      logger.debug({ series: judge.series.size }, 'metric series go on from where they were left');
    },
  };
}

function serviceOf(key: string): string {
  const [, service = ''] = JSON.parse(key) as string[];
  return service;
}

function pointsByMinute(rows: readonly MetricMinuteRow[]): Map<number, MetricPoint[]> {
  const byMinute = new Map<number, MetricPoint[]>();
  for (const { atMs, means, lasts, ...series } of rows) {
    for (const [index, minuteMs] of atMs.entries()) {
      const points = byMinute.get(minuteMs) ?? [];
      byMinute.set(minuteMs, points);
      points.push({ ...series, mean: means[index] ?? 0, last: lasts[index] ?? 0 });
    }
  }
  return byMinute;
}
