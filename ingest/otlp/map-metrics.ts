/** Data points of all five kinds to rows of the otel_metrics_* tables. Pure: the same request gives the same rows. */
import type {
  ExponentialHistogramRow,
  GaugeRow,
  HistogramRow,
  SummaryRow,
  SumRow,
  TelemetryRows,
} from '../../clickhouse/telemetry-rows.ts';
import {
  attributesColumn,
  MAX_ITEMS,
  MAX_NAME_CHARS,
  MAX_VALUE_CHARS,
  optionalTimeColumn,
  type ResourceColumns,
  resourceColumns,
  type ScopeColumns,
  scopeColumns,
  sharedChars,
  spanIdOf,
  timeColumn,
  traceIdOf,
} from './column-values.ts';
import type {
  DataPoint,
  Exemplar,
  ExponentialHistogramDataPoint,
  HistogramDataPoint,
  Metric,
  MetricsRequest,
  NumberDataPoint,
  SummaryDataPoint,
} from './otlp-messages.ts';
import type { RecordCount } from './record-count.ts';
import { isPlausibleTime, type TimeLimits } from './time-limits.ts';

/** DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK: the series ended; there is no value to store. */
const NO_RECORDED_VALUE = 1;
const NOT_FINITE = 'value is not a finite number';

/** Generous: the SDKs' own default is 160 buckets. */
const MAX_BUCKETS = 4_096;
const TOO_MANY_BUCKETS = `histogram has more than ${MAX_BUCKETS} buckets`;

/**
 * Bucket bounds are powers of 2^(2^-scale) (metrics data model, "Exponential Scale"). Below -11 one bucket would hold every
 * double, above 52 neighbouring bounds would be the same double; SDKs use -10 to 20.
 */
const MIN_SCALE = -11;
const MAX_SCALE = 52;

/** The rows of one request while they are made. */
interface Tables {
  readonly otel_metrics_gauge: GaugeRow[];
  readonly otel_metrics_sum: SumRow[];
  readonly otel_metrics_histogram: HistogramRow[];
  readonly otel_metrics_exponential_histogram: ExponentialHistogramRow[];
  readonly otel_metrics_summary: SummaryRow[];
}

/** What the data points of one metric share. */
type MetricColumns = ResourceColumns &
  ScopeColumns & { readonly MetricName: string; readonly MetricDescription: string; readonly MetricUnit: string };

export function mapMetrics(request: MetricsRequest, times: TimeLimits, count: RecordCount): TelemetryRows {
  const tables: Tables = {
    otel_metrics_gauge: [],
    otel_metrics_sum: [],
    otel_metrics_histogram: [],
    otel_metrics_exponential_histogram: [],
    otel_metrics_summary: [],
  };
  for (const { resource, schemaUrl, scopeMetrics } of request.resourceMetrics) {
    const ofResource = resourceColumns(resource, schemaUrl, count);
    for (const { scope, schemaUrl: scopeSchemaUrl, metrics } of scopeMetrics) {
      const ofScope = scopeColumns(scope, scopeSchemaUrl, count);
      for (const metric of metrics) mapMetric(metric, times, ofResource, ofScope, tables, count);
    }
  }
  const filled = Object.entries(tables).filter(([, rows]) => rows.length > 0);
  count.accepted += filled.reduce((sum, [, rows]) => sum + rows.length, 0);
  return Object.fromEntries(filled);
}

