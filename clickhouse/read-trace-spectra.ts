/**
 * Abnormal against normal traces: which operations occur in the ones but not in the others (spectrum-based localisation, Ochiai
 * as in Abreu et al. 2007), and which operations stopped following an entry operation.
 */
import type { Bounds, Database, Reading } from './database.ts';
import {
  DURATION_MS,
  FAILED,
  IN_BASELINE,
  IN_WINDOW,
  SAMPLED_NEAR_EITHER,
  SAMPLING,
  type WindowQuestion,
  windowParameters,
} from './span-sql.ts';

export interface TraceSpectrumQuestion extends WindowQuestion {
  /** Only traces that touch this service. */
  readonly service?: string | undefined;
}

/** An operation in the window's traces. Long windows are sampled by trace: counts are of the traces read. */
export interface OperationCoverageRow {
  readonly service: string;
  readonly operation: string;
  readonly abnormalCovered: number;
  readonly normalCovered: number;
  readonly abnormalTraces: number;
  readonly normalTraces: number;
  /** covered abnormal / sqrt(abnormal * covered), 0..1. */
  readonly ochiai: number;
  readonly totalRows: number;
}

/** An operation that follows an entry operation less often than in the baseline. */
export interface MissingOperationRow {
  readonly entryService: string;
  readonly entryOperation: string;
  readonly service: string;
  readonly operation: string;
  /** Share of the entry operation's baseline traces with this operation, 0..1. */
  readonly expectedShare: number;
  readonly observedShare: number;
  readonly baselineTraces: number;
  readonly windowTraces: number;
  /** Two-proportion z of the drop, pooled, each share with half a trace added. */
  readonly zScore: number;
  readonly totalRows: number;
}

export function readOperationCoverage(
  database: Database,
  question: TraceSpectrumQuestion,
  bounds: Bounds,
): Promise<Reading<OperationCoverageRow>> {
  return database.read(COVERAGE, parametersOf(question, bounds), { tag: 'traces.coverage', ...bounds });
}

export function readMissingOperations(
  database: Database,
  question: TraceSpectrumQuestion,
  bounds: Bounds,
): Promise<Reading<MissingOperationRow>> {
  return database.read(MISSING, parametersOf(question, bounds), { tag: 'traces.missing-operations', ...bounds });
}

function parametersOf(question: TraceSpectrumQuestion, bounds: Bounds) {
  return { ...windowParameters(question), service: question.service ?? '', limit: bounds.maxRows };
}

/** One row a trace. It belongs to the window in which its entry (its root, else its first span) starts. */
const TRACES = `
traces AS (
  SELECT entry.1 AS entryService, entry.2 AS entryOperation, entry.3 AS entryMs, hasError, operations,
    entry.4 AS Timestamp, ${IN_WINDOW} AS isInWindow, ${IN_BASELINE} AS isInBaseline
  FROM (
    SELECT TraceId,
      argMin((ServiceName, SpanName, ${DURATION_MS}, Timestamp), (ParentSpanId != '', Timestamp, SpanId)) AS entry,
      max(${FAILED}) AS hasError,
      groupUniqArray((ServiceName, SpanName)) AS operations
    FROM otel_traces
    WHERE TraceId != '' AND ${SAMPLED_NEAR_EITHER}
    GROUP BY TraceId
    HAVING {service:String} = '' OR max(ServiceName = {service:String})
  )
  WHERE isInWindow OR isInBaseline
)`;

const COVERAGE = `
WITH ${SAMPLING}, ${TRACES},
slowest AS (
  SELECT entryService, entryOperation, quantileExactInclusive(0.99)(entryMs) AS limitMs
  FROM traces WHERE isInBaseline
  GROUP BY entryService, entryOperation
),
judged AS (
  SELECT operations, hasError OR ifNull(entryMs > limitMs, false) AS isAbnormal
  FROM traces LEFT JOIN (SELECT entryService, entryOperation, toNullable(limitMs) AS limitMs FROM slowest) AS slowest USING (entryService, entryOperation)
  WHERE isInWindow
)
SELECT pair.1 AS service, pair.2 AS operation,
  toFloat64(countIf(isAbnormal)) AS abnormalCovered,
  toFloat64(countIf(NOT isAbnormal)) AS normalCovered,
  abnormalTraces, normalTraces,
  ifNotFinite(abnormalCovered / sqrt(abnormalTraces * (abnormalCovered + normalCovered)), 0) AS ochiai,
  toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT isAbnormal, arrayJoin(operations) AS pair, abnormalTraces, normalTraces
  FROM (
    SELECT *, toFloat64(countIf(isAbnormal) OVER ()) AS abnormalTraces, toFloat64(countIf(NOT isAbnormal) OVER ()) AS normalTraces
    FROM judged
  )
)
GROUP BY service, operation, abnormalTraces, normalTraces
ORDER BY ochiai DESC, abnormalCovered DESC, service, operation
LIMIT {limit:UInt32}`;

/** Fewer traces of an entry operation than this tell nothing about what is missing from them. */
const MIN_TRACES = 5;

/** The share that both windows would have if nothing had changed. */
const POOLED = '((baselineCount + windowCount + 1) / (baselineTraces + windowTraces + 2))';

const MISSING = `
WITH ${SAMPLING}, ${TRACES},
entries AS (
  SELECT entryService, entryOperation, toFloat64(countIf(isInBaseline)) AS baselineTraces, toFloat64(countIf(isInWindow)) AS windowTraces
  FROM traces
  GROUP BY entryService, entryOperation
  HAVING baselineTraces >= ${MIN_TRACES} AND windowTraces >= ${MIN_TRACES}
),
followers AS (
  SELECT entryService, entryOperation, pair.1 AS service, pair.2 AS operation,
    countIf(isInBaseline) AS baselineCount, countIf(isInWindow) AS windowCount
  FROM (SELECT *, arrayJoin(operations) AS pair FROM traces)
  GROUP BY entryService, entryOperation, service, operation
)
SELECT entryService, entryOperation, service, operation,
  baselineCount / baselineTraces AS expectedShare,
  windowCount / windowTraces AS observedShare,
  baselineTraces, windowTraces,
  ((baselineCount + 0.5) / (baselineTraces + 1) - (windowCount + 0.5) / (windowTraces + 1))
    / sqrt(${POOLED} * (1 - ${POOLED}) * (1 / (baselineTraces + 1) + 1 / (windowTraces + 1))) AS zScore,
  toFloat64(count() OVER ()) AS totalRows
FROM followers INNER JOIN entries USING (entryService, entryOperation)
WHERE observedShare < expectedShare AND zScore > 2
ORDER BY zScore DESC, expectedShare DESC, entryService, entryOperation, service, operation
LIMIT {limit:UInt32}`;
