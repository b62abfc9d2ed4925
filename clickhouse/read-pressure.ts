/** How hard resources were used: each resource level of each pod by minute, normal time and window side by side. */
import type { Bounds, Database, Reading } from './database.ts';
import { HAS_VALUE } from './metric-sql.ts';
import type { ShiftQuestion } from './read-shifts.ts';
import { POD } from './span-sql.ts';

/** Values are means by minute in the metric's unit. */
export interface PressureSeries {
  readonly service: string;
  readonly pod: string;
  readonly metric: string;
  /** The attribute that tells what the level counts (`used`, `idle`), empty where there is none. */
  readonly state: string;
  readonly unit: string;
  /** Its values only grow: what they grew by is what counts. */
  readonly isCounter: boolean;
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

/** `state`, `db.client.connection.state`, `system.memory.state` ... whichever a metric has. */
const STATE = "arrayFirst((value, key) -> endsWith(key, 'state'), mapValues(Attributes), mapKeys(Attributes))";

/** Gauges, and cumulative sums. Other attributes than the state are averaged over. */
const LEVELS = [
  { table: 'otel_metrics_gauge', isCounter: 'false', condition: 'true' },
  { table: 'otel_metrics_sum', isCounter: 'IsMonotonic', condition: 'AggregationTemporality != 1' },
]
  .map(
    ({ table, isCounter, condition }) => `
  SELECT ServiceName, ${POD} AS pod, MetricName, ${STATE} AS state, MetricUnit, toBool(${isCounter}) AS isCounter, TimeUnix, Value
  FROM ${table}
  WHERE TimeUnix >= fromUnixTimestamp64Milli({startMs:Int64}) AND TimeUnix < fromUnixTimestamp64Milli({endMs:Int64})
    AND match(MetricName, {names:String}) AND ${HAS_VALUE} AND ${condition}`,
  )
  .join('\n  UNION ALL');

/** Minutes are counted from the first candidate onset, so that none holds both normal time and window. */
const PRESSURE = `
SELECT service, pod, metric, state, unit, isCounter,
  arrayMap(point -> point.2, arraySort(point -> point.1, groupArrayIf((atMs, value), atMs < {firstOnsetMs:Int64}))) AS normal,
  arraySort(point -> point.1, groupArrayIf((toFloat64(atMs), value), atMs >= {firstOnsetMs:Int64})) AS course
FROM (
  SELECT ServiceName AS service, pod, MetricName AS metric, state, isCounter, max(MetricUnit) AS unit,
    {firstOnsetMs:Int64} + ${MINUTE_MS} * toInt64(floor((toUnixTimestamp64Milli(TimeUnix) - {firstOnsetMs:Int64}) / ${MINUTE_MS})) AS atMs,
    if(isCounter, max(Value), avg(Value)) AS value
  FROM (${LEVELS}
  )
  GROUP BY service, pod, metric, state, isCounter, atMs
)
GROUP BY service, pod, metric, state, unit, isCounter
ORDER BY service, pod, metric, state, unit, isCounter`;
