/** What people changed: changes that somebody recorded, and deploys that telemetry itself shows by a new `service.version`. */
import type { ChangeKind } from '../domain/change.ts';
import type { QueryParameters } from '../domain/evidence.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { LOG_TEMPLATE, LOGS_IN_WINDOW, SEVERITY } from './log-sql.ts';
import { minuteParameters, presence } from './rollup-sql.ts';
import {
  DURATION_MS,
  EXCEPTION,
  FAILED,
  OF_SERVICE,
  SAMPLED_IN_WINDOW,
  SAMPLING,
  windowParameters,
} from './span-sql.ts';
import { timeWithin } from './time-sql.ts';

export interface ChangeReader {
  /** Changes as they were last recorded, the newest first, `maxRows` at the most. */
  listRecorded(question: RecordedChangeQuestion, bounds: Bounds): Promise<Reading<RecordedChangeRow>>;
  /** Versions first seen in the window on services that ran another one before, the newest first. */
  inferDeploys(
    question: { window: TimeWindow; service?: string | undefined },
    bounds: Bounds,
  ): Promise<Reading<InferredDeployRow>>;
  /** Kinds of log lines with their course by step; those that report trouble first, then the most frequent. */
  readLogKinds(question: CourseQuestion, bounds: Bounds): Promise<Reading<LogKindRow>>;
  /** Spans by operation and how they ended, with their course by step; those that failed first, then the most frequent. */
  readSpanKinds(question: CourseQuestion, bounds: Bounds): Promise<Reading<SpanKindRow>>;
}

/** Steps are counted from the start of the window. */
export interface CourseQuestion {
  readonly window: TimeWindow;
  readonly stepSeconds: number;
}

export interface LogKindRow {
  readonly service: string;
  /** OTLP's, 0..24. */
  readonly severityNumber: number;
  readonly template: string;
  readonly sample: string;
  readonly count: number;
  /** Of lines of severity WARN and above; 0 below. */
  readonly distinctBodies: number;
  readonly firstMs: number;
  /** [start of step, lines] by time; steps without lines are left out. */
  readonly counts: readonly (readonly [number, number])[];
  readonly totalRows: number;
}

export interface SpanKindRow {
  readonly service: string;
  readonly operation: string;
  readonly isFailed: boolean;
  /** Exception type and message, or the status message, of one of them. */
  readonly message: string;
  /** Attributes of one of them, keys and values with spaces between. */
  readonly details: string;
  readonly count: number;
  readonly firstMs: number;
  /** [start of step, mean milliseconds] by time. */
  readonly durations: readonly (readonly [number, number])[];
  /** [start of step, spans for each trace they are in] by time. */
  readonly perTrace: readonly (readonly [number, number])[];
  readonly totalRows: number;
}

export interface RecordedChangeQuestion {
  readonly window: TimeWindow;
  /** Changes of this service, and those that are bound to none. */
  readonly service?: string | undefined;
  /** All kinds when left out. */
  readonly kinds?: readonly ChangeKind[] | undefined;
  /** Diffs are cut to so many characters. */
  readonly diffCharacters: number;
}

export interface RecordedChangeRow {
  readonly changeId: string;
  readonly kind: ChangeKind;
  readonly service: string;
  readonly atMs: number;
  readonly version: string;
  readonly summary: string;
  readonly author: string;
  readonly url: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly diff: string;
  readonly totalRows: number;
}

export interface InferredDeployRow {
  readonly service: string;
  readonly version: string;
  /** The one first seen last before it. */
  readonly previousVersion: string;
  /** First telemetry with the version. */
  readonly atMs: number;
  /** Which signals showed it, sorted. */
  readonly signals: readonly string[];
  readonly totalRows: number;
}

/** A version that nobody saw for so long counts as new. */
const LOOKBACK_MS = 86_400_000;

/** Versions that appear this soon after the service itself were running together when telemetry began. */
const SETTLING_MS = 120_000;

/** @param own where recorded changes are, whoever fills the tables of telemetry */
export function createChangeReader(database: Database, own: Database): ChangeReader {
  return {
    listRecorded: ({ window, service = '', kinds = [], diffCharacters }, bounds) =>
      own.read(
        RECORDED,
        {
          startMs: window.startMs,
          endMs: window.endMs,
          service,
          kinds: [...kinds],
          diffCharacters,
          limit: bounds.maxRows,
        },
        { tag: 'changes.listRecorded', ...bounds },
      ),
    inferDeploys: ({ window, service = '' }, bounds) =>
      database.read(
        INFERRED,
        {
          ...minuteParameters({ startMs: window.startMs - LOOKBACK_MS, endMs: window.endMs }),
          fromMs: window.startMs,
          service,
          limit: bounds.maxRows,
        },
        { tag: 'changes.inferDeploys', ...bounds },
      ),
    readLogKinds: (question, bounds) =>
      database.read(
        LOG_KINDS,
        { ...courseParameters(question), limit: bounds.maxRows },
        { tag: 'changes.readLogKinds', ...bounds },
      ),
    readSpanKinds: (question, bounds) =>
      database.read(
        SPAN_KINDS,
        { ...courseParameters(question), limit: bounds.maxRows },
        { tag: 'changes.readSpanKinds', ...bounds },
      ),
  };
}

function courseParameters({ window, stepSeconds }: CourseQuestion): QueryParameters {
  return { ...windowParameters({ window }), stepMs: stepSeconds * 1000 };
}

