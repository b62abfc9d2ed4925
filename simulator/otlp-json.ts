/**
 * The OTLP/JSON requests that the simulator emits (protocol specification, "JSON Protobuf Encoding": ids in hexadecimal,
 * enums as integers, 64-bit integers as decimal strings, lowerCamelCase). Only the members it writes are typed.
 */

type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean };

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

export interface Resource {
  readonly attributes: readonly KeyValue[];
}

interface Scope {
  readonly name: string;
  readonly version: string;
}

/** SpanKind of trace.proto. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root span. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly {
    readonly timeUnixNano: string;
    readonly name: string;
    readonly attributes: readonly KeyValue[];
  }[];
  /** Code 2 is an error; absent means unset. */
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface LogRecord {
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: AnyValue;
  readonly attributes: readonly KeyValue[];
  /** Both ids are empty when the record belongs to no request. */
  readonly traceId: string;
  readonly spanId: string;
}

export interface NumberPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
  readonly asDouble?: number;
  readonly asInt?: string;
}

export interface HistogramPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly count: string;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly bucketCounts: readonly string[];
  readonly explicitBounds: readonly number[];
}

/** AggregationTemporality of metrics.proto. */
export const TEMPORALITY = { delta: 1, cumulative: 2 } as const;

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly NumberPoint[] };
  readonly sum?: {
    readonly dataPoints: readonly NumberPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
  readonly histogram?: { readonly dataPoints: readonly HistogramPoint[]; readonly aggregationTemporality: number };
}

interface ResourceSpans {
  readonly resource: Resource;
  readonly scopeSpans: readonly { readonly scope: Scope; readonly spans: readonly Span[] }[];
}
interface ResourceLogs {
  readonly resource: Resource;
  readonly scopeLogs: readonly { readonly scope: Scope; readonly logRecords: readonly LogRecord[] }[];
}
export interface ResourceMetrics {
  readonly resource: Resource;
  readonly scopeMetrics: readonly { readonly scope: Scope; readonly metrics: readonly Metric[] }[];
}

export interface ExportTraceServiceRequest {
  readonly resourceSpans: readonly ResourceSpans[];
}
export interface ExportLogsServiceRequest {
  readonly resourceLogs: readonly ResourceLogs[];
}
export interface ExportMetricsServiceRequest {
  readonly resourceMetrics: readonly ResourceMetrics[];
}

export function textAttribute(key: string, value: string): KeyValue {
  return { key, value: { stringValue: value } };
}

/** @param value a whole number */
export function intAttribute(key: string, value: number): KeyValue {
  return { key, value: { intValue: String(value) } };
}

/** Nanoseconds since the epoch as the decimal string that fixed64 is in JSON. @param atUs whole microseconds */
export function nanosOf(atUs: number): string {
  return `${atUs}000`;
}
