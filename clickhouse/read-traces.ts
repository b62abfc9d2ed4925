/** Traces: found, read whole, searched for where errors begin, and compared, abnormal against normal. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import {
  type AttributeContrastQuestion,
  type AttributeContrastRow,
  contrastAttributes,
} from './read-attribute-contrast.ts';
import { type ErrorOriginRow, findErrorOrigins } from './read-error-origins.ts';
import { readTrace, type TraceQuestion, type WholeTrace } from './read-trace.ts';
import {
  type MissingOperationRow,
  type OperationCoverageRow,
  readMissingOperations,
  readOperationCoverage,
  type TraceSpectrumQuestion,
} from './read-trace-spectra.ts';
import {
  DURATION_MS,
  FAILED,
  IN_WINDOW,
  NEAR_WINDOW,
  OF_SERVICE,
  type WindowQuestion,
  windowParameters,
} from './span-sql.ts';

export interface TraceReader {
  /** Traces whose entry starts in the window, sorted as asked. */
  findTraces(question: FindTracesQuestion, bounds: Bounds): Promise<Reading<TraceSummaryRow>>;
  /** One trace by its id: spans, log records and metric exemplars. */
  readTrace(question: TraceQuestion, bounds: Omit<Bounds, 'maxRows'>): Promise<WholeTrace>;
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

export function createTraceReader(database: Database): TraceReader {
  return {
    findTraces: (question, bounds) => findTraces(database, question, bounds),
    readTrace: (question, bounds) => readTrace(database, question, bounds),
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
