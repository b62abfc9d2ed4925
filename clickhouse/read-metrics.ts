/** What metrics measured: every series against its baseline, the course of one metric, and which metrics there are. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import {
  ATTRIBUTES_KEY,
  HAS_VALUE,
  MEASURED,
  METRIC_TABLES,
  metricParameters,
  type SeriesQuestion,
} from './metric-sql.ts';
import { CUT_POINTS, minuteParameters, WHOLE_MINUTES } from './rollup-sql.ts';
import { OF_SERVICE, POD } from './span-sql.ts';

export interface MetricReader {
  /** One row for each series and statistic, those that left their baseline furthest first, `maxRows` at the most. */
  compare(question: SeriesQuestion & { baseline: TimeWindow }, bounds: Bounds): Promise<Reading<MetricComparisonRow>>;
  /** The course of each series that matches, with what its baseline makes one expect; those furthest off first. */
  readSeries(question: SeriesQuestion & { metric: string }, bounds: Bounds): Promise<Reading<MetricSeriesRow>>;
  /** What is measured, by metric and kind; those with most points first. */
  list(question: { window: TimeWindow; service?: string | undefined }, bounds: Bounds): Promise<Reading<MetricListRow>>;
}

/** Which number of a metric: a level, growth per second, mean of a distribution, its count per second. */
export type MetricStatistic = 'value' | 'rate' | 'mean' | 'countRate';

interface SeriesColumns {
  readonly service: string;
  /** `k8s.pod.name`, else `service.instance.id`, else empty. */
  readonly pod: string;
  readonly metric: string;
  readonly statistic: MetricStatistic;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of the statistic: that of the metric, `/s` for rates. */
  readonly unit: string;
  readonly baselinePoints: number;
  readonly windowPoints: number;
  readonly totalRows: number;
}

/** Figures are null where there are no points. */
export interface MetricComparisonRow extends SeriesColumns {
  readonly baselineMedian: number | null;
  /** 1.4826 MAD, else IQR / 1.349; 0: more than half of the baseline is one value. */
  readonly baselineScale: number | null;
  readonly baselineMin: number | null;
  readonly baselineMax: number | null;
  readonly baselineQ01: number | null;
  readonly baselineQ99: number | null;
  readonly windowMedian: number | null;
  readonly windowMean: number | null;
  readonly windowMin: number | null;
  readonly windowMax: number | null;
  /** Distance of the window's median from the baseline's, in scales (see COMPARED), -1000..1000. */
  readonly deviation: number | null;
  /** The same of the window's maximum or minimum, whichever is further off. */
  readonly extremeDeviation: number | null;
  /** Share of baseline points at least as far out as that extreme, 0..1. */
  readonly exceedance: number | null;
  /** Start of the first step beyond [q01, q99] by more than one scale, on the extreme's side. */
  readonly firstBeyondMs: number | null;
}

export interface MetricSeriesRow extends SeriesColumns {
  readonly expected: number | null;
  /** The baseline's 5 % and 95 % quantiles. */
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  /** [start of step, value] in the window, by time; steps without points are left out. */
  readonly points: readonly (readonly [number, number])[];
}

export interface MetricListRow {
  readonly metric: string;
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary';
  readonly unit: string;
  readonly services: number;
  readonly series: number;
  readonly points: number;
  readonly totalRows: number;
}

export function createMetricReader(database: Database): MetricReader {
  return {
    compare: (question, bounds) =>
      database.read(
        COMPARE,
        { ...metricParameters(question), limit: bounds.maxRows },
        { tag: 'metrics.compare', ...bounds },
      ),
    readSeries: (question, bounds) =>
      database.read(
        SERIES,
        { ...metricParameters(question), limit: bounds.maxRows },
        { tag: 'metrics.readSeries', ...bounds },
      ),
    list: ({ window, service = '' }, bounds) =>
      database.read(
        LIST,
        { ...minuteParameters(window), service, limit: bounds.maxRows },
        { tag: 'metrics.list', ...bounds },
      ),
  };
}

const SERIES_KEY = 'service, pod, metric, statistic, attributesKey, unit';

const quantilesOf = (levels: string, values: string): string =>
  `arrayReduce('quantilesExactInclusive(${levels})', ${values})`;

function inScales(value: string): string {
  return `multiIf(empty(baseline) OR empty(course), NULL,
      abs(${value} - baselineMedian) <= tolerance, 0.,
      divisor > 0, greatest(-1000., least(1000., (${value} - baselineMedian) / divisor)),
      sign(${value} - baselineMedian) * 1000.)`;
}

