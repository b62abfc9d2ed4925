/**
 * Fragments of SQL that turn the five metric tables into one relation of measured values, one row for each series, statistic
 * and step. Constants only: every value is a bound parameter (see metricParameters).
 */
import type { QueryParameters } from '../domain/evidence.ts';
import { OF_SERVICE, POD, type WindowQuestion, windowParameters } from './span-sql.ts';
import { timeWithin } from './time-sql.ts';

export interface SeriesQuestion extends WindowQuestion {
  readonly service?: string | undefined;
  readonly pod?: string | undefined;
  readonly metric?: string | undefined;
  readonly stepSeconds: number;
}

/** Binds what the fragments below need; absent filters become empty strings and match everything. */
export function metricParameters(question: SeriesQuestion): QueryParameters {
  const { service = '', pod = '', metric = '', stepSeconds } = question;
  return { ...windowParameters(question), service, pod, metric, stepMs: stepSeconds * 1000 };
}

/**
 * Two points of a cumulative stream further apart than this are a hole in coverage: what grew meanwhile belongs to no step.
 * Points this long before a window are read with it, so that its first step has a predecessor.
 */
const MAX_GAP_MS = 300_000;

const IN_EITHER = [
  timeWithin('TimeUnix', `{startMs:Int64} - ${MAX_GAP_MS}`, '{endMs:Int64}'),
  timeWithin('TimeUnix', `{baselineStartMs:Int64} - ${MAX_GAP_MS}`, '{baselineEndMs:Int64}'),
].join(' OR ');

export const METRICS_IN_WINDOW = timeWithin('TimeUnix', '{startMs:Int64}', '{endMs:Int64}');

/** Flag 1 of OTLP's DataPointFlags: a mark that there is no value. */
export const HAS_VALUE = '(bitAnd(Flags, 1) = 0)';

/** Attributes as a map with its keys in order, and what tells one set of them from another. */
export const ATTRIBUTES_KEY = 'cityHash64(mapSort(Attributes))';

/** level: a state now. counter: an amount that grows. distribution: amounts with a count, as all kinds of histograms have. */
type Form = 'level' | 'counter' | 'distribution';

interface MetricTable {
  readonly table: string;
  readonly kind: string;
  /** SQL that gives a Form. */
  readonly form: string;
  /** SQL: whether a point holds everything since its stream began. */
  readonly isCumulative: string;
  readonly amount: string;
  readonly total: string;
}

const form = (name: Form): string => `'${name}'`;
const distribution = { form: form('distribution'), amount: 'toFloat64(Count)', total: 'Sum' };

/** Temporality 1 is delta; what is unspecified is taken for cumulative. Summaries are cumulative by specification. */
export const METRIC_TABLES: readonly MetricTable[] = [
  {
    table: 'otel_metrics_gauge',
    kind: 'gauge',
    form: form('level'),
    isCumulative: 'false',
    amount: '1.',
    total: 'Value',
  },
  {
    table: 'otel_metrics_sum',
    kind: 'sum',
    form: `if(IsMonotonic OR AggregationTemporality = 1, ${form('counter')}, ${form('level')})`,
    isCumulative: 'IsMonotonic AND AggregationTemporality != 1',
    amount: 'if(IsMonotonic OR AggregationTemporality = 1, Value, 1.)',
    total: 'Value',
  },
  { table: 'otel_metrics_histogram', kind: 'histogram', isCumulative: 'AggregationTemporality != 1', ...distribution },
  {
    table: 'otel_metrics_exponential_histogram',
    kind: 'exponential_histogram',
    isCumulative: 'AggregationTemporality != 1',
    ...distribution,
  },
  { table: 'otel_metrics_summary', kind: 'summary', isCumulative: 'true', ...distribution },
];

function streamsOf({ table, kind, form, isCumulative, amount, total }: MetricTable): string {
  return `
    SELECT ServiceName AS service, MetricName AS metric, ${POD} AS pod, '${kind}' AS kind, ${form} AS form,
      toBool(${isCumulative}) AS isCumulative, ${ATTRIBUTES_KEY} AS attributesKey, cityHash64(ResourceAttributes) AS resourceKey,
      any(Attributes) AS attributes, max(MetricUnit) AS unit,
      groupArray((toUnixTimestamp64Milli(TimeUnix), toUnixTimestamp64Milli(StartTimeUnix), ${amount}, ${total})) AS points
    FROM ${table}
    WHERE (${IN_EITHER}) AND ${OF_SERVICE} AND ${HAS_VALUE}
      AND ({metric:String} = '' OR MetricName = {metric:String}) AND ({pod:String} = '' OR ${POD} = {pod:String})
    GROUP BY service, metric, pod, form, isCumulative, attributesKey, resourceKey`;
}

/** Sorting by one integer is many times faster than by tuples; points of one millisecond come in an order of their own. */
const BY_TIME = 'point -> point.1 * 1000 + cityHash64(point.3, point.4) % 1000';

