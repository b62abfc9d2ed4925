/** Traces: found, read whole with their logs, searched for where errors begin, and compared, abnormal against normal. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import {
  type AttributeContrastQuestion,
  type AttributeContrastRow,
  contrastAttributes,
} from './read-attribute-contrast.ts';
import { type ErrorOriginRow, findErrorOrigins } from './read-error-origins.ts';
import {
  type MissingOperationRow,
  type OperationCoverageRow,
  readMissingOperations,
  readOperationCoverage,
  type TraceSpectrumQuestion,
} from './read-trace-spectra.ts';
import {
  DURATION_MS,
  EXCEPTION,
  FAILED,
  IN_WINDOW,
  NEAR_WINDOW,
  OF_SERVICE,
  POD,
  type WindowQuestion,
  windowParameters,
} from './span-sql.ts';

export interface TraceReader {
  /** Traces whose entry starts in the window, sorted as asked. */
  findTraces(question: FindTracesQuestion, bounds: Bounds): Promise<Reading<TraceSummaryRow>>;
  /** The spans of one trace by start; without a window its time comes from the lookup table, else everything is searched. */
  readSpans(question: TraceQuestion, bounds: Bounds): Promise<Reading<TraceSpanRow>>;
  /** The log records of one trace by time. */
  readLogs(question: TraceQuestion, bounds: Bounds): Promise<Reading<TraceLogRow>>;
  /** Failing spans without a failing child, those that gained most per minute first. */
  findErrorOrigins(question: WindowQuestion, bounds: Bounds): Promise<Reading<ErrorOriginRow>>;
  /** Operations by how far they go with abnormal traces (an error, or an entry beyond its baseline's 99th percentile). */
  readCoverage(question: TraceSpectrumQuestion, bounds: Bounds): Promise<Reading<OperationCoverageRow>>;
  /** Operations that follow an entry operation less often than in the baseline, the clearest drop first. */
  findMissingOperations(question: TraceSpectrumQuestion, bounds: Bounds): Promise<Reading<MissingOperationRow>>;
  /** Attribute values over-represented among failing or slow entry spans. */
  compareAttributes(question: AttributeContrastQuestion, bounds: Bounds): Promise<Reading<AttributeContrastRow>>;
}

export interface FindTracesQuestion {
  readonly window: TimeWindow;
  /** Only traces with a span of this service (and operation). */
  readonly service?: string | undefined;
  readonly operation?: string | undefined;
  readonly errorsOnly?: boolean | undefined;
  /** Of the entry span. */
  readonly minDurationMs?: number | undefined;
  readonly sort: 'slowest' | 'newest' | 'most-errors';
  readonly limit: number;
}

export interface TraceSummaryRow {
  readonly traceId: string;
  /** The entry span: the root, or the first span where the root is missing. */
  readonly rootService: string;
  readonly rootOperation: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly spans: number;
  /** Spans with status Error. */
  readonly errors: number;
  readonly services: readonly string[];
  readonly totalRows: number;
}

