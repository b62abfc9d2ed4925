/**
 * Counts for judging candidate onsets: what each (trace, service) did, how long calls took, where failures began, each counted
 * in time bins, so that one read serves every candidate. A bin is `binSeconds` long from the first candidate on; everything
 * before it (and before a gap in the telemetry) is bin -1. Spans that were delivered twice count once. Of very many traces a
 * sample is read, finer on the side of the candidates.
 */

import { FAILURE_REASONS, OUTSIDE_HOST } from '../domain/failure-reason.ts';
import { BUCKETS_PER_E } from '../domain/statistics/shift.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { ERROR_SEVERITY, LOG_TEMPLATE, LOGS_IN_WINDOW, SEVERITY } from './log-sql.ts';
import { EXCEPTION, IN_WINDOW, PARENT_KEY, SPAN_KEY } from './span-sql.ts';

export interface ShiftQuestion {
  /** All telemetry to look at: normal time and trouble. */
  readonly window: TimeWindow;
  /** Start of bin 0. */
  readonly firstOnsetMs: number;
  readonly binSeconds: number;
}

/**
 * How many units took part in a bin. A unit is one service's part of one trace, named by its first operation. `element`: ''
 * for the units themselves, else `operation NAME` or `log SEVERITY TEMPLATE` with the number of units that contain it.
 */
export interface CodePathCount {
  readonly service: string;
  readonly operation: string;
  readonly element: string;
  /** The unit logged an error or has a failed span. */
  readonly hasError: boolean;
  readonly bin: number;
  readonly units: number;
}

/**
 * Durations as counts by logarithmic bucket. `edge`: time between the caller's span and the callee's (network, queues);
 * `peer`: calls to something that sends no telemetry; `outside`: the same, to a host that is none of ours; `self`: a service's own time in a trace, without the calls it waits for.
 */
export interface DurationCount {
  readonly kind: 'edge' | 'peer' | 'outside' | 'self';
  /** Caller of an edge or peer; the service itself for self. */
  readonly source: string;
  /** Callee or peer; the first operation for self. */
  readonly target: string;
  readonly bin: number;
  readonly bucket: number;
  readonly calls: number;
}

/** Units of a service that began a failure: a failed span without a failed child; a call that failed alone blames its target. */
export interface FailureCount {
  readonly service: string;
  readonly bin: number;
  readonly units: number;
  readonly failures: number;
  /** Failures by what their words speak of: counts by index into FAILURE_REASONS. */
  readonly reasons: readonly number[];
  /** It sends no telemetry of its own: it is known by what its callers say. */
  readonly isPeer: boolean;
  /** And its host is none of ours. */
  readonly isOutside: boolean;
}

export type CodePathElements = 'operations' | 'log lines';

export interface ShiftReader {
  readCodePaths(
    question: ShiftQuestion & { elements: CodePathElements },
    bounds: Bounds,
  ): Promise<Reading<CodePathCount>>;
  readDurations(question: ShiftQuestion, bounds: Bounds): Promise<Reading<DurationCount>>;
  readFailures(question: ShiftQuestion, bounds: Bounds): Promise<Reading<FailureCount>>;
}

export function createShiftReader(database: Database): ShiftReader {
  const read = <Row extends object>(tag: string, sql: string, question: ShiftQuestion, bounds: Bounds) =>
    database.read<Row>(
      sql,
      {
        startMs: question.window.startMs,
        endMs: question.window.endMs,
        firstOnsetMs: question.firstOnsetMs,
        binMs: question.binSeconds * 1000,
        outsideHost: OUTSIDE_HOST.pattern,
        insideHost: OUTSIDE_HOST.except,
        reasonPatterns: FAILURE_REASONS.map(({ pattern }) => pattern),
      },
      { tag, ...bounds },
    );
  return {
    readCodePaths: (question, bounds) => read('shifts.code-paths', CODE_PATHS[question.elements], question, bounds),
    readDurations: (question, bounds) => read('shifts.durations', DURATIONS, question, bounds),
    readFailures: (question, bounds) => read('shifts.failures', FAILURES, question, bounds),
  };
}

const binOf = (timestamp: string) =>
  `if(toUnixTimestamp64Milli(${timestamp}) < {firstOnsetMs:Int64}, -1,
      toInt32(intDiv(toUnixTimestamp64Milli(${timestamp}) - {firstOnsetMs:Int64}, {binMs:Int64})))`;

/** What a client span called, for calls whose other side sends no telemetry (semantic conventions, newest name first). */
function peerName(attributes: string): string {
  const first = (...keys: string[]) =>
    `coalesce(${keys.map((key) => `nullIf(${attributes}['${key}'], '')`).join(', ')}, '')`;
  return first(
    'peer.service',
    'db.namespace',
    'db.name',
    'messaging.destination.name',
    'server.address',
    'net.peer.name',
    'db.system.name',
    'db.system',
    'messaging.system',
  );
}

/** More spans than this before, or after, the first candidate onset are sampled by trace: shares need no more. */
const SAMPLE_SPANS = 600_000;

