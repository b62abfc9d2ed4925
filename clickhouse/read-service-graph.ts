/**
 * Who calls whom: child spans joined to their parents in another service of the same trace, and outgoing calls that no span
 * of another service answers, grouped to the peer their attributes name.
 */
import type { Bounds, Database, Reading } from './database.ts';
import {
  BASELINE_MINUTES,
  DURATION_MS,
  FAILED,
  NEAR_EITHER,
  numbersTuple,
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
  WINDOW_MINUTES,
  type WindowQuestion,
  windowParameters,
} from './span-sql.ts';

/**
 * call: answered by a span of the callee. message: through a queue (the receiver is a Consumer). external: no span answers and the peer
 * sends no telemetry. unanswered: no span answers although the peer is a service that sends spans (lost or refused calls).
 */
export type EdgeKind = 'call' | 'message' | 'external' | 'unanswered';

export interface ServiceGraphQuestion extends WindowQuestion {
  /** Only edges from or to this service. */
  readonly service?: string | undefined;
}

export interface ServiceEdgeRow {
  readonly caller: string;
  /** A service, or the peer's name for edges nobody answers (`unknown` when no attribute names it). */
  readonly callee: string;
  readonly kind: EdgeKind;
  readonly window: EdgeNumbers;
  /** All 0 or null without a baseline. */
  readonly baseline: EdgeNumbers;
  /** 0..1: the largest relative change of rate, error ratio, gap or callee's time, discounted for few calls; 0 without a baseline. */
  readonly changeScore: number;
  readonly totalRows: number;
}

export interface EdgeNumbers {
  readonly calls: number;
  /** By the minutes in which any span arrived; null when none did. */
  readonly callsPerMinute: number | null;
  /** In the traces that have this edge. */
  readonly callsPerTrace: number | null;
  /** Calls whose answering span failed; for calls nobody answers, whose outgoing span failed. */
  readonly errors: number;
  /** Calls whose outgoing span failed. */
  readonly clientErrors: number;
  /** Outgoing spans; null where none was recorded or the call is a message. */
  readonly clientP50Ms: number | null;
  readonly clientP95Ms: number | null;
  /** Answering spans. */
  readonly serverP50Ms: number | null;
  readonly serverP95Ms: number | null;
  /** Outgoing minus answering span, call by call: network, queueing, connecting. */
  readonly gapP50Ms: number | null;
  readonly gapP95Ms: number | null;
}

export function readServiceGraph(
  database: Database,
  question: ServiceGraphQuestion,
  bounds: Bounds,
): Promise<Reading<ServiceEdgeRow>> {
  const parameters = { ...windowParameters(question), service: question.service ?? '', limit: bounds.maxRows };
  return database.read(SERVICE_GRAPH, parameters, { tag: 'services.graph', ...bounds });
}

const IS_OUTGOING = "(SpanKind IN ('Client', 'Producer'))";

/** The first attribute that names whom an outgoing call went to, after the semantic conventions, old names and new. */
const PEER = `
  multiIf(
    attribute['peer.service'] != '', attribute['peer.service'],
    dbSystem != '', if(dbName != '', concat(dbSystem, '/', dbName), dbSystem),
    attribute['messaging.system'] != '',
      if(destination != '', concat(attribute['messaging.system'], '/', destination), attribute['messaging.system']),
    attribute['server.address'] != '', attribute['server.address'],
    attribute['net.peer.name'] != '', attribute['net.peer.name'],
    attribute['rpc.service'] != '', attribute['rpc.service'],
    urlHost != '', urlHost,
    'unknown')`;

/**
 * The caller's side of a call is its outgoing span. Where a source records no kinds, it is a parent with this one child;
 * any other parent does more than wait for the call, so its duration says nothing about the edge.
 */
const CALLS = `
  SELECT
    parent.ServiceName AS caller,
    child.ServiceName AS callee,
    if(child.SpanKind = 'Consumer' OR parent.SpanKind = 'Producer', 'message', 'call') AS edgeKind,
    child.isInWindow AS isInWindow, child.isInBaseline AS isInBaseline, child.SpanId AS SpanId, child.TraceId AS TraceId,
    child.isFailed AS isFailed,
    edgeKind = 'call' AND (parent.SpanKind = 'Client' OR (parent.SpanKind = 'Unspecified' AND parent.hasOneChild)) AS hasClient,
    (parent.SpanKind IN ('Client', 'Producer') OR hasClient) AND parent.isFailed AS isClientFailed,
    true AS hasServer,
    parent.durationMs AS clientMs,
    child.durationMs AS serverMs
  FROM (
    SELECT ${SPAN_KEY} AS spanKey, ServiceName, SpanKind, ${DURATION_MS} AS durationMs, ${FAILED} AS isFailed,
      SpanKind = 'Unspecified' AND spanKey NOT IN (
        SELECT ${PARENT_KEY} AS parentKey FROM otel_traces
        WHERE SpanKind = 'Unspecified' AND ${SAMPLED_NEAR_EITHER} GROUP BY parentKey HAVING count() > 1) AS hasOneChild
    FROM otel_traces
    WHERE ${SAMPLED_NEAR_EITHER}
  ) AS parent
  INNER JOIN (
    SELECT ${PARENT_KEY} AS parentKey, TraceId, SpanId, ServiceName, SpanKind, ${DURATION_MS} AS durationMs, ${FAILED} AS isFailed,
      ${SAMPLED_IN_WINDOW} AS isInWindow, ${SAMPLED_IN_BASELINE} AS isInBaseline
    FROM otel_traces
    WHERE ParentSpanId != '' AND NOT ${IS_OUTGOING} AND (isInWindow OR isInBaseline)
  ) AS child ON parent.spanKey = child.parentKey
  WHERE parent.ServiceName != child.ServiceName`;

