/** Metric rows for tests, built from a few words; times are milliseconds after T0_MS. */
import type { Attributes, GaugeRow, HistogramRow, SumRow } from '../clickhouse/telemetry-rows.ts';
import { nanosAt } from './fixture.contract.ts';

export interface MetricWords {
  readonly service: string;
  readonly metric: string;
  readonly atMs: number;
  readonly pod?: string;
  readonly unit?: string;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
  /** Start of the interval of a delta point. */
  readonly sinceMs?: number;
  readonly flags?: number;
}

const NO_EXEMPLARS = {
  'Exemplars.FilteredAttributes': [],
  'Exemplars.TimeUnix': [],
  'Exemplars.Value': [],
  'Exemplars.SpanId': [],
  'Exemplars.TraceId': [],
};

export function gaugeRow(words: MetricWords & { readonly value: number }): GaugeRow {
  return { ...common(words), ...NO_EXEMPLARS, Value: words.value };
}

/** Cumulative and monotonic unless said otherwise. */
export function sumRow(
  words: MetricWords & { readonly value: number; readonly isDelta?: boolean; readonly isMonotonic?: boolean },
): SumRow {
  return {
    ...gaugeRow(words),
    AggregationTemporality: words.isDelta ? 1 : 2,
    IsMonotonic: words.isMonotonic ?? true,
  };
}

/** Cumulative unless said otherwise. */
export function histogramRow(
  words: MetricWords & { readonly count: number; readonly sum: number; readonly isDelta?: boolean },
): HistogramRow {
  return {
    ...common(words),
    ...NO_EXEMPLARS,
    Count: String(words.count),
    Sum: words.sum,
    BucketCounts: [],
    ExplicitBounds: [],
    Min: 0,
    Max: 0,
    AggregationTemporality: words.isDelta ? 1 : 2,
  };
}

function common({ service, metric, atMs, pod, unit = '', attributes = {}, resource, sinceMs, flags = 0 }: MetricWords) {
  return {
    ResourceAttributes: { 'service.name': service, ...(pod === undefined ? {} : { 'k8s.pod.name': pod }), ...resource },
    ResourceSchemaUrl: '',
    ScopeName: '',
    ScopeVersion: '',
    ScopeAttributes: {},
    ScopeDroppedAttrCount: 0,
    ScopeSchemaUrl: '',
    ServiceName: service,
    MetricName: metric,
    MetricDescription: '',
    MetricUnit: unit,
    Attributes: attributes,
    StartTimeUnix: sinceMs === undefined ? '0'.repeat(19) : nanosAt(sinceMs),
    TimeUnix: nanosAt(atMs),
    Flags: flags,
  };
}
