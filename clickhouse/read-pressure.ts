/** How hard resources were used: each resource gauge of each pod by minute, normal time and window side by side. */
import type { Bounds, Database, Reading } from './database.ts';
import { HAS_VALUE } from './metric-sql.ts';
import type { ShiftQuestion } from './read-shifts.ts';
import { POD } from './span-sql.ts';

/** Values are means by minute in the metric's unit. */
export interface PressureSeries {
  readonly service: string;
  readonly pod: string;
  readonly metric: string;
  readonly unit: string;
  /** Values before the first candidate onset, in time order. */
  readonly normal: readonly number[];
  /** [start of the minute in ms, value] from the first candidate onset on, in time order. */
  readonly course: readonly (readonly [number, number])[];
}

export interface PressureReader {
  /** @param names metric names as an RE2 pattern */
  readPressure(question: ShiftQuestion & { names: string }, bounds: Bounds): Promise<Reading<PressureSeries>>;
}

export function createPressureReader(database: Database): PressureReader {
  return {
    readPressure: ({ window, firstOnsetMs, names }, bounds) =>
      database.read(
        PRESSURE,
        { startMs: window.startMs, endMs: window.endMs, firstOnsetMs, names },
        { tag: 'pressure', ...bounds },
      ),
  };
}

const MINUTE_MS = 60_000;

/** Minutes are counted from the first candidate onset, so that none holds both normal time and window. */
const PRESSURE = `
SELECT service, pod, metric, unit,
  arrayMap(point -> point.2, arraySort(point -> point.1, groupArrayIf((atMs, value), atMs < {firstOnsetMs:Int64}))) AS normal,
  arraySort(point -> point.1, groupArrayIf((toFloat64(atMs), value), atMs >= {firstOnsetMs:Int64})) AS course
FROM (
  SELECT ServiceName AS service, ${POD} AS pod, MetricName AS metric, max(MetricUnit) AS unit,
    {firstOnsetMs:Int64} + ${MINUTE_MS} * toInt64(floor((toUnixTimestamp64Milli(TimeUnix) - {firstOnsetMs:Int64}) / ${MINUTE_MS})) AS atMs,
    avg(Value) AS value
  FROM otel_metrics_gauge
  WHERE TimeUnix >= fromUnixTimestamp64Milli({startMs:Int64}) AND TimeUnix < fromUnixTimestamp64Milli({endMs:Int64})
    AND match(MetricName, {names:String}) AND ${HAS_VALUE}
  GROUP BY service, pod, metric, atMs
)
GROUP BY service, pod, metric, unit
HAVING length(course) > 0
ORDER BY service, pod, metric, unit`;