function mapMetric(
  metric: Metric,
  times: TimeLimits,
  resource: ResourceColumns,
  scope: ScopeColumns,
  tables: Tables,
  count: RecordCount,
): void {
  const columns: MetricColumns = {
    ...resource,
    ...scope,
    MetricName: count.text(metric.name, MAX_NAME_CHARS),
    MetricDescription: count.text(metric.description, MAX_VALUE_CHARS),
    MetricUnit: count.text(metric.unit, MAX_NAME_CHARS),
  };
  const repeatedChars = sharedChars(resource, scope) + columns.MetricDescription.length;

  function add<P extends DataPoint, Row>(points: readonly P[], rows: Row[], map: (point: P) => Row | undefined): void {
    for (const point of points) {
      const row = isStorable(point, columns, times, count) ? map(point) : undefined;
      if (row !== undefined && count.mayRepeat(repeatedChars)) rows.push(row);
    }
  }

  const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
  if (metric.malformed !== undefined) {
    count.reject(metric.malformed);
  } else if (gauge) {
    add(gauge.dataPoints, tables.otel_metrics_gauge, (point) => mapNumber(point, columns, count));
  } else if (sum) {
    const { aggregationTemporality: AggregationTemporality, isMonotonic: IsMonotonic } = sum;
    add(sum.dataPoints, tables.otel_metrics_sum, (point) => {
      const row = mapNumber(point, columns, count);
      return row && { ...row, AggregationTemporality, IsMonotonic };
    });
  } else if (histogram) {
    add(histogram.dataPoints, tables.otel_metrics_histogram, (point) =>
      mapHistogram(point, histogram.aggregationTemporality, columns, count),
    );
  } else if (exponentialHistogram) {
    add(exponentialHistogram.dataPoints, tables.otel_metrics_exponential_histogram, (point) =>
      mapExponentialHistogram(point, exponentialHistogram.aggregationTemporality, columns, count),
    );
  } else if (summary) {
    add(summary.dataPoints, tables.otel_metrics_summary, (point) => mapSummary(point, columns, count));
  } else {
    count.reject('metric is of no kind known to OTLP 1');
  }
}

/** False for a point that is rejected (and counted), and for one that only says that its series has no value. */
function isStorable(point: DataPoint, metric: MetricColumns, times: TimeLimits, count: RecordCount): boolean {
  const timeProblem = times.problemOf(point.timeUnixNano);
  if (point.malformed !== undefined) count.reject(point.malformed);
  else if (metric.MetricName === '') count.reject('metric has no name');
  else if (timeProblem !== undefined) count.reject(`time ${timeProblem}`);
  else {
    const hasValue = (point.flags & NO_RECORDED_VALUE) === 0;
    if (hasValue && times.isLate(point.timeUnixNano)) count.late += 1;
    return hasValue;
  }
  return false;
}

function commonColumns(point: DataPoint, metric: MetricColumns, count: RecordCount) {
  return {
    ResourceAttributes: metric.ResourceAttributes,
    ResourceSchemaUrl: metric.ResourceSchemaUrl,
    ScopeName: metric.ScopeName,
    ScopeVersion: metric.ScopeVersion,
    ScopeAttributes: metric.ScopeAttributes,
    ScopeDroppedAttrCount: metric.ScopeDroppedAttrCount,
    ScopeSchemaUrl: metric.ScopeSchemaUrl,
    ServiceName: metric.ServiceName,
    MetricName: metric.MetricName,
    MetricDescription: metric.MetricDescription,
    MetricUnit: metric.MetricUnit,
    Attributes: attributesColumn(point.attributes, count),
    StartTimeUnix: optionalTimeColumn(point.startTimeUnixNano),
    TimeUnix: timeColumn(point.timeUnixNano),
    Flags: point.flags,
  };
}

function numberOf(point: { readonly asDouble?: number; readonly asInt?: bigint }): number | undefined {
  return point.asInt !== undefined ? Number(point.asInt) : point.asDouble;
}

/** Exemplars without a finite value are left out; without a time they get that of their point. */
function exemplarColumns(exemplars: readonly Exemplar[], point: DataPoint, count: RecordCount) {
  const kept = count.list(exemplars, MAX_ITEMS).filter((exemplar) => Number.isFinite(numberOf(exemplar)));
  return {
    'Exemplars.FilteredAttributes': kept.map((exemplar) => attributesColumn(exemplar.filteredAttributes, count)),
    'Exemplars.TimeUnix': kept.map(({ timeUnixNano }) =>
      timeColumn(isPlausibleTime(timeUnixNano) ? timeUnixNano : point.timeUnixNano),
    ),
    'Exemplars.Value': kept.map((exemplar) => numberOf(exemplar) ?? 0),
    'Exemplars.SpanId': kept.map((exemplar) => spanIdOf(exemplar.spanId) ?? ''),
    'Exemplars.TraceId': kept.map((exemplar) => traceIdOf(exemplar.traceId) ?? ''),
  };
}