/** A power of two, so that a trace that is kept by a coarser sample is kept by every finer one. */
const everyNth = (condition: string) =>
  `(SELECT toUInt64(exp2(ceil(log2(greatest(1, count() / ${SAMPLE_SPANS}))))) FROM otel_traces WHERE ${IN_WINDOW} AND ${condition})`;
const IS_NORMAL = 'toUnixTimestamp64Milli(Timestamp) < {firstOnsetMs:Int64}';

/** For a WITH clause: of how many traces one is read, before the first candidate onset and from then on. */
const SAMPLING = `${everyNth(IS_NORMAL)} AS normalSampling, ${everyNth(`NOT (${IS_NORMAL})`)} AS troubleSampling`;
const IS_SAMPLED = `cityHash64(TraceId) % if(${IS_NORMAL}, normalSampling, troubleSampling) = 0`;
const SPANS = `(${IN_WINDOW} AND ${IS_SAMPLED})`;
const LINES = `(${LOGS_IN_WINDOW} AND TraceId != '' AND ${IS_SAMPLED})`;

/** One name for each class of severities, whatever the source calls it; its own word where that says nothing. */
const SEVERITY_NAME = `multiIf(severity >= 21, 'FATAL', severity >= ${ERROR_SEVERITY}, 'ERROR', severity >= 13, 'WARN', severity >= 9, 'INFO',
        severity >= 5, 'DEBUG', severity >= 1, 'TRACE', SeverityText)`;

/** Units, with what they contain: operations or log lines. Units with an error are told apart in either case. */
const codePaths = (elements: string) => `
WITH ${SAMPLING},
  units AS (
    SELECT TraceId, ServiceName, argMin(SpanName, (Timestamp, -toInt64(Duration), SpanId)) AS Operation,
      ${binOf('min(Timestamp)')} AS Bin, max(StatusCode = 'Error') AS Failed
    FROM otel_traces WHERE ${SPANS} GROUP BY TraceId, ServiceName
  ),
  lines AS (
    SELECT TraceId, ServiceName, max((${SEVERITY} AS severity) >= ${ERROR_SEVERITY}) AS IsError,
      concat('log ', ${SEVERITY_NAME}, ' ', ${LOG_TEMPLATE}) AS Element
    FROM otel_logs WHERE ${LINES} GROUP BY TraceId, ServiceName, Element
  ),
  errors AS (SELECT TraceId, ServiceName FROM lines WHERE IsError GROUP BY TraceId, ServiceName),
  elements AS (
    SELECT TraceId, ServiceName, '' AS Element FROM units
    UNION ALL ${elements}
  )
SELECT service, operation, element, hasError, bin, units
FROM (
  SELECT u.ServiceName AS service, u.Operation AS operation, e.Element AS element,
    CAST(u.Failed OR (u.TraceId, u.ServiceName) IN errors, 'Bool') AS hasError, u.Bin AS bin, toFloat64(count()) AS units,
    sum(units) OVER (PARTITION BY service, operation, element) AS total
  FROM elements AS e INNER JOIN units AS u ON e.TraceId = u.TraceId AND e.ServiceName = u.ServiceName
  GROUP BY service, operation, element, hasError, bin
)
WHERE total >= 3
ORDER BY service, operation, element, hasError, bin`;

const CODE_PATHS: Readonly<Record<CodePathElements, string>> = {
  'log lines': codePaths('SELECT TraceId, ServiceName, Element FROM lines'),
  operations: codePaths(
    `SELECT DISTINCT TraceId, ServiceName, concat('operation ', SpanName) FROM otel_traces WHERE ${SPANS}`,
  ),
};

const REASON_TEXT = `concat(StatusMessage, '\\n', SpanAttributes['error.type'], '\\n', ${EXCEPTION}['exception.type'], '\\n', ${EXCEPTION}['exception.message'])`;

/** Index of the first reason that the words of a failed span match, from 1; 0 where none does. */
const REASON = `if(StatusCode = 'Error', arrayFirstIndex(pattern -> match(${REASON_TEXT}, pattern), {reasonPatterns:Array(String)}), 0)`;

const PEER_HOST = `coalesce(nullIf(SpanAttributes['server.address'], ''), nullIf(SpanAttributes['net.peer.name'], ''), domain(SpanAttributes['url.full']))`;
/** A database or queue with a public name is still part of the system. */
const IS_OUTSIDE = `(SpanAttributes['db.system'] = '' AND SpanAttributes['db.system.name'] = '' AND SpanAttributes['messaging.system'] = ''
  AND match(${PEER_HOST}, {outsideHost:String}) AND NOT match(${PEER_HOST}, {insideHost:String}))`;

const IS_SERVING = "SpanKind IN ('Server', 'Consumer')";

/**
 * Every span once, with its parent's service and duration and what its children did. One read of the spans and two joins on
 * eight-byte keys; everything below groups this once. `IsCalled`: its parent is in another service. `Callee`: a service that
 * it called. `IsPeerCall`: it called something that sends no telemetry. `IsServing`: it answers a call. A span that does and
 * has a callee is no span of a call: its duration says nothing about the way to the callee, and when it fails although all it
 * called went well, it failed by itself.
 */
