/**
 * Which values of any attribute are over-represented among failing (or slow) entry spans against the others of the same window:
 * one row for each key and value, compared by log odds.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import {
  DURATION_MS,
  entrySpan,
  FAILED,
  IN_BASELINE,
  IN_WINDOW,
  NEAR_EITHER,
  OF_SERVICE,
  quantileMs,
  windowParameters,
} from './span-sql.ts';

export interface AttributeContrastQuestion {
  readonly window: TimeWindow;
  /** Where an operation's usual durations are taken from (split `slow`); the window itself when left out. */
  readonly baseline?: TimeWindow | undefined;
  readonly service?: string | undefined;
  readonly operation?: string | undefined;
  /** What makes a span affected: it failed, or took longer than its operation's 95th percentile. */
  readonly split: 'failing' | 'slow';
  readonly limit: number;
}

export interface AttributeContrastRow {
  readonly source: 'span' | 'resource';
  readonly key: string;
  readonly value: string;
  readonly affectedCount: number;
  readonly otherCount: number;
  readonly affectedTotal: number;
  readonly otherTotal: number;
  /** Of affected spans, 0..1. */
  readonly affectedShare: number;
  readonly otherShare: number;
  /** affectedShare / otherShare, half a span added to each count. */
  readonly lift: number;
  /** Log odds ratio (natural), Haldane-Anscombe corrected, over its standard error. */
  readonly zScore: number;
  /** The key tells how the span ended (status code, error type), not what it met: it goes with failing by itself. */
  readonly isOutcome: boolean;
  readonly totalRows: number;
}

/** At the most so many affected and so many other spans are compared, chosen by hash. */
const SAMPLE_SPANS = 20_000;
const VALUES_PER_KEY = 5;
const MIN_AFFECTED = 2;

/** Circumstances first, outcomes last, each with the clearest contrast first. */
export function contrastAttributes(
  database: Database,
  question: AttributeContrastQuestion,
  bounds: Bounds,
): Promise<Reading<AttributeContrastRow>> {
  const parameters = {
    ...windowParameters({ window: question.window, baseline: question.baseline ?? question.window }),
    service: question.service ?? '',
    operation: question.operation ?? '',
    split: question.split,
    limit: Math.min(question.limit, bounds.maxRows),
  };
  return database.read(CONTRAST, parameters, { tag: 'traces.attributes', ...bounds });
}

const OF_OPERATION = "({operation:String} = '' OR SpanName = {operation:String})";
const ASKED = `${OF_SERVICE} AND ${OF_OPERATION} AND ${entrySpan(NEAR_EITHER)}`;

const OUTCOME_KEYS =
  '^(error|error\\\\..*|exception\\\\..*|otel\\\\.status.*|status|.*status[._]?(code|text|message)|.*response[._]code)$';

/** Keys and values longer than this tell a person nothing; cutting keeps hostile telemetry small. */
const MAX_VALUE_LENGTH = 200;

const CONTRAST = `
WITH limits AS (
  SELECT ServiceName, SpanName, ${quantileMs(0.95, DURATION_MS, 'true')} AS limitMs
  FROM otel_traces
  WHERE {split:String} = 'slow' AND ${IN_BASELINE} AND ${ASKED}
  GROUP BY ServiceName, SpanName
),
sampled AS (
  SELECT isAffected, SpanAttributes, ResourceAttributes
  FROM (
    SELECT span.TraceId AS TraceId, span.SpanId AS SpanId, span.SpanAttributes AS SpanAttributes,
      span.ResourceAttributes AS ResourceAttributes,
      if({split:String} = 'slow', limits.limitMs > 0 AND span.Duration / 1e6 > limits.limitMs, span.isFailed) AS isAffected
    FROM (
      SELECT TraceId, SpanId, ServiceName, SpanName, Duration, ${FAILED} AS isFailed, SpanAttributes, ResourceAttributes
      FROM otel_traces
      WHERE ${IN_WINDOW} AND ${ASKED}
    ) AS span
    LEFT JOIN limits ON span.ServiceName = limits.ServiceName AND span.SpanName = limits.SpanName
  )
  ORDER BY cityHash64(TraceId, SpanId), TraceId, SpanId
  LIMIT ${SAMPLE_SPANS} BY isAffected
),
(SELECT toFloat64(countIf(isAffected)) FROM sampled) AS affectedTotal,
(SELECT toFloat64(countIf(NOT isAffected)) FROM sampled) AS otherTotal
SELECT *, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT source, key, value, affectedCount, otherCount, affectedTotal, otherTotal,
    affectedCount / affectedTotal AS affectedShare,
    ifNotFinite(otherCount / otherTotal, 0) AS otherShare,
    ((affectedCount + 0.5) / (affectedTotal + 1)) / ((otherCount + 0.5) / (otherTotal + 1)) AS lift,
    log((affectedCount + 0.5) * (otherTotal - otherCount + 0.5) / ((affectedTotal - affectedCount + 0.5) * (otherCount + 0.5)))
      / sqrt(1 / (affectedCount + 0.5) + 1 / (affectedTotal - affectedCount + 0.5) + 1 / (otherCount + 0.5) + 1 / (otherTotal - otherCount + 0.5))
      AS zScore,
    toBool(match(key, '${OUTCOME_KEYS}')) AS isOutcome
  FROM (
    SELECT attribute.1 AS source, attribute.2 AS key, attribute.3 AS value,
      toFloat64(countIf(isAffected)) AS affectedCount, toFloat64(countIf(NOT isAffected)) AS otherCount
    FROM (
      SELECT isAffected, arrayJoin(arrayConcat(
        arrayMap((k, v) -> ('span', k, substringUTF8(v, 1, ${MAX_VALUE_LENGTH})), mapKeys(SpanAttributes), mapValues(SpanAttributes)),
        arrayMap((k, v) -> ('resource', k, substringUTF8(v, 1, ${MAX_VALUE_LENGTH})), mapKeys(ResourceAttributes), mapValues(ResourceAttributes)))) AS attribute
      FROM sampled
    )
    GROUP BY source, key, value
  )
  WHERE affectedCount >= ${MIN_AFFECTED} AND affectedShare > otherShare
  ORDER BY zScore DESC, affectedCount DESC, value
  LIMIT ${VALUES_PER_KEY} BY source, key
)
ORDER BY isOutcome, zScore DESC, affectedCount DESC, source, key, value
LIMIT {limit:UInt32}`;
