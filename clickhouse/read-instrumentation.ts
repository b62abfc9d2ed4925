/** What each service tells of itself: spans, logs and whether they meet, resource gauges, version and instance. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { LOGS_IN_WINDOW } from './log-sql.ts';
import { METRIC_TABLES, METRICS_IN_WINDOW } from './metric-sql.ts';
import { IN_WINDOW, NEAR_WINDOW, PARENT_KEY, POD, SPAN_KEY, windowParameters } from './span-sql.ts';

export interface InstrumentationRow {
  readonly service: string;
  readonly spans: number;
  /** Spans of kind Server or Consumer. */
  readonly servingSpans: number;
  /** Spans of kind Client or Producer. */
  readonly callingSpans: number;
  /** Of the serving spans with a parent, those whose parent never arrived. */
  readonly orphanSpans: number;
  readonly parentedSpans: number;
  readonly logs: number;
  /** Log lines that name their trace. */
  readonly linkedLogs: number;
  readonly points: number;
  /** Names of its metrics that match the pattern asked for. */
  readonly metrics: readonly string[];
  /** Share 0..1 of its spans (log lines where there are none) that name a `service.version`. */
  readonly versionedShare: number;
  /** The same for a pod or instance. */
  readonly instanceShare: number;
}

export interface InstrumentationReader {
  /** @param metricNames metric names worth listing, as an RE2 pattern */
  readInstrumentation(
    question: { window: TimeWindow; metricNames: string },
    bounds: Bounds,
  ): Promise<Reading<InstrumentationRow>>;
}

export function createInstrumentationReader(database: Database): InstrumentationReader {
  return {
    readInstrumentation: ({ window, metricNames }, bounds) =>
      database.read(
        INSTRUMENTATION,
        { ...windowParameters({ window }), metricNames, limit: bounds.maxRows },
        { tag: 'instrumentation', ...bounds },
      ),
  };
}

/** Orphans are looked for in about so many spans, by trace: a share needs no more. */
const ORPHAN_SPANS = 200_000;

const IS_VERSIONED = "ResourceAttributes['service.version'] != ''";
const IS_INSTANCE = `${POD} != ''`;

const METRIC_FACTS = METRIC_TABLES.map(
  ({ table }) => `
    SELECT ServiceName AS service, count() AS points, groupUniqArrayIf(100)(toString(MetricName), match(MetricName, {metricNames:String})) AS names
    FROM ${table} WHERE ${METRICS_IN_WINDOW} GROUP BY service`,
).join('\n    UNION ALL');

const INSTRUMENTATION = `
WITH (SELECT toUInt64(greatest(1, ceil(count() / ${ORPHAN_SPANS}))) FROM otel_traces WHERE ${IN_WINDOW}) AS sampling,
facts AS (
  SELECT ServiceName AS service, count() AS spans, countIf(SpanKind IN ('Server', 'Consumer')) AS servingSpans,
    countIf(SpanKind IN ('Client', 'Producer')) AS callingSpans, 0 AS orphanSpans, 0 AS parentedSpans,
    0 AS logs, 0 AS linkedLogs, 0 AS points, CAST([], 'Array(String)') AS names, countIf(${IS_VERSIONED}) AS versioned, countIf(${IS_INSTANCE}) AS instances
  FROM otel_traces WHERE ${IN_WINDOW} GROUP BY service
  UNION ALL
  SELECT ServiceName, 0, 0, 0,
    countIf(${PARENT_KEY} NOT IN (SELECT ${SPAN_KEY} FROM otel_traces WHERE ${NEAR_WINDOW} AND cityHash64(TraceId) % sampling = 0)), count(),
    0, 0, 0, [], 0, 0
  FROM otel_traces
  WHERE ${IN_WINDOW} AND cityHash64(TraceId) % sampling = 0 AND ParentSpanId != '' AND SpanKind IN ('Server', 'Consumer')
  GROUP BY ServiceName
  UNION ALL
  SELECT ServiceName, 0, 0, 0, 0, 0, count(), countIf(TraceId != ''), 0, [], 0, 0 FROM otel_logs WHERE ${LOGS_IN_WINDOW} GROUP BY ServiceName
  UNION ALL
  SELECT service, 0, 0, 0, 0, 0, 0, 0, sum(points), groupUniqArrayArray(100)(names), 0, 0 FROM (${METRIC_FACTS}
  ) GROUP BY service
)
SELECT service, toFloat64(sum(spans)) AS spans, toFloat64(sum(servingSpans)) AS servingSpans, toFloat64(sum(callingSpans)) AS callingSpans,
  toFloat64(sum(orphanSpans)) AS orphanSpans, toFloat64(sum(parentedSpans)) AS parentedSpans,
  toFloat64(sum(logs)) AS logs, toFloat64(sum(linkedLogs)) AS linkedLogs, toFloat64(sum(points)) AS points,
  arraySort(groupUniqArrayArray(names)) AS metrics,
  sum(versioned) / greatest(1, spans) AS versionedShare, sum(instances) / greatest(1, spans) AS instanceShare
FROM facts
GROUP BY service
ORDER BY spans + logs + points DESC, service
LIMIT {limit:UInt32}`;
