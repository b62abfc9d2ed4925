/**
 * Fragments of SQL that turn rollups into the values of series by the minute, under the names that detection gives its series
 * (domain/series-name.ts). What an hour's baseline is made of, and what one minute is compared with it by.
 */
import { GROWTH_DETAIL } from '../domain/baseline.ts';

/** What is summed up together: one signal's series come from one rollup. */
export const BASELINE_SIGNALS = ['traces', 'metrics', 'logs'] as const;
export type BaselineSignal = (typeof BASELINE_SIGNALS)[number];

/** SQL for the signal of a kind. */
export const signalOf = (kind: string): string =>
  `multiIf(${kind} = 'metric', 'metrics', ${kind} = 'template', 'logs', 'traces')`;

/** SQL: of these nothing is zero; of the others it is unobserved. */
export const isCounted = (kind: string): string => `(${kind} IN ('requests', 'template'))`;

/** Columns of the quantiles of an hour's minutes, between Lowest and Highest. */
export const QUANTILES = { P1: 0.01, P10: 0.1, P25: 0.25, P50: 0.5, P75: 0.75, P90: 0.9, P99: 0.99 } as const;

/**
 * One failure of one call says little of a minute's share: each minute has so many more calls that did not fail. From 2 to 10
 * judge alike.
 */
const DAMPING_CALLS = 4;

/** Two points of a counter further apart than this are a hole in coverage: what grew meanwhile belongs to no minute. */
const MAX_GAP_SECONDS = 300;

/** One fall in so many rises is a restart; more of them, and it is a level (detection/detectors/series-growth.ts judges alike). */
const RISES_A_RESTART = 10;

/** SQL for whole seconds: of a rollup's Time, of a length in minutes that need not be whole hours. */
interface Span {
  readonly from: string;
  readonly until: string;
}

export const within = ({ from, until }: Span): string => `Time >= toDateTime(${from}) AND Time < toDateTime(${until})`;

/**
 * Kind, Service, Name, Detail, Minute, Value, Calls, Errors: minutes with a value only. Operations and peers have rows of their
 * own, and so has the service as a whole (an empty Name); names with ids in them count for the whole alone.
 */
function callValues(span: Span): string {
  return `
  SELECT value.1 AS Kind, Service, Name, value.2 AS Detail, Minute, value.3 AS Value, Calls, Errors
  FROM (
    SELECT toString(ServiceName) AS Service, Side, Minute,
      arrayJoin(if(Side = 'Server' AND Operation != '', [toString(Operation), ''], [toString(Operation)])) AS Name,
      sum(StepCalls) AS Calls, sum(StepErrors) AS Errors, sumMap(StepDurations) AS Durations
    FROM (
      SELECT ServiceName, toString(SpanKind) AS Side, Operation, toStartOfMinute(Time) AS Minute,
        sum(Calls) AS StepCalls, sum(Errors) AS StepErrors, sumMap(Durations) AS StepDurations
      FROM inquest_operations_10s
      WHERE ${within(span)} AND NOT (SpanKind = 'Client' AND Operation = '')
      GROUP BY ServiceName, Side, Operation, Minute
    )
    GROUP BY Service, Side, Minute, Name
    HAVING Calls > 0
  )
  ARRAY JOIN [
    ('requests', Side, Calls / 60),
    ('errors', Side, Errors / (Calls + ${DAMPING_CALLS})),
    ('duration', concat(Side, ' p50'), ${durationQuantile(0.5)}),
    ('duration', concat(Side, ' p95'), ${durationQuantile(0.95)})
  ] AS value`;
}

/** In ms: the bucket of a cumulated count, and as far into it as calls of it are needed (see bucketMs). */
function durationQuantile(share: number): string {
  return `arrayFirst(edge -> edge.1 >= ${share} * Calls, arrayMap(
      (bucket, count, below) -> (below, pow(1.15, bucket - 50 + greatest(0., ${share} * Calls - (below - count)) / count)),
      mapKeys(Durations), mapValues(Durations), arrayCumSum(mapValues(Durations)))).2`;
}

const METRIC_SERIES = 'ServiceName, MetricName, Kind, Pod, AttributesKey';

/** Pod and attributes: what tells the series of one metric apart. */
const METRIC_DETAIL = `concat(Pod, ' ', toString(AttributesKey))`;