/** Innermost outgoing spans without an answer: a driver's span inside a repository's span is the same call. */
const UNANSWERED = `
  SELECT
    ServiceName AS caller,
    multiIf(peer IN (services), peer, peerLabel IN (services), peerLabel, peer) AS callee,
    if(callee IN (services), 'unanswered', 'external') AS edgeKind,
    isInWindow, isInBaseline, SpanId, TraceId, isFailed,
    SpanKind != 'Producer' AS hasClient,
    isFailed AS isClientFailed,
    false AS hasServer,
    durationMs AS clientMs,
    0. AS serverMs
  FROM (
    SELECT ServiceName, SpanKind, SpanId, TraceId, ${FAILED} AS isFailed, ${DURATION_MS} AS durationMs,
      ${SAMPLED_IN_WINDOW} AS isInWindow, ${SAMPLED_IN_BASELINE} AS isInBaseline, SpanAttributes AS attribute,
      if(attribute['db.system.name'] != '', attribute['db.system.name'], attribute['db.system']) AS dbSystem,
      if(attribute['db.namespace'] != '', attribute['db.namespace'], attribute['db.name']) AS dbName,
      if(attribute['messaging.destination.name'] != '', attribute['messaging.destination.name'], attribute['messaging.destination'])
        AS destination,
      domain(if(attribute['url.full'] != '', attribute['url.full'], attribute['http.url'])) AS urlHost,
      ${PEER} AS peer,
      splitByChar('.', peer)[1] AS peerLabel
    FROM otel_traces
    WHERE (isInWindow OR isInBaseline)
      AND (${IS_OUTGOING} OR (SpanKind = 'Unspecified' AND peer != 'unknown'))
      AND ${SPAN_KEY} NOT IN (
        SELECT ${PARENT_KEY} FROM otel_traces
        WHERE ParentSpanId != '' AND SpanKind != 'Internal' AND ${SAMPLED_NEAR_EITHER})
  )`;

function numbers(isInside: string, sampling: string, minutes: string): string {
  const client = `${isInside} AND hasClient`;
  const server = `${isInside} AND hasServer`;
  const both = `${isInside} AND hasClient AND hasServer`;
  return numbersTuple({
    calls: `countIf(${isInside}) * ${sampling}`,
    callsPerMinute: `countIf(${isInside}) * ${sampling} / ${minutes}`,
    callsPerTrace: `countIf(${isInside}) / uniqExactIf(cityHash64(TraceId), ${isInside})`,
    errors: `countIf(${isInside} AND isFailed) * ${sampling}`,
    clientErrors: `countIf(${isInside} AND isClientFailed) * ${sampling}`,
    clientP50Ms: quantileMs(0.5, 'clientMs', client),
    clientP95Ms: quantileMs(0.95, 'clientMs', client),
    serverP50Ms: quantileMs(0.5, 'serverMs', server),
    serverP95Ms: quantileMs(0.95, 'serverMs', server),
    gapP50Ms: quantileMs(0.5, 'clientMs - serverMs', both),
    gapP95Ms: quantileMs(0.95, 'clientMs - serverMs', both),
  });
}

/** The callee's own time: its answering spans', or the caller's wait where nobody answers. */
function calleeP50(side: string): string {
  return `ifNotFinite(${side}.serverP50Ms, ${side}.clientP50Ms)`;
}

const SERVICE_GRAPH = `
WITH ${SAMPLING}, ${WINDOW_MINUTES} AS windowMinutes, ${BASELINE_MINUTES} AS baselineMinutes,
services AS (SELECT DISTINCT toString(ServiceName) FROM otel_traces WHERE ${NEAR_EITHER})
SELECT caller, callee, edgeKind AS kind,
  ${numbers('isInWindow', 'windowSampling', 'windowMinutes')} AS window,
  ${numbers('isInBaseline', 'baselineSampling', 'baselineMinutes')} AS baseline,
  ${trust('greatest(window.calls, baseline.calls)')} * greatest(
    ${relativeChange('window.callsPerMinute', 'baseline.callsPerMinute', 0)},
    ifNotFinite(abs(window.errors / window.calls - baseline.errors / baseline.calls), 0),
    ifNotFinite(abs(window.clientErrors / window.calls - baseline.clientErrors / baseline.calls), 0),
    ${relativeChange('window.gapP50Ms', 'baseline.gapP50Ms', SMALL_MS)},
    ${relativeChange('window.gapP95Ms', 'baseline.gapP95Ms', SMALL_MS)},
    ${relativeChange(calleeP50('window'), calleeP50('baseline'), SMALL_MS)}) AS changeScore,
  toFloat64(count() OVER ()) AS totalRows
FROM (${CALLS}
  UNION ALL${UNANSWERED})
WHERE {service:String} = '' OR caller = {service:String} OR callee = {service:String}
GROUP BY caller, callee, edgeKind
ORDER BY changeScore DESC, window.calls DESC, baseline.calls DESC, caller, callee, kind
LIMIT {limit:UInt32}`;
