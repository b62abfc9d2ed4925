/**
 * Which telemetry exists: for each signal and service, in which steps of a window anything arrived. What is missing here was
 * not observed; it is no silence.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { LOGS_IN_WINDOW } from './log-sql.ts';
import { METRICS_IN_WINDOW } from './metric-sql.ts';
import { minuteParameters, presence, SIGNAL_TABLES } from './rollup-sql.ts';
import { IN_WINDOW } from './span-sql.ts';

export interface CoverageReader {
  /** One row for each (signal, service) with telemetry in the window. */
  readByService(question: CoverageQuestion, bounds: Bounds): Promise<Reading<ServiceCoverageRow>>;
  /** One row for each signal with telemetry in the window: when any service sent it. */
  readBySignal(question: CoverageQuestion, bounds: Bounds): Promise<Reading<SignalCoverageRow>>;
  /** One row: the newest event time of any signal within the window; 0 where there is none. */
  readNewest(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<{ readonly newestMs: number }>>;
}

export interface CoverageQuestion {
  readonly window: TimeWindow;
  readonly stepSeconds: number;
}

export type CoveredSignal = 'metrics' | 'logs' | 'traces';

interface CoverageColumns {
  readonly signal: CoveredSignal;
  /** Steps with at least one row; steps are counted from the window's start. */
  readonly observedSteps: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly telemetryRows: number;
}

export interface ServiceCoverageRow extends CoverageColumns {
  readonly service: string;
  readonly totalRows: number;
}

export interface SignalCoverageRow extends CoverageColumns {
  readonly services: number;
  /** [start, end) of each unbroken run of observed steps, by time. */
  readonly observedRanges: readonly (readonly [number, number])[];
}

export function createCoverageReader(database: Database): CoverageReader {
  const read = <Row extends object>(
    tag: string,
    sql: (steps: string) => string,
    { window, stepSeconds }: CoverageQuestion,
    bounds: Bounds,
  ) => {
    const isByMinute = window.startMs % MINUTE_MS === 0 && (stepSeconds * 1000) % MINUTE_MS === 0;
    return database.read<Row>(
      sql(isByMinute ? MINUTE_STEPS : RAW_STEPS),
      { ...minuteParameters(window), stepMs: stepSeconds * 1000, limit: bounds.maxRows },
      { tag, ...bounds },
    );
  };
  return {
    readByService: (question, bounds) => read('coverage.readByService', bySignalAndService, question, bounds),
    readBySignal: (question, bounds) => read('coverage.readBySignal', bySignal, question, bounds),
    readNewest: ({ window: { startMs, endMs } }, bounds) =>
      database.read(NEWEST, { startMs, endMs }, { tag: 'coverage.readNewest', ...bounds }),
  };
}

/** From the rollup alone: asked every ten seconds. */
const NEWEST = `
SELECT toFloat64(max(LastMs)) AS newestMs
FROM inquest_presence_1m
WHERE Time >= toDateTime(intDiv({startMs:Int64}, 1000)) AND Time < toDateTime(intDiv({endMs:Int64}, 1000)) AND LastMs < {endMs:Int64}`;

const MINUTE_MS = 60_000;
const IN_WINDOW_OF = { traces: IN_WINDOW, logs: LOGS_IN_WINDOW, metrics: METRICS_IN_WINDOW };

const stepOf = (atMs: string) => `{startMs:Int64} + {stepMs:Int64} * intDiv(${atMs} - {startMs:Int64}, {stepMs:Int64})`;

/** Few rows however much telemetry there is: each table is counted by (service, step) first. */
const RAW_STEPS = SIGNAL_TABLES.map(
  ({ signal, table, time }) => `
  SELECT '${signal}' AS signal, ServiceName AS service, ${stepOf(`toUnixTimestamp64Milli(${time})`)} AS stepMs,
    min(toUnixTimestamp64Milli(${time})) AS stepFirstMs, max(toUnixTimestamp64Milli(${time})) AS stepLastMs, count() AS stepRows
  FROM ${table}
  WHERE ${IN_WINDOW_OF[signal]}
  GROUP BY service, stepMs`,
).join('\n  UNION ALL');

/** Where no minute lies in two steps. */
const MINUTE_STEPS = `
  SELECT Signal AS signal, ServiceName AS service, ${stepOf('FirstMs')} AS stepMs,
    FirstMs AS stepFirstMs, LastMs AS stepLastMs, TelemetryRows AS stepRows
  FROM (${presence('true')}
  )`;

const COLUMNS = `toFloat64(uniqExact(stepMs)) AS observedSteps, toFloat64(min(stepFirstMs)) AS firstMs,
  toFloat64(max(stepLastMs)) AS lastMs, toFloat64(sum(stepRows)) AS telemetryRows`;

const bySignalAndService = (steps: string) => `
SELECT signal, service, ${COLUMNS}, toFloat64(count() OVER ()) AS totalRows
FROM (${steps}
)
GROUP BY signal, service
ORDER BY signal, telemetryRows DESC, service
LIMIT {limit:UInt32}`;

const bySignal = (steps: string) => `
SELECT signal, ${COLUMNS}, toFloat64(uniqExact(service)) AS services,
  arrayMap(run -> (toFloat64(run[1]), toFloat64(least(run[-1] + {stepMs:Int64}, {endMs:Int64}))),
    arraySplit((at, gapMs) -> gapMs > {stepMs:Int64}, arraySort(groupUniqArray(stepMs)) AS steps, arrayDifference(steps))) AS observedRanges
FROM (${steps}
)
GROUP BY signal
ORDER BY signal
LIMIT {limit:UInt32}`;