/** The mean of each minute's points. */
function gaugeValues(span: Span): string {
  return `
  SELECT 'metric' AS Kind, toString(ServiceName) AS Service, toString(MetricName) AS Name, ${METRIC_DETAIL} AS Detail,
    Time AS Minute, sum(Total) / sum(Points) AS Value, toUInt64(0) AS Calls, toUInt64(0) AS Errors
  FROM inquest_metrics_1m
  WHERE ${within(span)} AND inquest_metrics_1m.Kind = 'gauge'
  GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time
  HAVING isFinite(Value)`;
}

/**
 * Sums and what distributions sum up to: levels, or counters, which never fall but for restarts. Rollups do not keep which, and one
 * hour need not show it: whichever it may be is there, growth by the minute as a series of its own. After a restart a counter grew
 * by what it is.
 */
function sumValues({ from, until }: Span): string {
  return `
  SELECT 'metric' AS Kind, toString(ServiceName) AS Service, toString(MetricName) AS Name,
    concat(${METRIC_DETAIL}, point.1) AS Detail, point.2 AS Minute, point.3 AS Value, toUInt64(0) AS Calls, toUInt64(0) AS Errors
  FROM (
    SELECT ServiceName, MetricName, Pod, AttributesKey, arraySort(groupArray((Minute, Average, Newest))) AS points,
      arrayPopFront(arrayDifference(points.3)) AS growths,
      arrayCount(growth -> growth < 0, growths) AS falls, arrayCount(growth -> growth > 0, growths) AS rises
    FROM (
      SELECT ${METRIC_SERIES}, Time AS Minute, sum(Total) / sum(Points) AS Average, argMaxMerge(Last) AS Newest
      FROM inquest_metrics_1m
      WHERE ${within({ from: `${from} - ${MAX_GAP_SECONDS}`, until })} AND Kind != 'gauge'
      GROUP BY ${METRIC_SERIES}, Time
      HAVING isFinite(Average) AND isFinite(Newest)
    )
    GROUP BY ${METRIC_SERIES}
  )
  ARRAY JOIN arrayConcat(
    if(falls > 0 OR rises = 0, arrayMap(point -> ('', point.1, point.2), points), []),
    if(falls * ${RISES_A_RESTART} <= rises,
      arrayMap(step -> ('${GROWTH_DETAIL}', step.1.1, if(step.1.3 >= step.2.3, step.1.3 - step.2.3, step.1.3) * 60 / (step.1.1 - step.2.1)),
        arrayFilter(step -> step.1.1 - step.2.1 <= ${MAX_GAP_SECONDS}, arrayZip(arrayPopFront(points), arrayPopBack(points)))), [])) AS point
  WHERE point.2 >= toDateTime(${from})`;
}

/** Lines of each minute, by the template that the line's stands for now. Lines that no miner saw have none. */
function templateValues(span: Span): string {
  return `
  SELECT 'template' AS Kind, toString(ServiceName) AS Service, if(Current = '', Id, Current) AS Name, '' AS Detail,
    Minute, toFloat64(sum(MinuteLines)) AS Value, sum(MinuteLines) AS Calls, toUInt64(0) AS Errors
  FROM (
    SELECT toString(ServiceName) AS ServiceName, toString(TemplateId) AS Id, Time AS Minute, sum(Lines) AS MinuteLines
    FROM inquest_log_templates_1m
    WHERE ${within(span)} AND TemplateId != ''
    GROUP BY ServiceName, Id, Minute
  ) AS minutes
  LEFT ANY JOIN (
    SELECT ServiceName, Id, argMax(TemplateId, Version) AS Current FROM inquest_log_templates GROUP BY ServiceName, Id
  ) AS templates USING (ServiceName, Id)
  GROUP BY Service, Name, Minute`;
}

const SOURCES: Readonly<Record<BaselineSignal, readonly ((span: Span) => string)[]>> = {
  traces: [callValues],
  metrics: [gaugeValues, sumValues],
  logs: [templateValues],
};

/**
 * Kind, Service, Name, Detail, Minute, Value, Calls, Errors; each minute of a series at most once. Minutes in which a series was
 * not seen have no row, also where nothing is zero.
 */
export function minuteValues(signal: BaselineSignal, span: Span): string {
  return SOURCES[signal].map((values) => values(span)).join('\n  UNION ALL');
}

/** What each signal's series are made from. */
export const ROLLUPS: Readonly<Record<BaselineSignal, string>> = {
  traces: 'inquest_operations_10s',
  metrics: 'inquest_metrics_1m',
  logs: 'inquest_log_templates_1m',
};
