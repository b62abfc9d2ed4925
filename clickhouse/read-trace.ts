/**
 * One trace by its id: spans, log records and metric exemplars. The lookup table says when it was, and that time goes as
 * constants into the statements after it, so that they read a few granules of its days instead of everything.
 */
import type { ExecutedQuery } from '../domain/evidence.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { ERROR_SEVERITY, LOGS_IN_WINDOW, SEVERITY } from './log-sql.ts';
import { DURATION_MS, EXCEPTION, IN_WINDOW, POD } from './span-sql.ts';
import { timeWithin } from './time-sql.ts';

export interface TraceQuestion {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Only what lies in here, or a minute around it. */
  readonly window?: TimeWindow | undefined;
  /** At the most; the totals say how many there are. */
  readonly maxSpans: number;
  readonly maxLogs: number;
  readonly maxExemplars: number;
}

export interface WholeTrace {
  /** By start. */
  readonly spans: readonly TraceSpanRow[];
  readonly totalSpans: number;
  /** Errors before others, then by time. */
  readonly logs: readonly TraceLogRow[];
  readonly totalLogs: number;
  /** By time. */
  readonly exemplars: readonly TraceExemplarRow[];
  readonly totalExemplars: number;
  /** Where logs and exemplars were looked for; undefined: in all there is. */
  readonly searched: TimeWindow | undefined;
  readonly queries: readonly ExecutedQuery[];
}

export interface TraceSpanRow {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly service: string;
  readonly operation: string;
  readonly spanKind: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly status: string;
  readonly statusMessage: string;
  readonly pod: string;
  readonly version: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly exceptionType: string;
  readonly exceptionMessage: string;
  readonly totalRows: number;
}

export interface TraceLogRow {
  readonly atMs: number;
  readonly service: string;
  readonly spanId: string;
  readonly severity: string;
  /** At most 500 characters. */
  readonly body: string;
  readonly totalRows: number;
}

/** A measurement that was made while the trace ran and that its metric keeps as an example. */
export interface TraceExemplarRow {
  readonly atMs: number;
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  /** In the metric's unit; null when it was no number. */
  readonly value: number | null;
  /** Of the span in which it was measured; may be empty. */
  readonly spanId: string;
  /** The point's, with those that only the exemplar carries. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly totalRows: number;
}

interface TraceTimesRow {
  /** Null: the lookup does not know the trace. */
  readonly startMs: number | null;
  readonly endMs: number | null;
}

const EVER: TimeWindow = { startMs: 0, endMs: Date.UTC(2200, 0) };

/** Clocks of hosts differ, and records are written shortly after the last span has ended. */
const SLACK_MS = 60_000;
/** A trace rarely takes longer. */
const AROUND_MS = 3_600_000;
/** Points are exported up to so long after their measurements. */
const EXPORT_MS = 300_000;

/**
 * Asks the lookup, then for spans in the time it names, then for logs and exemplars from the first span's start to the last
 * one's end. Where the lookup knows nothing, spans are looked for in everything; where a span's parent is missing, in an hour
 * around it too: the lookup may be younger than some of them. (Not in everything: callers that store no spans are common.)
 */
export async function readTrace(
  database: Database,
  question: TraceQuestion,
  bounds: Omit<Bounds, 'maxRows'>,
): Promise<WholeTrace> {
  const { traceId, window } = question;
  const ask = <Row extends object>(tag: string, sql: string, within: TimeWindow, maxRows: number) =>
    database.read<Row>(sql, { traceId, ...within, limit: maxRows }, { tag, ...bounds, maxRows });
  const readSpans = (within: TimeWindow) => ask<TraceSpanRow>('trace.spans', TRACE_SPANS, within, question.maxSpans);

  const times = await database.read<TraceTimesRow>(
    TRACE_TIMES,
    { traceId },
    { tag: 'trace.times', ...bounds, maxRows: 1 },
  );
  const asked = window ? widened(window, SLACK_MS, SLACK_MS) : EVER;
  const known = overlap(asked, timesOf(times));
  const narrow = await readSpans(known ?? asked);
  const around = known && overlap(asked, widened(known, AROUND_MS, AROUND_MS));
  const spans = around && !isComplete(narrow.rows) ? await readSpans(around) : narrow;

  const extent = overlap(asked, extentOf(spans.rows));
  const near = extent && widened(extent, SLACK_MS, SLACK_MS);
  const measured = extent && widened(extent, SLACK_MS, EXPORT_MS);
  const [logs, exemplars] = await Promise.all([
    ask<TraceLogRow>('trace.logs', TRACE_LOGS, near ?? asked, question.maxLogs),
    ask<TraceExemplarRow>('trace.exemplars', TRACE_EXEMPLARS, measured ?? asked, question.maxExemplars),
  ]);
  return {
    spans: spans.rows,
    totalSpans: totalOf(spans),
    logs: logs.rows,
    totalLogs: totalOf(logs),
    exemplars: exemplars.rows,
    totalExemplars: totalOf(exemplars),
    searched: near ?? (window && asked),
    queries: [times, ...new Set([narrow, spans]), logs, exemplars].map(({ query }) => query),
  };
}