const SAMPLE_CHARACTERS = 400;
const STEP = '{startMs:Int64} + {stepMs:Int64} * intDiv(atMs - {startMs:Int64}, {stepMs:Int64})';
/** Lines below WARN say what happens, not what is wrong: nobody asks how many of them are alike. */
const REPORTS_TROUBLE = 'severityNumber >= 13';

const LOG_KINDS = `
SELECT service, severityNumber, template, min(earliest).2 AS sample, toFloat64(sum(lines)) AS count,
  toFloat64(uniqExactMerge(bodies)) AS distinctBodies, toFloat64(min(earliest).1) AS firstMs,
  arraySort(groupArray((toFloat64(step), toFloat64(lines)))) AS counts, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT service, severityNumber, template, ${STEP} AS step, count() AS lines, min((atMs, body)) AS earliest,
    uniqExactStateIf(bodyKey, ${REPORTS_TROUBLE}) AS bodies
  FROM (
    SELECT ServiceName AS service, ${SEVERITY} AS severityNumber, toUnixTimestamp64Milli(Timestamp) AS atMs,
      ${LOG_TEMPLATE} AS template, leftUTF8(Body, ${SAMPLE_CHARACTERS}) AS body, cityHash64(Body) AS bodyKey
    FROM otel_logs
    WHERE ${LOGS_IN_WINDOW}
  )
  GROUP BY service, severityNumber, template, step
)
GROUP BY service, severityNumber, template
ORDER BY ${REPORTS_TROUBLE} DESC, count DESC, service, severityNumber, template
LIMIT {limit:UInt32}`;

/** What a span says went wrong, under the name of a log line's body, so that it is masked as one. */
const SAID = `trim(concat(${EXCEPTION}['exception.type'], ' ',
      if(StatusMessage != '', StatusMessage, ${EXCEPTION}['exception.message'])))`;
const DETAILS = `leftUTF8(arrayStringConcat(
      arrayMap((key, value) -> concat(key, ' ', value), mapKeys(SpanAttributes), mapValues(SpanAttributes)), ' '), ${SAMPLE_CHARACTERS})`;

const SPAN_KINDS = `
WITH ${SAMPLING}
SELECT service, operation, toBool(isFailed) AS isFailed, min(earliest).2 AS message, min(earliest).3 AS details,
  toFloat64(sum(spans)) AS count, toFloat64(min(earliest).1) AS firstMs,
  arrayMap(one -> (one.1, one.2), arraySort(groupArray((toFloat64(step), totalMs / spans, spans / traces)) AS course)) AS durations,
  arrayMap(one -> (one.1, one.3), arraySort(course)) AS perTrace, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT service, operation, isFailed, ${LOG_TEMPLATE} AS template, ${STEP} AS step, count() AS spans,
    uniqExact(traceKey) AS traces, sum(durationMs) AS totalMs, min((atMs, leftUTF8(Body, ${SAMPLE_CHARACTERS}), attributes)) AS earliest
  FROM (
    SELECT ServiceName AS service, SpanName AS operation, ${FAILED} AS isFailed, ${SAID} AS Body, ${DETAILS} AS attributes,
      cityHash64(TraceId) AS traceKey, toUnixTimestamp64Milli(Timestamp) AS atMs, ${DURATION_MS} AS durationMs
    FROM otel_traces
    WHERE ${SAMPLED_IN_WINDOW}
  )
  GROUP BY service, operation, isFailed, template, step
)
GROUP BY service, operation, isFailed, template
ORDER BY isFailed DESC, count DESC, service, operation, template
LIMIT {limit:UInt32}`;

const RECORDED = `
SELECT ChangeId AS changeId, Kind AS kind, ServiceName AS service, toFloat64(toUnixTimestamp64Milli(Timestamp)) AS atMs,
  Version AS version, Summary AS summary, Author AS author, Url AS url, Attributes AS attributes,
  leftUTF8(Diff, {diffCharacters:UInt32}) AS diff, toFloat64(count() OVER ()) AS totalRows
FROM inquest_changes FINAL
WHERE ${timeWithin('Timestamp', '{startMs:Int64}', '{endMs:Int64}')}
  AND (${OF_SERVICE} OR ServiceName = '')
  AND (empty({kinds:Array(String)}) OR has({kinds:Array(String)}, Kind))
ORDER BY Timestamp DESC, changeId
LIMIT {limit:UInt32}`;

const INFERRED = `
SELECT service, version, previousVersion, toFloat64(versionFirstMs) AS atMs, signals, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT service, version, min(firstMs) AS versionFirstMs, arraySort(groupUniqArray(signal)) AS signals,
    lagInFrame(version) OVER (PARTITION BY service ORDER BY versionFirstMs, version
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS previousVersion,
    min(versionFirstMs) OVER (PARTITION BY service) AS serviceFirstMs
  FROM (
    SELECT ServiceName AS service, toString(Version) AS version, Signal AS signal, FirstMs AS firstMs
    FROM (${presence(OF_SERVICE)}
    )
    WHERE Version != ''
  )
  GROUP BY service, version
)
WHERE versionFirstMs >= {fromMs:Int64} AND versionFirstMs < {endMs:Int64} AND previousVersion != ''
  AND versionFirstMs >= serviceFirstMs + ${SETTLING_MS}
ORDER BY atMs DESC, service, version
LIMIT {limit:UInt32}`;
