/**
 * Takes out of what is abnormal at a moment what is usual at that hour, and tells the rest what to expect of it. Baselines are read once
 * an hour for each series that was ever abnormal in it; without them nothing is taken out.
 */
import type { BaselineReader } from '../clickhouse/read-baselines.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import { BASELINE_KINDS, type SeriesBaseline } from '../domain/baseline.ts';
import { type SeriesName, seriesKey } from '../domain/series-name.ts';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { baselineNameOf, isUsual, withSeason } from './seasonal-range.ts';

export interface SeasonParts {
  readonly baselines: Pick<BaselineReader, 'read'>;
  readonly logger: Logger;
}

export interface Season {
  /** In the same order. Never rejects, except when the signal aborts. */
  refine(anomalies: readonly Anomaly[], atMs: number, signal: AbortSignal): Promise<Anomaly[]>;
}

const HOUR_MS = 3_600_000;
/** Looked up at a time: a storm's first ones; the others come through as they are until then. */
const MAX_SERIES = 500;
const READ_TIMEOUT_MS = 5_000;
const KINDS: ReadonlySet<string> = new Set(BASELINE_KINDS);

export function createSeason({ baselines, logger }: SeasonParts): Season {
  let hour = -1;
  /** By seriesKey, of that hour. */
  const known = new Map<string, SeriesBaseline | undefined>();

  function findUnknown(anomalies: readonly Anomaly[], atMs: number): SeriesName[] {
    const thisHour = Math.floor(atMs / HOUR_MS);
    if (thisHour !== hour) known.clear();
    hour = thisHour;
    const names = new Map(anomalies.map(baselineNameOf).map((name) => [seriesKey(name), name]));
    const unknown = [...names].filter(([key, { kind }]) => KINDS.has(kind) && !known.has(key));
    return unknown.slice(0, MAX_SERIES).map(([, name]) => name);
  }

  async function learn(series: readonly SeriesName[], atMs: number, signal: AbortSignal): Promise<void> {
    for (const name of series) known.set(seriesKey(name), undefined);
    try {
      const bounds = { maxRows: MAX_SERIES, timeoutMs: READ_TIMEOUT_MS, signal };
      const { rows } = await baselines.read({ atMs, series }, bounds);
      for (const baseline of rows) known.set(seriesKey(baseline.series), baseline);
    } catch (error) {
      signal.throwIfAborted();
      logger.warn(
        { reason: errorMessage(error) },
        'what is usual at this hour is not known now: nothing is taken for it',
      );
    }
  }

  return {
    refine: async (anomalies, atMs, signal) => {
      const unknown = findUnknown(anomalies, atMs);
      if (unknown.length > 0) await learn(unknown, atMs, signal);
      return anomalies.flatMap((anomaly) => {
        const baseline = known.get(seriesKey(baselineNameOf(anomaly)));
        return isUsual(anomaly, baseline) ? [] : [withSeason(anomaly, baseline)];
      });
    },
  };
}