/** (atMs, amount, total, seconds): what each point adds. A counter that fell began anew from zero. */
const GROWTH = `arrayFilter(growth -> growth.4 > 0 AND growth.4 * 1000 <= ${MAX_GAP_MS}, arrayMap(
        (now, before) -> (now.1, now.3 - if(now.3 >= before.3, before.3, 0), now.4 - if(now.3 >= before.3, before.4, 0),
          (now.1 - before.1) / 1000),
        arrayPopFront(sorted), arrayPopBack(sorted)))`;
const AS_IT_IS = `arrayMap(
        point -> (point.1, point.3, point.4,
          if(point.2 > 0 AND point.2 < point.1 AND point.1 - point.2 <= 3600000, (point.1 - point.2) / 1000, 0)),
        sorted)`;

const isInWindow = (atMs: string): string => `(${atMs} >= {startMs:Int64} AND ${atMs} < {endMs:Int64})`;
const isInBaseline = (atMs: string): string =>
  `(${atMs} >= {baselineStartMs:Int64} AND ${atMs} < {baselineEndMs:Int64})`;

/** Sums of runs of equal steps; arrays stay aligned, because what a lambda captures is copied for each of its calls. */
const sumOfRuns = (member: number): string => `arrayReduceInRanges('sum', runs, sorted.${member})`;

/**
 * Common table expressions that end in `measured`, one row for each series and statistic: service, pod, metric, statistic,
 * attributesKey, attributes, unit, `baseline` (values by step, in no promised order) and `course` ([atMs, value] by time;
 * atMs is the start of the step, counted from the start of the window).
 *
 * value: mean of a level over the step. rate: what a counter grew by per second of observed time, from zero after a reset
 * (as Prometheus' rate). mean: of a distribution, by total and count. countRate: its count per second. Instances that tell
 * no pod are averaged. A point inside the window is never part of the baseline. Everything is summed in the order of time, so
 * that the same points give the same digits.
 */
export const MEASURED = `
streams AS (${METRIC_TABLES.map(streamsOf).join('\n    UNION ALL')}
),
increments AS (
  SELECT service, metric, pod, kind, form, attributesKey, attributes, unit, arraySort(${BY_TIME}, points) AS sorted,
    if(isCumulative, ${GROWTH}, ${AS_IT_IS}) AS added
  FROM streams
),
series AS (
  SELECT service, metric, pod, kind, form, attributesKey, any(attributes) AS attributes, max(unit) AS unit,
    arrayMap(point -> (
        ${isInWindow('point.1')} AS isWindow,
        if(isWindow, {startMs:Int64}, {baselineStartMs:Int64}) AS originMs,
        originMs + {stepMs:Int64} * intDiv(point.1 - originMs, {stepMs:Int64}),
        point.2, point.3, point.4),
      arrayFilter(point -> ${isInWindow('point.1')} OR ${isInBaseline('point.1')}, groupArrayArray(added))) AS stepped,
    arraySort(point -> (point.3 * 2 + point.1) * 1000 + cityHash64(point.4, point.5) % 1000, stepped) AS sorted,
    arrayMap((point, next) -> point.1 != next.1 OR point.3 != next.3, sorted, arrayPopFront(arrayPushBack(sorted, (2, 0, 0, 0, 0, 0)))) AS isLast,
    arrayFilter((point, last) -> last, sorted, isLast) AS steps,
    arrayFilter((index, last) -> last, arrayEnumerate(sorted), isLast) AS ends,
    arrayMap((end, before) -> (before + 1, toUInt32(end - before)), ends, arrayPopBack(arrayPushFront(ends, 0))) AS runs,
    ${sumOfRuns(4)} AS amounts, ${sumOfRuns(5)} AS totals, ${sumOfRuns(6)} AS seconds
  FROM increments
  GROUP BY service, metric, pod, kind, form, attributesKey
),
measured AS (
  SELECT service, pod, metric, attributesKey, attributes, statistic,
    multiIf(statistic = 'rate', concat(if(series.unit = '', '1', series.unit), '/s'), statistic = 'countRate', '1/s', series.unit) AS unit,
    arrayFilter(step -> isFinite(step.3), arrayMap(
      (step, amount, total, observed) -> (step.1, step.3, if(statistic IN ('value', 'mean'), total / amount,
        amount / if(observed > 0, observed, {stepMs:Int64} / 1000))),
      steps, amounts, totals, seconds)) AS values,
    arrayMap(step -> step.3, arrayFilter(step -> NOT step.1, values)) AS baseline,
    arrayMap(step -> (step.2, step.3), arrayFilter(step -> step.1, values)) AS course
  FROM series
  ARRAY JOIN multiIf(form = 'level', ['value'], form = 'counter', ['rate'], ['mean', 'countRate']) AS statistic
  WHERE notEmpty(values)
)`;