function mapNumber(point: NumberDataPoint, metric: MetricColumns, count: RecordCount): GaugeRow | undefined {
  const value = numberOf(point);
  if (value === undefined) return count.reject('data point has no value');
  // A Float64 column would take NaN, JSON has none: stored, it would silently read as 0.
  if (!Number.isFinite(value)) return count.reject(NOT_FINITE);
  return {
    ...commonColumns(point, metric, count),
    ...exemplarColumns(point.exemplars, point, count),
    Value: value,
  };
}

function decimals(counts: readonly bigint[] | undefined): string[] {
  return (counts ?? []).map(String);
}

/** Sum, Min and Max of a distribution, 0 where the sender left them out; undefined when one is not finite. */
function momentColumns(point: { readonly sum?: number; readonly min?: number; readonly max?: number }) {
  const columns = { Sum: point.sum ?? 0, Min: point.min ?? 0, Max: point.max ?? 0 };
  return Object.values(columns).every(Number.isFinite) ? columns : undefined;
}

function mapHistogram(
  point: HistogramDataPoint,
  AggregationTemporality: number,
  metric: MetricColumns,
  count: RecordCount,
): HistogramRow | undefined {
  const { bucketCounts, explicitBounds } = point;
  const moments = momentColumns(point);
  if (moments === undefined || !explicitBounds.every(Number.isFinite)) return count.reject(NOT_FINITE);
  if (bucketCounts.length > MAX_BUCKETS) return count.reject(TOO_MANY_BUCKETS);
  const hasNoBuckets = bucketCounts.length === 0 && explicitBounds.length === 0;
  if (!hasNoBuckets && bucketCounts.length !== explicitBounds.length + 1) {
    return count.reject('histogram does not have one bucket more than bounds');
  }
  return {
    ...commonColumns(point, metric, count),
    ...exemplarColumns(point.exemplars, point, count),
    Count: point.count.toString(),
    ...moments,
    BucketCounts: decimals(bucketCounts),
    ExplicitBounds: explicitBounds,
    AggregationTemporality,
  };
}

function mapExponentialHistogram(
  point: ExponentialHistogramDataPoint,
  AggregationTemporality: number,
  metric: MetricColumns,
  count: RecordCount,
): ExponentialHistogramRow | undefined {
  const moments = momentColumns(point);
  if (moments === undefined) return count.reject(NOT_FINITE);
  const { scale, positive, negative } = point;
  if (scale < MIN_SCALE || scale > MAX_SCALE) return count.reject(`scale is outside ${MIN_SCALE} to ${MAX_SCALE}`);
  const bucketCount = (positive?.bucketCounts.length ?? 0) + (negative?.bucketCounts.length ?? 0);
  if (bucketCount > MAX_BUCKETS) return count.reject(TOO_MANY_BUCKETS);
  return {
    ...commonColumns(point, metric, count),
    ...exemplarColumns(point.exemplars, point, count),
    Count: point.count.toString(),
    ...moments,
    Scale: scale,
    ZeroCount: point.zeroCount.toString(),
    PositiveOffset: positive?.offset ?? 0,
    PositiveBucketCounts: decimals(positive?.bucketCounts),
    NegativeOffset: negative?.offset ?? 0,
    NegativeBucketCounts: decimals(negative?.bucketCounts),
    AggregationTemporality,
  };
}

function mapSummary(point: SummaryDataPoint, metric: MetricColumns, count: RecordCount): SummaryRow | undefined {
  if (!Number.isFinite(point.sum)) return count.reject(NOT_FINITE);
  // Prometheus clients report NaN for a quantile nobody observed lately: only that pair says nothing.
  const quantiles = count
    .list(point.quantileValues, MAX_ITEMS)
    .filter(({ quantile, value }) => Number.isFinite(quantile) && Number.isFinite(value));
  return {
    ...commonColumns(point, metric, count),
    Count: point.count.toString(),
    Sum: point.sum,
    'ValueAtQuantiles.Quantile': quantiles.map(({ quantile }) => quantile),
    'ValueAtQuantiles.Value': quantiles.map(({ value }) => value),
  };
}