export interface TraceQuestion {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  readonly window?: TimeWindow | undefined;
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

export function createTraceReader(database: Database): TraceReader {
  return {
    findTraces: (question, bounds) => findTraces(database, question, bounds),
    readSpans: (question, bounds) =>
      database.read(TRACE_SPANS, traceParameters(question, bounds), { tag: 'traces.spans', ...bounds }),
    readLogs: (question, bounds) =>
      database.read(TRACE_LOGS, traceParameters(question, bounds), { tag: 'traces.logs', ...bounds }),
    findErrorOrigins: (question, bounds) => findErrorOrigins(database, question, bounds),
    readCoverage: (question, bounds) => readOperationCoverage(database, question, bounds),
    findMissingOperations: (question, bounds) => readMissingOperations(database, question, bounds),
    compareAttributes: (question, bounds) => contrastAttributes(database, question, bounds),
  };
}

function findTraces(
  database: Database,
  question: FindTracesQuestion,
  bounds: Bounds,
): Promise<Reading<TraceSummaryRow>> {
  const parameters = {
    ...windowParameters({ window: question.window }),
    service: question.service ?? '',
    operation: question.operation ?? '',
    errorsOnly: question.errorsOnly ? 1 : 0,
    minDurationMs: question.minDurationMs ?? 0,
    sort: question.sort,
    limit: Math.min(question.limit, bounds.maxRows),
  };
  return database.read(FIND_TRACES, parameters, { tag: 'traces.find', ...bounds });
}

const FIND_TRACES = `
SELECT TraceId AS traceId, rootService, rootOperation,
  toFloat64(toUnixTimestamp64Milli(Timestamp)) AS startMs, durationMs,
  toFloat64(spanCount) AS spans, toFloat64(errorCount) AS errors, services,
  toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT TraceId, entry.1 AS rootService, entry.2 AS rootOperation, entry.3 AS Timestamp, entry.4 AS durationMs,
    spanCount, errorCount, services
  FROM (
  SELECT TraceId,
    argMin((ServiceName, SpanName, Timestamp, ${DURATION_MS}), (ParentSpanId != '', Timestamp, SpanId)) AS entry,
    count() AS spanCount, countIf(${FAILED}) AS errorCount, arraySort(groupUniqArray(ServiceName)) AS services
  FROM otel_traces
  WHERE ${NEAR_WINDOW} AND TraceId != '' AND TraceId IN (
    SELECT TraceId FROM otel_traces
    WHERE ${NEAR_WINDOW} AND ${OF_SERVICE} AND ({operation:String} = '' OR SpanName = {operation:String})
  )
  GROUP BY TraceId
  )
)
WHERE ${IN_WINDOW} AND ({errorsOnly:UInt8} = 0 OR errorCount > 0) AND durationMs >= {minDurationMs:Float64}
ORDER BY multiIf({sort:String} = 'slowest', durationMs, {sort:String} = 'newest', startMs, errors) DESC, startMs, traceId
LIMIT {limit:UInt32}`;

const EVER: TimeWindow = { startMs: 0, endMs: Date.UTC(2200, 0) };

function traceParameters({ traceId, window = EVER }: TraceQuestion, { maxRows }: Bounds) {
  return { traceId, startMs: window.startMs, endMs: window.endMs, limit: maxRows };
}

/** The trace's own seconds from the lookup, or for ever where it has no row; whole seconds, so the last one is inside. */
const TRACE_TIMES = `
  (SELECT if(count() = 0, toDateTime(0), min(Start)) FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String}) AS firstSecond,
  (SELECT if(count() = 0, toDateTime(4294967200), max(End)) FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String}) AS lastSecond`;

const TRACE_SPANS = `
WITH ${TRACE_TIMES}
SELECT SpanId AS spanId, ParentSpanId AS parentSpanId, ServiceName AS service, SpanName AS operation, SpanKind AS spanKind,
  toFloat64(toUnixTimestamp64Micro(Timestamp)) / 1000 AS startMs, ${DURATION_MS} AS durationMs,
  StatusCode AS status, StatusMessage AS statusMessage, ${POD} AS pod, ResourceAttributes['service.version'] AS version,
  SpanAttributes AS attributes,
  ${EXCEPTION}['exception.type'] AS exceptionType, ${EXCEPTION}['exception.message'] AS exceptionMessage,
  toFloat64(count() OVER ()) AS totalRows
FROM otel_traces
WHERE TraceId = {traceId:String} AND ${NEAR_WINDOW} AND Timestamp >= firstSecond AND Timestamp < lastSecond + 1
ORDER BY Timestamp, spanId
LIMIT {limit:UInt32}`;

/** Records may be written shortly after the last span has started. */
const TRACE_LOGS = `
WITH ${TRACE_TIMES}
SELECT toFloat64(toUnixTimestamp64Milli(Timestamp)) AS atMs, ServiceName AS service, SpanId AS spanId,
  SeverityText AS severity, substringUTF8(Body, 1, 500) AS body,
  toFloat64(count() OVER ()) AS totalRows
FROM otel_logs
WHERE TraceId = {traceId:String} AND ${NEAR_WINDOW} AND TimestampTime >= firstSecond AND TimestampTime <= lastSecond + 60
ORDER BY Timestamp, service, spanId, body
LIMIT {limit:UInt32}`;
