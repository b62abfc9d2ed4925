/** What services do as their spans tell: totals, courses over time, who calls whom, and operations against normal time. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { type EdgeCountRow, readEdges } from './read-edges.ts';
import { type OperationRow, readOperations } from './read-operations.ts';
import { readServiceGraph, type ServiceEdgeRow, type ServiceGraphQuestion } from './read-service-graph.ts';
import { minuteParameters, SPAN_PRESENCE } from './rollup-sql.ts';
import {
  DURATION_MS,
  entrySpan,
  FAILED,
  IN_WINDOW,
  NEAR_WINDOW,
  OF_SERVICE,
  quantileMs,
  type WindowQuestion,
  windowParameters,
} from './span-sql.ts';

export interface ServiceReader {
  /** One row for each service with spans in the window, the busiest first, `maxRows` at the most. */
  readOverview(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<ServiceOverviewRow>>;
  /** Entry spans by service and step; steps without any have no row. The services with most requests first, then by time. */
  readTimeline(question: TimelineQuestion, bounds: Bounds): Promise<Reading<ServiceStepRow>>;
  /** Calls between services and to external peers: those that changed most first, or the busiest without a baseline. */
  readGraph(question: ServiceGraphQuestion, bounds: Bounds): Promise<Reading<ServiceEdgeRow>>;
  /** Calls between services that both send spans, counted; cheap over long windows, because settled minutes are read. */
  countEdges(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<EdgeCountRow>>;
  /** Operations in both windows, those that changed most first. */
  compareOperations(
    question: WindowQuestion & { service?: string | undefined },
    bounds: Bounds,
  ): Promise<Reading<OperationRow>>;
}

export interface ServiceOverviewRow {
  readonly service: string;
  /** Entry spans (see entrySpan). */
  readonly requests: number;
  readonly errors: number;
  /** By the minutes of the window in which any span arrived. */
  readonly requestsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly spans: number;
  readonly pods: number;
  /** `service.version` of its resources, sorted, ten at the most. */
  readonly versions: readonly string[];
  readonly totalRows: number;
}

export interface TimelineQuestion {
  readonly window: TimeWindow;
  readonly stepSeconds: number;
  readonly service?: string | undefined;
}

export interface ServiceStepRow {
  readonly service: string;
  /** Start of the step; steps are counted from the window's start. */
  readonly atMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly totalRows: number;
  readonly totalServices: number;
}

export function createServiceReader(database: Database): ServiceReader {
  return {
    readOverview: (question, bounds) =>
      database.read(
        OVERVIEW,
        { ...minuteParameters(question.window), limit: bounds.maxRows },
        { tag: 'services.overview', ...bounds },
      ),
    readTimeline: ({ window, stepSeconds, service = '' }, bounds) =>
      database.read(
        TIMELINE,
        { ...windowParameters({ window }), stepMs: stepSeconds * 1000, service, limit: bounds.maxRows },
        { tag: 'services.timeline', ...bounds },
      ),
    readGraph: (question, bounds) => readServiceGraph(database, question, bounds),
    countEdges: (question, bounds) => readEdges(database, question, bounds),
    compareOperations: (question, bounds) => readOperations(database, question, bounds),
  };
}

/** Pods and versions, for which every row's attributes would be read, come from a rollup; durations, to be exact, from the rows. */
const OVERVIEW = `
WITH present AS (${SPAN_PRESENCE}
),
entries AS (
  SELECT ServiceName, toFloat64(count()) AS calls, toFloat64(countIf(${FAILED})) AS failures,
    ${quantileMs(0.5, DURATION_MS, 'true')} AS p50, ${quantileMs(0.95, DURATION_MS, 'true')} AS p95, ${quantileMs(0.99, DURATION_MS, 'true')} AS p99
  FROM otel_traces
  WHERE ${IN_WINDOW} AND ${entrySpan(NEAR_WINDOW)}
  GROUP BY ServiceName
),
(SELECT greatest(least(toFloat64(uniqExact(Time)), ({endMs:Int64} - {startMs:Int64}) / 60000) * 60, 0.001) FROM present) AS observedSeconds
SELECT ServiceName AS service, entries.calls AS requests, entries.failures AS errors, requests / observedSeconds AS requestsPerSecond,
  if(requests > 0, entries.p50, NULL) AS p50Ms, if(requests > 0, entries.p95, NULL) AS p95Ms, if(requests > 0, entries.p99, NULL) AS p99Ms,
  spans, pods, versions, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT ServiceName, toFloat64(sum(TelemetryRows)) AS spans, toFloat64(uniqExactIf(Pod, Pod != '')) AS pods,
    arraySlice(arraySort(groupUniqArrayIf(toString(Version), Version != '')), 1, 10) AS versions
  FROM present
  GROUP BY ServiceName
) AS services
LEFT JOIN entries USING (ServiceName)
ORDER BY requests DESC, spans DESC, service
LIMIT {limit:UInt32}`;

const TIMELINE = `
SELECT service, atMs, requests, errors, p50Ms, p95Ms, totalRows, totalServices
FROM (
  SELECT
    ServiceName AS service,
    toFloat64({startMs:Int64} + {stepMs:Int64} * intDiv(toUnixTimestamp64Milli(Timestamp) - {startMs:Int64}, {stepMs:Int64})) AS atMs,
    toFloat64(count()) AS requests,
    toFloat64(countIf(${FAILED})) AS errors,
    ${quantileMs(0.5, DURATION_MS, 'true')} AS p50Ms,
    ${quantileMs(0.95, DURATION_MS, 'true')} AS p95Ms,
    sum(count()) OVER (PARTITION BY ServiceName) AS serviceRequests,
    toFloat64(count() OVER ()) AS totalRows,
    toFloat64(uniqExact(ServiceName) OVER ()) AS totalServices
  FROM otel_traces
  WHERE ${IN_WINDOW} AND ${OF_SERVICE} AND ${entrySpan(NEAR_WINDOW)}
  GROUP BY service, atMs
)
ORDER BY serviceRequests DESC, service, atMs
LIMIT {limit:UInt32}`;
