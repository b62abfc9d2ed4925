/**
 * Which telemetry exists: for each signal and service, in which steps of a window anything arrived. What is missing here was
 * not observed; it is no silence.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { LOGS_IN_WINDOW } from './log-sql.ts';
import { METRIC_TABLES, METRICS_IN_WINDOW } from './metric-sql.ts';
import { IN_WINDOW, windowParameters } from './span-sql.ts';

export interface CoverageReader {
  /** One row for each (signal, service) with telemetry in the window. */
  readByService(question: CoverageQuestion, bounds: Bounds): Promise<Reading<ServiceCoverageRow>>;
  /** One row for each signal with telemetry in the window: when any service sent it. */
  readBySignal(question: CoverageQuestion, bounds: Bounds): Promise<Reading<SignalCoverageRow>>;
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
    sql: string,
    { window, stepSeconds }: CoverageQuestion,
    bounds: Bounds,
  ) =>
    database.read<Row>(
      sql,
      { ...windowParameters({ window }), stepMs: stepSeconds * 1000, limit: bounds.maxRows },
      { tag, ...bounds },
    );
  return {
    readByService: (question, bounds) => read('coverage.readByService', BY_SERVICE, question, bounds),
    readBySignal: (question, bounds) => read('coverage.readBySignal', BY_SIGNAL, question, bounds),
  };
}

const SOURCES: readonly { signal: CoveredSignal; table: string; time: string; condition: string }[] = [
  { signal: 'traces', table: 'otel_traces', time: 'Timestamp', condition: IN_WINDOW },
  { signal: 'logs', table: 'otel_logs', time: 'Timestamp', condition: LOGS_IN_WINDOW },
  ...METRIC_TABLES.map(({ table }) => ({
    signal: 'metrics' as const,
    table,
    time: 'TimeUnix',
    condition: METRICS_IN_WINDOW,
  })),
];

/** Few rows however much telemetry there is: each table is counted by (service, step) first. */
const STEPS = SOURCES.map(
  ({ signal, table, time, condition }) => `
  SELECT '${signal}' AS signal, ServiceName AS service,
    {startMs:Int64} + {stepMs:Int64} * intDiv(toUnixTimestamp64Milli(${time}) - {startMs:Int64}, {stepMs:Int64}) AS stepMs,
    min(toUnixTimestamp64Milli(${time})) AS stepFirstMs, max(toUnixTimestamp64Milli(${time})) AS stepLastMs, count() AS stepRows
  FROM ${table}
  WHERE ${condition}
  GROUP BY service, stepMs`,
).join('\n  UNION ALL');

const COLUMNS = `toFloat64(uniqExact(stepMs)) AS observedSteps, toFloat64(min(stepFirstMs)) AS firstMs,
  toFloat64(max(stepLastMs)) AS lastMs, toFloat64(sum(stepRows)) AS telemetryRows`;

const BY_SERVICE = `
SELECT signal, service, ${COLUMNS}, toFloat64(count() OVER ()) AS totalRows
FROM (${STEPS}
)
GROUP BY signal, service
ORDER BY signal, telemetryRows DESC, service
LIMIT {limit:UInt32}`;

const BY_SIGNAL = `
SELECT signal, ${COLUMNS}, toFloat64(uniqExact(service)) AS services,
  arrayMap(run -> (toFloat64(run[1]), toFloat64(least(run[-1] + {stepMs:Int64}, {endMs:Int64}))),
    arraySplit((at, gapMs) -> gapMs > {stepMs:Int64}, arraySort(groupUniqArray(stepMs)) AS steps, arrayDifference(steps))) AS observedRanges
FROM (${STEPS}
)
GROUP BY signal
ORDER BY signal
LIMIT {limit:UInt32}`;
