/** How much came in from outside: requests without a caller, by the service that took them and minute. */
import type { Bounds, Database, Reading } from './database.ts';
import type { ShiftQuestion } from './read-shifts.ts';
import { IN_WINDOW } from './span-sql.ts';

export interface TrafficSeries {
  readonly service: string;
  /** Requests a minute before the first candidate onset, by time; minutes without any request are left out. */
  readonly normal: readonly number[];
  /** [start of the minute in ms, requests] from the first candidate onset on, by time; whole minutes only. */
  readonly course: readonly (readonly [number, number])[];
}

export interface TrafficReader {
  readTraffic(question: ShiftQuestion, bounds: Bounds): Promise<Reading<TrafficSeries>>;
}

export function createTrafficReader(database: Database): TrafficReader {
  return {
    readTraffic: ({ window, firstOnsetMs }, bounds) =>
      database.read(
        TRAFFIC,
        { startMs: window.startMs, endMs: window.endMs, firstOnsetMs },
        { tag: 'traffic', ...bounds },
      ),
  };
}

const MINUTE_MS = 60_000;

/** Minutes are counted from the first candidate onset, so that none holds both normal time and window. */
const TRAFFIC = `
SELECT service,
  arrayMap(point -> point.2, arraySort(point -> point.1, groupArrayIf((atMs, requests), atMs < {firstOnsetMs:Int64}))) AS normal,
  arraySort(point -> point.1, groupArrayIf((toFloat64(atMs), requests), atMs >= {firstOnsetMs:Int64})) AS course
FROM (
  SELECT ServiceName AS service,
    {firstOnsetMs:Int64} + ${MINUTE_MS} * toInt64(floor((toUnixTimestamp64Milli(Timestamp) - {firstOnsetMs:Int64}) / ${MINUTE_MS})) AS atMs,
    toFloat64(uniqExact(TraceId)) AS requests
  FROM otel_traces
  WHERE ${IN_WINDOW} AND ParentSpanId = '' AND SpanKind NOT IN ('Client', 'Producer')
  GROUP BY service, atMs
  HAVING atMs >= {startMs:Int64} AND atMs + ${MINUTE_MS} <= {endMs:Int64}
)
GROUP BY service
HAVING length(course) > 0 AND length(normal) > 0
ORDER BY service`;
