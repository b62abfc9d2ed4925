/** Operations of services in a window against a baseline: rates, errors, durations, and the time they spend themselves. */
import type { Bounds, Database, Reading } from './database.ts';
import {
  DURATION_MS,
  FAILED,
  numbersTuple,
  OF_SERVICE,
  PARENT_KEY,
  quantileMs,
  relativeChange,
  SAMPLED_IN_BASELINE,
  SAMPLED_IN_WINDOW,
  SAMPLED_NEAR_EITHER,
  SAMPLING,
  SMALL_MS,
  SPAN_KEY,
  trust,
  type WindowQuestion,
  windowParameters,
} from './span-sql.ts';

export interface OperationRow {
  readonly service: string;
  /** Span name. */
  readonly operation: string;
  readonly spanKind: string;
  readonly window: OperationNumbers;
  readonly baseline: OperationNumbers;
  /** 0 (nothing changed) to 1: the largest relative change of rate, error ratio or own time, discounted for few calls. */
  readonly changeScore: number;
  readonly totalRows: number;
}

export interface OperationNumbers {
  readonly calls: number;
  /** By the minutes in which the service had any span; null when it had none. */
  readonly callsPerMinute: number | null;
  /** By the traces that touch the service. */
  readonly callsPerTrace: number | null;
  /** 0..1; null without calls. */
  readonly errorRatio: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Duration minus the durations of direct children (except consumers of its messages), never below 0. */
  readonly selfP50Ms: number | null;
  readonly selfP95Ms: number | null;
}

export function readOperations(
  database: Database,
  question: WindowQuestion & { service?: string | undefined },
  bounds: Bounds,
): Promise<Reading<OperationRow>> {
  const parameters = { ...windowParameters(question), service: question.service ?? '', limit: bounds.maxRows };
  return database.read(COMPARE_OPERATIONS, parameters, { tag: 'services.operations', ...bounds });
}

function aggregates(prefix: string, isInside: string): string {
  return `
    countIf(${isInside}) AS ${prefix}Calls,
    countIf(${isInside} AND isFailed) / ${prefix}Calls AS ${prefix}ErrorRatio,
    ${quantileMs(0.5, 'durationMs', isInside)} AS ${prefix}P50,
    ${quantileMs(0.95, 'durationMs', isInside)} AS ${prefix}P95,
    ${quantileMs(0.99, 'durationMs', isInside)} AS ${prefix}P99,
    ${quantileMs(0.5, 'selfMs', isInside)} AS ${prefix}SelfP50,
    ${quantileMs(0.95, 'selfMs', isInside)} AS ${prefix}SelfP95`;
}

function numbers(prefix: string): string {
  return numbersTuple({
    calls: `${prefix}Calls * ${prefix}Sampling`,
    callsPerMinute: `${prefix}Rate`,
    callsPerTrace: `${prefix}Calls / ${prefix}Traces`,
    errorRatio: `${prefix}ErrorRatio`,
    p50Ms: `${prefix}P50`,
    p95Ms: `${prefix}P95`,
    p99Ms: `${prefix}P99`,
    selfP50Ms: `${prefix}SelfP50`,
    selfP95Ms: `${prefix}SelfP95`,
  });
}

function minutesOf(isInside: string, end: string, start: string): string {
  return `least(toFloat64(uniqExactIf(toStartOfMinute(Timestamp), ${isInside})), (${end} - ${start}) / 60000)`;
}

const COMPARE_OPERATIONS = `
WITH ${SAMPLING}
SELECT service, operation, spanKind,
  ${numbers('window')} AS window,
  ${numbers('baseline')} AS baseline,
  ${trust('greatest(windowCalls, baselineCalls)')} * greatest(
    ${relativeChange('windowRate', 'baselineRate', 0)},
    ifNotFinite(abs(windowErrorRatio - baselineErrorRatio), 0),
    ${relativeChange('windowSelfP50', 'baselineSelfP50', SMALL_MS)},
    ${relativeChange('windowSelfP95', 'baselineSelfP95', SMALL_MS)}) AS changeScore,
  toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT *, windowCalls * windowSampling / windowMinutes AS windowRate, baselineCalls * baselineSampling / baselineMinutes AS baselineRate
  FROM (
    SELECT ServiceName AS service, SpanName AS operation, SpanKind AS spanKind,
      ${aggregates('window', 'isInWindow')},
      ${aggregates('baseline', 'isInBaseline')}
    FROM (
      SELECT span.*, greatest(0, durationMs - childrenMs) AS selfMs
      FROM (
        SELECT ServiceName, SpanName, SpanKind, SpanId, ${SPAN_KEY} AS spanKey, ${DURATION_MS} AS durationMs, ${FAILED} AS isFailed,
          ${SAMPLED_IN_WINDOW} AS isInWindow, ${SAMPLED_IN_BASELINE} AS isInBaseline
        FROM otel_traces
        WHERE ${OF_SERVICE} AND (isInWindow OR isInBaseline)
      ) AS span
      LEFT JOIN (
        SELECT ${PARENT_KEY} AS parentKey, sum(Duration) / 1e6 AS childrenMs
        FROM otel_traces
        WHERE ParentSpanId != '' AND SpanKind != 'Consumer' AND ${SAMPLED_NEAR_EITHER}
        GROUP BY parentKey
      ) AS children ON span.spanKey = children.parentKey
    )
    GROUP BY service, operation, spanKind
  ) AS operations
  INNER JOIN (
    SELECT ServiceName AS service,
      ${minutesOf(SAMPLED_IN_WINDOW, '{endMs:Int64}', '{startMs:Int64}')} AS windowMinutes,
      ${minutesOf(SAMPLED_IN_BASELINE, '{baselineEndMs:Int64}', '{baselineStartMs:Int64}')} AS baselineMinutes,
      uniqExactIf(cityHash64(TraceId), ${SAMPLED_IN_WINDOW}) AS windowTraces,
      uniqExactIf(cityHash64(TraceId), ${SAMPLED_IN_BASELINE}) AS baselineTraces
    FROM otel_traces
    WHERE ${OF_SERVICE} AND (${SAMPLED_IN_WINDOW} OR ${SAMPLED_IN_BASELINE})
    GROUP BY service
  ) AS services USING (service)
)
ORDER BY changeScore DESC, windowCalls DESC, service, operation, spanKind
LIMIT {limit:UInt32}`;
