/**
 * RED from rollups: calls into services, their errors and durations, for windows and series too long to read every span. Counts
 * are exact (entry spans, see span-sql.ts); durations are within 1 % of the true ones.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { entryCounts, MERGED_SKETCH, minuteParameters } from './rollup-sql.ts';

interface RedColumns {
  readonly calls: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface ServiceRedRow extends RedColumns {
  readonly service: string;
}

export interface MinuteRedRow extends RedColumns {
  /** Start of the minute; the first and last hold what the window takes of them. */
  readonly atMs: number;
}

export interface RedReader {
  /** Services with calls in the window, the busiest first, `maxRows` at the most. */
  byService(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<ServiceRedRow>>;
  /** One service by minute, in time order; minutes without calls have no row. Rejects with LimitError beyond `maxRows`. */
  byMinute(question: { service: string; window: TimeWindow }, bounds: Bounds): Promise<Reading<MinuteRedRow>>;
}

export function createRedReader(database: Pick<Database, 'read'>): RedReader {
  return {
    byService: ({ window }, bounds) =>
      database.read(
        BY_SERVICE,
        { ...minuteParameters(window), limit: bounds.maxRows },
        { tag: 'red.byService', ...bounds },
      ),
    byMinute: ({ service, window }, bounds) =>
      database.read(BY_MINUTE, { ...minuteParameters(window), service }, { tag: 'red.byMinute', ...bounds }),
  };
}

const FIGURES = `toFloat64(sum(Calls)) AS calls, toFloat64(sum(Errors)) AS errors, ${MERGED_SKETCH} AS quantiles,
  quantiles[1] AS p50Ms, quantiles[2] AS p95Ms, quantiles[3] AS p99Ms`;
const COLUMNS = 'calls, errors, p50Ms, p95Ms, p99Ms';

/** Minutes play no part: raw rows are all of one. */
const BY_SERVICE = `
SELECT service, ${COLUMNS}
FROM (
  SELECT ServiceName AS service, ${FIGURES}
  FROM (${entryCounts('true', 'toDateTime(0)')}
  )
  GROUP BY service
)
ORDER BY calls DESC, service
LIMIT {limit:UInt32}`;

const BY_MINUTE = `
SELECT toFloat64(toUnixTimestamp(Time)) * 1000 AS atMs, ${COLUMNS}
FROM (
  SELECT Time, ${FIGURES}
  FROM (${entryCounts('ServiceName = {service:String}', 'toStartOfMinute(toDateTime(Timestamp))')}
  )
  GROUP BY Time
)
ORDER BY atMs`;
