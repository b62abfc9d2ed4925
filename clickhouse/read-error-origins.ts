/** Where errors begin: failing spans none of whose children failed, grouped by operation and what they say went wrong. */
import type { Bounds, Database, Reading } from './database.ts';
import {
  BASELINE_MINUTES,
  EXCEPTION,
  IN_BASELINE,
  IN_WINDOW,
  NEAR_EITHER,
  PARENT_KEY,
  SPAN_KEY,
  WINDOW_MINUTES,
  type WindowQuestion,
  windowParameters,
} from './span-sql.ts';

export interface ErrorOriginRow {
  readonly service: string;
  readonly operation: string;
  /** Exception type, else the status message with its variable parts masked, else `error.type`; empty when the span says nothing. */
  readonly reason: string;
  /** One message of the group, at most 200 characters. */
  readonly message: string;
  readonly windowCount: number;
  readonly baselineCount: number;
  /** By the minutes in which any span arrived; null when none did. */
  readonly windowPerMinute: number | null;
  readonly baselinePerMinute: number | null;
  /** Distinct traces in the window. */
  readonly windowTraces: number;
  /** Of all traces with an origin in the window, 0..1; null when there are none. */
  readonly failingTraceShare: number | null;
  /** From the window when it has one. */
  readonly sampleTraceId: string;
  readonly totalRows: number;
}

/** Those that gained most per minute first. */
export function findErrorOrigins(
  database: Database,
  question: WindowQuestion,
  bounds: Bounds,
): Promise<Reading<ErrorOriginRow>> {
  const parameters = { ...windowParameters(question), limit: bounds.maxRows };
  return database.read(ERROR_ORIGINS, parameters, { tag: 'traces.error-origins', ...bounds });
}

/** A span that failed, or met an exception that its author did not mark as handled (status Ok). */
const IS_FAILING = "(StatusCode = 'Error' OR (StatusCode != 'Ok' AND has(Events.Name, 'exception')))";

/** Identifiers, numbers and quoted values differ from case to case; what remains names the kind of failure. */
function masked(text: string): string {
  const masks: readonly (readonly [string, string])[] = [
    ['[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}', '<uuid>'],
    ['\\\\b[0-9]+\\\\b', '<n>'],
    ['\\\\b(0x)?[0-9a-fA-F]{8,}\\\\b', '<hex>'],
    ['[0-9]+', '<n>'],
  ];
  return masks.reduce((inner, [pattern, mask]) => `replaceRegexpAll(${inner}, '${pattern}', '${mask}')`, text);
}

const ERROR_ORIGINS = `
WITH ${WINDOW_MINUTES} AS windowMinutes, ${BASELINE_MINUTES} AS baselineMinutes,
origins AS (
  SELECT ServiceName AS service, SpanName AS operation, TraceId, Timestamp, ${IN_WINDOW} AS isInWindow,
    ${EXCEPTION}['exception.type'] AS exceptionType,
    substringUTF8(if(StatusMessage != '', StatusMessage, ${EXCEPTION}['exception.message']), 1, 200) AS text,
    multiIf(exceptionType != '', exceptionType, text != '', ${masked('text')}, SpanAttributes['error.type']) AS reason
  FROM otel_traces
  WHERE (isInWindow OR ${IN_BASELINE}) AND ${IS_FAILING}
    AND ${SPAN_KEY} NOT IN (SELECT ${PARENT_KEY} FROM otel_traces WHERE ParentSpanId != '' AND ${NEAR_EITHER} AND ${IS_FAILING})
)
SELECT service, operation, reason,
  min(text) AS message,
  toFloat64(countIf(isInWindow)) AS windowCount,
  toFloat64(countIf(NOT isInWindow)) AS baselineCount,
  windowCount / windowMinutes AS windowPerMinute,
  baselineCount / baselineMinutes AS baselinePerMinute,
  toFloat64(uniqExactIf(TraceId, isInWindow)) AS windowTraces,
  windowTraces / (SELECT uniqExactIf(TraceId, isInWindow) FROM origins) AS failingTraceShare,
  argMin(TraceId, (NOT isInWindow, Timestamp, TraceId)) AS sampleTraceId,
  toFloat64(count() OVER ()) AS totalRows
FROM origins
GROUP BY service, operation, reason
ORDER BY ifNotFinite(windowPerMinute, 0) - ifNotFinite(baselinePerMinute, 0) DESC, windowCount DESC, service, operation, reason
LIMIT {limit:UInt32}`;
