/**
 * The few figures that rules without history look at, of the newest minutes: three small questions of their own, so that one that fails
 * does not keep the others from being answered.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';

/** Lists run side by side, one entry for each minute that was observed. */
export interface RequestFactRow {
  readonly service: string;
  readonly atMs: readonly number[];
  readonly calls: readonly number[];
  readonly errors: readonly number[];
}

export interface LogFactRow {
  readonly service: string;
  readonly atMs: readonly number[];
  readonly lines: readonly number[];
  readonly fatalLines: readonly number[];
}

export interface MetricFactRow {
  readonly service: string;
  readonly metric: string;
  readonly pod: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly atMs: readonly number[];
  /** The newest point of each minute. */
  readonly lasts: readonly number[];
}

export interface RuleFactReader {
  /** Requests into each service. Windows in whole minutes. */
  readRequests(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<RequestFactRow>>;
  /** Services that wrote any line. */
  readLogs(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<LogFactRow>>;
  /** Series of metrics whose name in lower case matches `pattern` (RE2). */
  readMetrics(question: { window: TimeWindow; pattern: string }, bounds: Bounds): Promise<Reading<MetricFactRow>>;
}

export function createRuleFactReader(database: Pick<Database, 'read'>): RuleFactReader {
  const read = <Row extends object>(tag: string, sql: string, { startMs, endMs }: TimeWindow, bounds: Bounds) =>
    database.read<Row>(sql, { startMs, endMs }, { tag, ...bounds });
  return {
    readRequests: ({ window }, bounds) => read('rules.readRequests', REQUESTS, window, bounds),
    readLogs: ({ window }, bounds) => read('rules.readLogs', LOGS, window, bounds),
    readMetrics: ({ window: { startMs, endMs }, pattern }, bounds) =>
      database.read(METRICS, { startMs, endMs, pattern }, { tag: 'rules.readMetrics', ...bounds }),
  };
}

const IN_WINDOW = `Time >= toDateTime(intDiv({startMs:Int64}, 1000)) AND Time < toDateTime(intDiv({endMs:Int64}, 1000))`;
const AT_MS = 'toFloat64(toUnixTimestamp(Time)) * 1000';
const column = (index: number) => `arrayMap(point -> point.${index}, points)`;

const REQUESTS = `
SELECT service, arraySort(groupArray((at, minuteCalls, minuteErrors))) AS points,
  ${column(1)} AS atMs, ${column(2)} AS calls, ${column(3)} AS errors
FROM (
  SELECT toString(ServiceName) AS service, ${AT_MS} AS at, toFloat64(sum(Calls)) AS minuteCalls, toFloat64(sum(Errors)) AS minuteErrors
  FROM inquest_red_1m
  WHERE ${IN_WINDOW} AND Calls > 0
  GROUP BY service, at
)
GROUP BY service
ORDER BY service`;

const LOGS = `
SELECT service, arraySort(groupArray((at, minuteLines, minuteFatalLines))) AS points,
  ${column(1)} AS atMs, ${column(2)} AS lines, ${column(3)} AS fatalLines
FROM (
  SELECT toString(ServiceName) AS service, ${AT_MS} AS at, toFloat64(sum(Lines)) AS minuteLines,
    toFloat64(sumIf(Lines, Severity >= 21)) AS minuteFatalLines
  FROM inquest_log_templates_1m
  WHERE ${IN_WINDOW}
  GROUP BY service, at
)
GROUP BY service
ORDER BY service`;

const SERIES = 'ServiceName, MetricName, Pod, AttributesKey';

const METRICS = `
SELECT toString(ServiceName) AS service, toString(MetricName) AS metric, toString(Pod) AS pod, any(Labels) AS attributes,
  max(Measure) AS unit, arraySort(groupArray((at, Newest))) AS points, ${column(1)} AS atMs, ${column(2)} AS lasts
FROM (
  SELECT ${SERIES}, ${AT_MS} AS at, anyLast(SeriesAttributes) AS Labels, max(Unit) AS Measure, argMaxMerge(Last) AS Newest
  FROM inquest_metrics_1m
  WHERE ${IN_WINDOW} AND Kind IN ('gauge', 'sum') AND match(lower(MetricName), {pattern:String})
  GROUP BY ${SERIES}, Kind, at
)
WHERE isFinite(Newest)
GROUP BY ${SERIES}
ORDER BY service, metric, pod`;