/** Spans whose parents are all there; sampled and uninstrumented callers leave traces that never are. */
function isComplete(spans: readonly TraceSpanRow[]): boolean {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const isCut = spans.length < (spans[0]?.totalRows ?? 0);
  return spans.length > 0 && (isCut || spans.every(({ parentSpanId }) => parentSpanId === '' || ids.has(parentSpanId)));
}

function timesOf({ rows }: Reading<TraceTimesRow>): TimeWindow | undefined {
  const { startMs, endMs } = rows[0] ?? { startMs: null, endMs: null };
  return startMs === null || endMs === null ? undefined : { startMs, endMs };
}

/** From the first start to the last end. */
function extentOf(spans: readonly TraceSpanRow[]): TimeWindow | undefined {
  if (spans.length === 0) return undefined;
  const startMs = spans.reduce((earliest, span) => Math.min(earliest, span.startMs), Number.POSITIVE_INFINITY);
  const endMs = spans.reduce((latest, span) => Math.max(latest, span.startMs + span.durationMs), 0);
  return { startMs: Math.floor(startMs), endMs: Math.floor(endMs) + 1 };
}

function widened({ startMs, endMs }: TimeWindow, beforeMs: number, afterMs: number): TimeWindow {
  return { startMs: startMs - beforeMs, endMs: endMs + afterMs };
}

/** Undefined where they do not meet. */
function overlap(left: TimeWindow, right: TimeWindow | undefined): TimeWindow | undefined {
  if (!right) return undefined;
  const startMs = Math.max(left.startMs, right.startMs);
  const endMs = Math.min(left.endMs, right.endMs);
  return startMs < endMs ? { startMs, endMs } : undefined;
}

function totalOf({ rows }: Reading<{ readonly totalRows: number }>): number {
  return rows[0]?.totalRows ?? 0;
}

/** One row for each insert that held spans of the trace; whole seconds, so the last one is inside. */
const TRACE_TIMES = `
SELECT if(count() = 0, NULL, toFloat64(toUnixTimestamp(min(Start))) * 1000) AS startMs,
  if(count() = 0, NULL, (toFloat64(toUnixTimestamp(max(End))) + 1) * 1000) AS endMs
FROM otel_traces_trace_id_ts
WHERE TraceId = {traceId:String}`;

const TRACE_SPANS = `
SELECT SpanId AS spanId, ParentSpanId AS parentSpanId, ServiceName AS service, SpanName AS operation, SpanKind AS spanKind,
  toFloat64(toUnixTimestamp64Micro(Timestamp)) / 1000 AS startMs, ${DURATION_MS} AS durationMs,
  StatusCode AS status, StatusMessage AS statusMessage, ${POD} AS pod, ResourceAttributes['service.version'] AS version,
  SpanAttributes AS attributes,
  ${EXCEPTION}['exception.type'] AS exceptionType, ${EXCEPTION}['exception.message'] AS exceptionMessage,
  toFloat64(count() OVER ()) AS totalRows
FROM otel_traces
WHERE TraceId = {traceId:String} AND ${IN_WINDOW}
ORDER BY Timestamp, spanId
LIMIT {limit:UInt32}`;

const TRACE_LOGS = `
SELECT toFloat64(toUnixTimestamp64Micro(Timestamp)) / 1000 AS atMs, ServiceName AS service, SpanId AS spanId,
  SeverityText AS severity, substringUTF8(Body, 1, 500) AS body,
  toFloat64(count() OVER ()) AS totalRows
FROM otel_logs
WHERE TraceId = {traceId:String} AND ${LOGS_IN_WINDOW}
ORDER BY ${SEVERITY} >= ${ERROR_SEVERITY} DESC, Timestamp, service, spanId, body
LIMIT {limit:UInt32}`;

const METRIC_TABLES = ['gauge', 'sum', 'histogram', 'exponential_histogram'];

/** An exporter may send an exemplar again with the next points of its series: told once. */
const TRACE_EXEMPLARS = `
SELECT *, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT DISTINCT toFloat64(toUnixTimestamp64Micro(exemplar.1)) / 1000 AS atMs, service, metric, unit,
    exemplar.2 AS value, exemplar.3 AS spanId, mapUpdate(pointAttributes, exemplar.4) AS attributes
  FROM (
    ${METRIC_TABLES.map(exemplarsOf).join('\n    UNION ALL\n    ')}
  )
)
ORDER BY atMs, service, metric, spanId, value
LIMIT {limit:UInt32}`;

function exemplarsOf(kind: string): string {
  return `SELECT ServiceName AS service, MetricName AS metric, MetricUnit AS unit, Attributes AS pointAttributes,
      arrayJoin(arrayFilter(each -> each.5 = {traceId:String}, arrayZip(Exemplars.TimeUnix, Exemplars.Value,
        Exemplars.SpanId, Exemplars.FilteredAttributes, Exemplars.TraceId))) AS exemplar
    FROM otel_metrics_${kind}
    WHERE has(Exemplars.TraceId, {traceId:String}) AND ${timeWithin('TimeUnix', '{startMs:Int64}', '{endMs:Int64}')}`;
}
