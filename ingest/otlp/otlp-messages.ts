/**
 * The one shape that both encodings of OTLP decode into and that the mapping to rows reads: field names of the protocol in
 * lowerCamelCase, 64-bit integers as bigint, ids and byte strings as bytes, every text well-formed Unicode. An absent field
 * reads as proto3's default; only members marked `?` can be told from it.
 */

export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: bigint;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  readonly bytesValue?: Uint8Array;
}

export interface KeyValue {
  readonly key: string;
  readonly value?: AnyValue;
}

export interface Resource {
  readonly attributes: readonly KeyValue[];
}

export interface InstrumentationScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount: number;
}

/** What can be rejected alone. */
interface OtlpRecord {
  /** Why this record could not be read although its neighbours could. */
  readonly malformed?: string;
}

export interface Span extends OtlpRecord {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly traceState: string;
  readonly parentSpanId: Uint8Array;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly status?: { readonly message: string; readonly code: number };
}

export interface SpanEvent {
  readonly timeUnixNano: bigint;
  readonly name: string;
  readonly attributes: readonly KeyValue[];
}

export interface SpanLink {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly traceState: string;
  readonly attributes: readonly KeyValue[];
}

export interface LogRecord extends OtlpRecord {
  readonly timeUnixNano: bigint;
  readonly observedTimeUnixNano: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body?: AnyValue;
  readonly attributes: readonly KeyValue[];
  readonly flags: number;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly eventName: string;
}

export interface Exemplar {
  readonly timeUnixNano: bigint;
  readonly asDouble?: number;
  readonly asInt?: bigint;
  readonly spanId: Uint8Array;
  readonly traceId: Uint8Array;
  readonly filteredAttributes: readonly KeyValue[];
}

/** What every kind of data point has. */
export interface DataPoint extends OtlpRecord {
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
  readonly attributes: readonly KeyValue[];
  readonly flags: number;
}

export interface NumberDataPoint extends DataPoint {
  readonly asDouble?: number;
  readonly asInt?: bigint;
  readonly exemplars: readonly Exemplar[];
}

export interface HistogramDataPoint extends DataPoint {
  readonly count: bigint;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly bucketCounts: readonly bigint[];
  readonly explicitBounds: readonly number[];
  readonly exemplars: readonly Exemplar[];
}

interface Buckets {
  readonly offset: number;
  readonly bucketCounts: readonly bigint[];
}

export interface ExponentialHistogramDataPoint extends DataPoint {
  readonly count: bigint;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly scale: number;
  readonly zeroCount: bigint;
  readonly positive?: Buckets;
  readonly negative?: Buckets;
  readonly exemplars: readonly Exemplar[];
}

export interface SummaryDataPoint extends DataPoint {
  readonly count: bigint;
  readonly sum: number;
  readonly quantileValues: readonly { readonly quantile: number; readonly value: number }[];
}

export interface Metric extends OtlpRecord {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly NumberDataPoint[] };
  readonly sum?: {
    readonly dataPoints: readonly NumberDataPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
  readonly histogram?: { readonly dataPoints: readonly HistogramDataPoint[]; readonly aggregationTemporality: number };
  readonly exponentialHistogram?: {
    readonly dataPoints: readonly ExponentialHistogramDataPoint[];
    readonly aggregationTemporality: number;
  };
  readonly summary?: { readonly dataPoints: readonly SummaryDataPoint[] };
}

/** What telemetry of one resource and scope shares. */
interface ResourceGroup {
  readonly resource?: Resource;
  readonly schemaUrl: string;
}
interface ScopeGroup {
  readonly scope?: InstrumentationScope;
  readonly schemaUrl: string;
}

export interface TracesRequest {
  readonly resourceSpans: readonly (ResourceGroup & {
    readonly scopeSpans: readonly (ScopeGroup & { readonly spans: readonly Span[] })[];
  })[];
}

export interface LogsRequest {
  readonly resourceLogs: readonly (ResourceGroup & {
    readonly scopeLogs: readonly (ScopeGroup & { readonly logRecords: readonly LogRecord[] })[];
  })[];
}

export interface MetricsRequest {
  readonly resourceMetrics: readonly (ResourceGroup & {
    readonly scopeMetrics: readonly (ScopeGroup & { readonly metrics: readonly Metric[] })[];
  })[];
}

/** A decoded request, by signal. */
export interface OtlpRequests {
  readonly traces: TracesRequest;
  readonly logs: LogsRequest;
  readonly metrics: MetricsRequest;
}
