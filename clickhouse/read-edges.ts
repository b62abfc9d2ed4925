/**
 * Calls between services, counted: minutes that settle-edges.ts wrote come from its table, all others from the spans
 * themselves, by the same rule, so that the answer does not depend on what was written when.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { minuteParameters, TOUCHED_MINUTES, WHOLE_MINUTES } from './rollup-sql.ts';
import { IN_WINDOW, PARENT_KEY, SPAN_KEY, spansWithin } from './span-sql.ts';

export interface EdgeCountRow {
  readonly caller: string;
  readonly callee: string;
  /** message: through a queue. */
  readonly kind: 'call' | 'message';
  readonly calls: number;
  /** Calls whose answering span failed. */
  readonly errors: number;
  /** Of the answering spans. */
  readonly meanMs: number;
  readonly totalRows: number;
}

/** A parent is looked for so long before its child's minute, and so long after its start: clocks differ. */
const BEFORE_SECONDS = 600;
const AFTER_SECONDS = 120;

/** Where a minute's edges may come from: how many spans there are decides whether what was written still holds. */
export const AROUND_SECONDS = { before: BEFORE_SECONDS, after: AFTER_SECONDS };

/** Time (minute), Spans in the minute, Around: spans in it and where its parents may be. */
export const spansAroundMinutes = (minutes: string): string => `
  SELECT Time, sum(Spans) OVER (ORDER BY Time RANGE BETWEEN ${BEFORE_SECONDS} PRECEDING AND ${AFTER_SECONDS - 60} FOLLOWING) AS Around
  FROM (SELECT Time, sum(Spans) AS Spans FROM inquest_red_1m WHERE ${minutes} GROUP BY Time)`;

/**
 * Time, Caller, Callee, Kind, Calls, Errors, DurationNanos of children that meet one condition with parents that meet another.
 */
export const countEdges = (children: string, parents: string): string => `
  SELECT Time, Caller, Callee, if(ChildKind = 'Consumer' OR ParentKind = 'Producer', 'message', 'call') AS Kind,
    count() AS Calls, countIf(StatusCode = 'Error') AS Errors, sum(Duration) AS DurationNanos
  FROM (
    SELECT ${PARENT_KEY} AS ParentKey, toStartOfMinute(toDateTime(Timestamp)) AS Time, ServiceName AS Callee, SpanKind AS ChildKind,
      StatusCode, Duration
    FROM otel_traces
    WHERE ParentSpanId != '' AND SpanKind NOT IN ('Client', 'Producer') AND ${children}
  ) AS child
  INNER JOIN (
    SELECT ${SPAN_KEY} AS ParentKey, toDateTime(Timestamp) AS ParentTime, ServiceName AS Caller, SpanKind AS ParentKind
    FROM otel_traces
    WHERE ${parents}
  ) AS parent USING (ParentKey)
  WHERE Caller != Callee AND ParentTime >= Time - ${BEFORE_SECONDS} AND ParentTime < Time + ${AFTER_SECONDS}
  GROUP BY Time, Caller, Callee, Kind`;

/** The busiest first, `maxRows` at the most. */
export function readEdges(
  database: Pick<Database, 'read'>,
  { window }: { window: TimeWindow },
  bounds: Bounds,
): Promise<Reading<EdgeCountRow>> {
  const parameters = { ...minuteParameters(window), limit: bounds.maxRows };
  return database.read(EDGES, parameters, { tag: 'services.edges', ...bounds });
}

const WIDE = `Time >= toStartOfMinute(toDateTime(intDiv({startMs:Int64}, 1000))) - ${BEFORE_SECONDS}
  AND Time < toDateTime(intDiv({endMs:Int64}, 1000)) + ${AFTER_SECONDS}`;
const MINUTE_OF_SPAN = 'toStartOfMinute(toDateTime(Timestamp))';

const EDGES = `
WITH minutes AS (SELECT * FROM (${spansAroundMinutes(WIDE)}) WHERE ${TOUCHED_MINUTES}),
settled AS (
  SELECT Time, Around FROM minutes
  WHERE ${WHOLE_MINUTES} AND (Time, Around) IN (SELECT Time, Generation FROM inquest_edges_1m WHERE ${WHOLE_MINUTES} AND Caller = '')
),
unsettled AS (SELECT Time FROM minutes WHERE Time NOT IN (SELECT Time FROM settled))
SELECT toString(Caller) AS caller, toString(Callee) AS callee, Kind AS kind, toFloat64(sum(Calls)) AS calls, toFloat64(sum(Errors)) AS errors,
  sum(DurationNanos) / calls / 1e6 AS meanMs, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT Caller, Callee, Kind, Calls, Errors, DurationNanos FROM inquest_edges_1m
  WHERE ${WHOLE_MINUTES} AND Caller != '' AND (Time, Generation) IN settled
  UNION ALL
  SELECT Caller, Callee, Kind, Calls, Errors, DurationNanos
  FROM (${countEdges(
    `${IN_WINDOW} AND ${MINUTE_OF_SPAN} IN unsettled`,
    `${spansWithin(`{startMs:Int64} - ${(BEFORE_SECONDS + 60) * 1000}`, `{endMs:Int64} + ${AFTER_SECONDS * 1000}`)}
      AND ${MINUTE_OF_SPAN} IN (SELECT Time + 60 * arrayJoin(range(-${BEFORE_SECONDS / 60}, ${AFTER_SECONDS / 60})) FROM unsettled)`,
  )})
)
GROUP BY caller, callee, kind
ORDER BY calls DESC, caller, callee, kind
LIMIT {limit:UInt32}`;