const LINKED = `
  linked AS (
    SELECT cityHash64(s.TraceId) AS Trace, s.ServiceName AS Service, s.SpanName AS Name, s.Timestamp AS Start,
      toInt64(s.Duration) AS Nanos, s.StatusCode = 'Error' AS Failed, s.IsServing AS IsServing, p.ParentIsServing AS ParentIsServing, s.Peer AS Peer, s.IsOutside AS IsOutside, s.Reason AS Reason,
      p.ParentService AS ParentService, toInt64(p.ParentNanos) AS ParentNanos,
      ParentService = '' OR ParentService != Service AS IsEntry, ParentService != '' AND ParentService != Service AS IsCalled,
      arrayFilter(name -> name != Service, k.ChildServices)[1] AS Callee, k.HasFailedChild AS HasFailedChild,
      Peer != '' AND Callee = '' AS IsPeerCall
    FROM (
      SELECT TraceId, ${SPAN_KEY} AS Key, ${PARENT_KEY} AS ParentKey, ServiceName, SpanName, Timestamp, Duration, StatusCode, ${IS_SERVING} AS IsServing,
        if(SpanKind IN ('Client', 'Producer'), ${peerName('SpanAttributes')}, '') AS Peer,
        Peer != '' AND ${IS_OUTSIDE} AS IsOutside, ${REASON} AS Reason
      FROM otel_traces WHERE ${SPANS}
      LIMIT 1 BY Key, ServiceName
    ) AS s
    LEFT ANY JOIN (
      SELECT ${SPAN_KEY} AS Key, ServiceName AS ParentService, Duration AS ParentNanos, ${IS_SERVING} AS ParentIsServing
      FROM otel_traces WHERE ${SPANS}
    ) AS p ON s.ParentKey = p.Key
    LEFT ANY JOIN (
      SELECT ${PARENT_KEY} AS Key, arraySort(groupUniqArray(toString(ServiceName))) AS ChildServices,
        max(StatusCode = 'Error') AS HasFailedChild
      FROM otel_traces WHERE ${SPANS} AND ParentSpanId != '' GROUP BY Key
    ) AS k ON s.Key = k.Key
  )`;

const bucketOf = (nanos: string) => `toInt32(round(log(greatest(toFloat64(${nanos}) / 1e6, 0.5)) * ${BUCKETS_PER_E}))`;

const DURATIONS = `
WITH ${SAMPLING}, ${LINKED}
SELECT kind, source, target, bin, bucket, toFloat64(count()) AS calls
FROM (
  SELECT arrayJoin(arrayConcat(
      groupArrayIf(('edge', toString(ParentService), toString(Service), ${binOf('Start')}, ${bucketOf('ParentNanos - Nanos')}),
        IsCalled AND NOT ParentIsServing),
      groupArrayIf((if(IsOutside, 'outside', 'peer'), toString(Service), Peer, ${binOf('Start')}, ${bucketOf('Nanos')}), IsPeerCall),
      [('self', toString(Service), toString(argMin(Name, (Start, -Nanos, Name))), ${binOf('min(Start)')},
        ${bucketOf("sumIf(Nanos, IsEntry) - sumIf(Nanos, IsPeerCall OR (Callee != '' AND NOT IsServing))")})]
    )) AS fact,
    fact.1 AS kind, fact.2 AS source, fact.3 AS target, fact.4 AS bin, fact.5 AS bucket
  FROM linked GROUP BY Trace, Service
)
GROUP BY kind, source, target, bin, bucket
ORDER BY kind, source, target, bin, bucket`;

const FAILURES = `
WITH ${SAMPLING}, ${LINKED}
SELECT service, bin, toFloat64(count()) AS units, toFloat64(sum(failed)) AS failures,
  arrayMap(index -> toFloat64(arrayCount(reason -> reason = index, groupArrayIf(why, failed AND why > 0) AS reasons)), range(1, length({reasonPatterns:Array(String)}) + 1)) AS reasons,
  CAST(min(peer), 'Bool') AS isPeer, CAST(min(outside), 'Bool') AS isOutside
FROM (
  SELECT Trace, part.1 AS service, ${binOf('min(part.2)')} AS bin, max(part.3) AS failed, max(part.4) AS why, min(part.5) AS peer, min(part.6) AS outside
  FROM (
    SELECT Trace, arrayJoin(arrayConcat(
        [(toString(Service), Start, false, 0, false, false)],
        if(IsPeerCall, [(Peer, Start, false, 0, true, IsOutside)], []),
        if(Failed AND NOT HasFailedChild, [multiIf(IsServing, (toString(Service), Start, true, Reason, false, false), Callee != '', (Callee, Start, true, Reason, false, false),
          IsPeerCall, (Peer, Start, true, Reason, true, IsOutside), (toString(Service), Start, true, Reason, false, false))], [])
      )) AS part
    FROM linked
  )
  GROUP BY Trace, service
)
GROUP BY service, bin
ORDER BY service, bin`;