/**
 * `measured` with the statistics of its baseline and its window, as columns to choose from.
 *
 * divisor: the robust scale, but no less than what the baseline's 1..99 % range would be for normal noise (rare spikes are
 * part of normal time), nor than 1 % of the median (a smaller change does not matter). 0 only where all was zero.
 * tolerance: sums of floats that ought to be equal may differ in their last digits.
 */
const COMPARED = `
WITH ${MEASURED}
SELECT service, pod, metric, statistic, attributes, unit, attributesKey, course, baseline,
  toFloat64(length(baseline)) AS baselinePoints, toFloat64(length(course)) AS windowPoints,
  ${quantilesOf('0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99', 'baseline')} AS quantiles,
  quantiles[1] AS baselineQ01, quantiles[2] AS baselineQ05, quantiles[4] AS baselineMedian,
  quantiles[6] AS baselineQ95, quantiles[7] AS baselineQ99,
  abs(baselineMedian) * 1e-9 AS tolerance,
  ${quantilesOf('0.5', 'arrayMap(value -> abs(value - baselineMedian), baseline)')}[1] AS spread,
  if(spread > tolerance, 1.4826 * spread, (quantiles[5] - quantiles[3]) / 1.349) AS baselineScale,
  greatest(baselineScale, (baselineQ99 - baselineQ01) / 4.653, 0.01 * abs(baselineMedian)) AS divisor,
  arrayMap(step -> step.2, course) AS windowValues,
  ${quantilesOf('0.5', 'windowValues')}[1] AS windowMedian,
  arrayReduce('minOrNull', windowValues) AS windowMin, arrayReduce('maxOrNull', windowValues) AS windowMax,
  windowMax - baselineMedian >= baselineMedian - windowMin AS isHigh,
  if(isHigh, windowMax, windowMin) AS extreme,
  ${inScales('windowMedian')} AS deviation, ${inScales('extreme')} AS extremeDeviation
FROM measured`;

const FURTHEST_FIRST = `
ORDER BY abs(deviation) + abs(extremeDeviation) DESC NULLS LAST, ${SERIES_KEY}
LIMIT {limit:UInt32}`;

const COMPARE = `
SELECT service, pod, metric, statistic, attributes, unit, baselinePoints, windowPoints,
  baselineMedian, baselineScale, baselineQ01, baselineQ99,
  arrayReduce('minOrNull', baseline) AS baselineMin, arrayReduce('maxOrNull', baseline) AS baselineMax,
  windowMedian, arrayReduce('avgOrNull', windowValues) AS windowMean, windowMin, windowMax, deviation, extremeDeviation,
  arrayCount(value -> if(isHigh, value >= extreme - tolerance, value <= extreme + tolerance), baseline) / baselinePoints AS exceedance,
  toFloat64(arrayFirstOrNull(
    step -> if(isHigh, step.2 > baselineQ99 + divisor, step.2 < baselineQ01 - divisor), course).1) AS firstBeyondMs,
  toFloat64(count() OVER ()) AS totalRows
FROM (${COMPARED})
${FURTHEST_FIRST}`;

const SERIES = `
SELECT service, pod, metric, statistic, attributes, unit, baselinePoints, windowPoints,
  baselineMedian AS expected, baselineQ05 AS expectedLow, baselineQ95 AS expectedHigh,
  arrayMap(step -> (toFloat64(step.1), step.2), course) AS points,
  toFloat64(count() OVER ()) AS totalRows
FROM (${COMPARED})
WHERE notEmpty(course)
${FURTHEST_FIRST}`;

const CUT_SERIES = METRIC_TABLES.map(
  ({ table, kind }) => `
  UNION ALL
  SELECT MetricName, '${kind}', max(MetricUnit), ServiceName, ${POD} AS pod, ${ATTRIBUTES_KEY} AS attributesKey, count()
  FROM ${table}
  WHERE ${CUT_POINTS} AND ${OF_SERVICE} AND ${HAS_VALUE}
  GROUP BY MetricName, ServiceName, pod, attributesKey`,
).join('');

const LIST = `
SELECT metric, kind, max(unit) AS unit,
  toFloat64(uniqExact(service)) AS services, toFloat64(uniqExact(service, pod, attributesKey)) AS series,
  toFloat64(sum(pointCount)) AS points, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT MetricName AS metric, Kind AS kind, Unit AS unit, ServiceName AS service, Pod AS pod, AttributesKey AS attributesKey,
    Points AS pointCount
  FROM inquest_metrics_1m
  WHERE ${WHOLE_MINUTES} AND ${OF_SERVICE}${CUT_SERIES}
)
GROUP BY metric, kind
ORDER BY points DESC, metric, kind
LIMIT {limit:UInt32}`;
