/**
 * Rows as the tables of the OpenTelemetry Collector's ClickHouse exporter hold them: JSON objects for JSONEachRow, keyed by
 * column name. Times are decimal strings of nanoseconds since the Unix epoch (DateTime64(9) takes them as they are), 64-bit
 * integers decimal strings, durations nanoseconds.
 */

export type Attributes = Readonly<Record<string, string>>;

export interface SpanRow {
  readonly Timestamp: string;
  /** 32 lower-case hex digits. */
  readonly TraceId: string;
  /** 16 lower-case hex digits. */
  readonly SpanId: string;
  /** 16 lower-case hex digits; empty for a root span. */
  readonly ParentSpanId: string;
  readonly TraceState: string;
  readonly SpanName: string;
  readonly SpanKind: 'Unspecified' | 'Internal' | 'Server' | 'Client' | 'Producer' | 'Consumer';
  readonly ServiceName: string;
  readonly ResourceAttributes: Attributes;
  readonly ScopeName: string;
  readonly ScopeVersion: string;
  readonly SpanAttributes: Attributes;
  readonly Duration: string;
  readonly StatusCode: 'Unset' | 'Ok' | 'Error';
  readonly StatusMessage: string;
  readonly 'Events.Timestamp': readonly string[];
  readonly 'Events.Name': readonly string[];
  readonly 'Events.Attributes': readonly Attributes[];
  readonly 'Links.TraceId': readonly string[];
  readonly 'Links.SpanId': readonly string[];
  readonly 'Links.TraceState': readonly string[];
  readonly 'Links.Attributes': readonly Attributes[];
}

export interface LogRow {
  readonly Timestamp: string;
  readonly TraceId: string;
  readonly SpanId: string;
  readonly TraceFlags: number;
  readonly SeverityText: string;
  readonly SeverityNumber: number;
  readonly ServiceName: string;
  readonly Body: string;
  readonly ResourceSchemaUrl: string;
  readonly ResourceAttributes: Attributes;
  readonly ScopeSchemaUrl: string;
  readonly ScopeName: string;
  readonly ScopeVersion: string;
  readonly ScopeAttributes: Attributes;
  readonly LogAttributes: Attributes;
  readonly EventName: string;
  /** Id of its template when it arrived (log-templates.ts); left out before it is mined. */
  readonly TemplateId?: string;
}

interface MetricRowCommon {
  readonly ResourceAttributes: Attributes;
  readonly ResourceSchemaUrl: string;
  readonly ScopeName: string;
  readonly ScopeVersion: string;
  readonly ScopeAttributes: Attributes;
  readonly ScopeDroppedAttrCount: number;
  readonly ScopeSchemaUrl: string;
  readonly ServiceName: string;
  readonly MetricName: string;
  readonly MetricDescription: string;
  readonly MetricUnit: string;
  readonly Attributes: Attributes;
  readonly StartTimeUnix: string;
  readonly TimeUnix: string;
  readonly Flags: number;
}

interface ExemplarColumns {
  readonly 'Exemplars.FilteredAttributes': readonly Attributes[];
  readonly 'Exemplars.TimeUnix': readonly string[];
  readonly 'Exemplars.Value': readonly number[];
  readonly 'Exemplars.SpanId': readonly string[];
  readonly 'Exemplars.TraceId': readonly string[];
}

export interface GaugeRow extends MetricRowCommon, ExemplarColumns {
  readonly Value: number;
}

export interface SumRow extends GaugeRow {
  /** 0 unspecified, 1 delta, 2 cumulative. */
  readonly AggregationTemporality: number;
  readonly IsMonotonic: boolean;
}

export interface HistogramRow extends MetricRowCommon, ExemplarColumns {
  readonly Count: string;
  readonly Sum: number;
  readonly BucketCounts: readonly string[];
  readonly ExplicitBounds: readonly number[];
  readonly Min: number;
  readonly Max: number;
  readonly AggregationTemporality: number;
}

export interface ExponentialHistogramRow extends MetricRowCommon, ExemplarColumns {
  readonly Count: string;
  readonly Sum: number;
  readonly Scale: number;
  readonly ZeroCount: string;
  readonly PositiveOffset: number;
  readonly PositiveBucketCounts: readonly string[];
  readonly NegativeOffset: number;
  readonly NegativeBucketCounts: readonly string[];
  readonly Min: number;
  readonly Max: number;
  readonly AggregationTemporality: number;
}

export interface SummaryRow extends MetricRowCommon {
  readonly Count: string;
  readonly Sum: number;
  readonly 'ValueAtQuantiles.Quantile': readonly number[];
  readonly 'ValueAtQuantiles.Value': readonly number[];
}

/** Table name to its rows: what one decoded request becomes. Tables without rows are left out. */
export interface TelemetryRows {
  readonly otel_traces?: readonly SpanRow[];
  readonly otel_logs?: readonly LogRow[];
  readonly otel_metrics_gauge?: readonly GaugeRow[];
  readonly otel_metrics_sum?: readonly SumRow[];
  readonly otel_metrics_histogram?: readonly HistogramRow[];
  readonly otel_metrics_exponential_histogram?: readonly ExponentialHistogramRow[];
  readonly otel_metrics_summary?: readonly SummaryRow[];
}

export type TelemetryTable = keyof TelemetryRows;
