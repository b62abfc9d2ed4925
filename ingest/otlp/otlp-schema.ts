/**
 * The OTLP messages as a protobufjs descriptor, written from the OpenTelemetry protocol's specification
 * (opentelemetry-proto 1.x: trace, logs, metrics, common, resource, collector services; google.rpc.Status and RetryInfo).
 * Fields that no row needs (entity references, metric metadata) are left out: decoders skip what they do not know.
 */
import protobuf from 'protobufjs/light.js';

type FieldRule = 'repeated' | 'optional';
type Fields = Readonly<Record<string, readonly [id: number, type: string, rule?: FieldRule]>>;

/** Tells a set field from an absent one: a proto3 `optional`, or a member of a oneof. */
const PRESENCE = { features: { field_presence: 'EXPLICIT' } };

/**
 * A message. The members of a oneof are written as optional fields: the bytes are the same, more than one of them is
 * invalid either way, and protobufjs decodes attributes a quarter faster.
 */
function message(fields: Fields): protobuf.IType {
  const described = Object.entries(fields).map(([name, [id, type, rule]]) => {
    if (rule === 'repeated') return [name, { id, type, rule }];
    return [name, rule === 'optional' ? { id, type, options: PRESENCE } : { id, type }];
  });
  return { fields: Object.fromEntries(described) };
}

const common: Record<string, protobuf.AnyNestedObject> = {
  AnyValue: message({
    stringValue: [1, 'string', 'optional'],
    boolValue: [2, 'bool', 'optional'],
    intValue: [3, 'int64', 'optional'],
    doubleValue: [4, 'double', 'optional'],
    arrayValue: [5, 'ArrayValue'],
    kvlistValue: [6, 'KeyValueList'],
    bytesValue: [7, 'bytes', 'optional'],
  }),
  ArrayValue: message({ values: [1, 'AnyValue', 'repeated'] }),
  KeyValueList: message({ values: [1, 'KeyValue', 'repeated'] }),
  KeyValue: message({ key: [1, 'string'], value: [2, 'AnyValue'] }),
  InstrumentationScope: message({
    name: [1, 'string'],
    version: [2, 'string'],
    attributes: [3, 'KeyValue', 'repeated'],
    droppedAttributesCount: [4, 'uint32'],
  }),
  Resource: message({ attributes: [1, 'KeyValue', 'repeated'], droppedAttributesCount: [2, 'uint32'] }),
};

const trace: Record<string, protobuf.AnyNestedObject> = {
  ResourceSpans: message({
    resource: [1, 'Resource'],
    scopeSpans: [2, 'ScopeSpans', 'repeated'],
    schemaUrl: [3, 'string'],
  }),
  ScopeSpans: message({
    scope: [1, 'InstrumentationScope'],
    spans: [2, 'Span', 'repeated'],
    schemaUrl: [3, 'string'],
  }),
  SpanKind: {
    values: {
      SPAN_KIND_UNSPECIFIED: 0,
      SPAN_KIND_INTERNAL: 1,
      SPAN_KIND_SERVER: 2,
      SPAN_KIND_CLIENT: 3,
      SPAN_KIND_PRODUCER: 4,
      SPAN_KIND_CONSUMER: 5,
    },
  },
  StatusCode: { values: { STATUS_CODE_UNSET: 0, STATUS_CODE_OK: 1, STATUS_CODE_ERROR: 2 } },
  Span: message({
    traceId: [1, 'bytes'],
    spanId: [2, 'bytes'],
    traceState: [3, 'string'],
    parentSpanId: [4, 'bytes'],
    name: [5, 'string'],
    kind: [6, 'SpanKind'],
    startTimeUnixNano: [7, 'fixed64'],
    endTimeUnixNano: [8, 'fixed64'],
    attributes: [9, 'KeyValue', 'repeated'],
    droppedAttributesCount: [10, 'uint32'],
    events: [11, 'SpanEvent', 'repeated'],
    droppedEventsCount: [12, 'uint32'],
    links: [13, 'SpanLink', 'repeated'],
    droppedLinksCount: [14, 'uint32'],
    status: [15, 'SpanStatus'],
    flags: [16, 'fixed32'],
  }),
  SpanEvent: message({
    timeUnixNano: [1, 'fixed64'],
    name: [2, 'string'],
    attributes: [3, 'KeyValue', 'repeated'],
    droppedAttributesCount: [4, 'uint32'],
  }),
  SpanLink: message({
    traceId: [1, 'bytes'],
    spanId: [2, 'bytes'],
    traceState: [3, 'string'],
    attributes: [4, 'KeyValue', 'repeated'],
    droppedAttributesCount: [5, 'uint32'],
    flags: [6, 'fixed32'],
  }),
  SpanStatus: message({ message: [2, 'string'], code: [3, 'StatusCode'] }),
};

/** SEVERITY_NUMBER_TRACE = 1 ... SEVERITY_NUMBER_FATAL4 = 24: six levels of four steps. */
function severityNumbers(): Record<string, number> {
  const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const names = levels.flatMap((level) => ['', '2', '3', '4'].map((step) => `SEVERITY_NUMBER_${level}${step}`));
  return Object.fromEntries(['SEVERITY_NUMBER_UNSPECIFIED', ...names].map((name, index) => [name, index]));
}

const logs: Record<string, protobuf.AnyNestedObject> = {
  ResourceLogs: message({
    resource: [1, 'Resource'],
    scopeLogs: [2, 'ScopeLogs', 'repeated'],
    schemaUrl: [3, 'string'],
  }),
  ScopeLogs: message({
    scope: [1, 'InstrumentationScope'],
    logRecords: [2, 'LogRecord', 'repeated'],
    schemaUrl: [3, 'string'],
  }),
  SeverityNumber: { values: severityNumbers() },
  LogRecord: message({
    timeUnixNano: [1, 'fixed64'],
    severityNumber: [2, 'SeverityNumber'],
    severityText: [3, 'string'],
    body: [5, 'AnyValue'],
    attributes: [6, 'KeyValue', 'repeated'],
    droppedAttributesCount: [7, 'uint32'],
    flags: [8, 'fixed32'],
    traceId: [9, 'bytes'],
    spanId: [10, 'bytes'],
    observedTimeUnixNano: [11, 'fixed64'],
    eventName: [12, 'string'],
  }),
};

const metrics: Record<string, protobuf.AnyNestedObject> = {
  ResourceMetrics: message({
    resource: [1, 'Resource'],
    scopeMetrics: [2, 'ScopeMetrics', 'repeated'],
    schemaUrl: [3, 'string'],
  }),
  ScopeMetrics: message({
    scope: [1, 'InstrumentationScope'],
    metrics: [2, 'Metric', 'repeated'],
    schemaUrl: [3, 'string'],
  }),
  Metric: message({
    name: [1, 'string'],
    description: [2, 'string'],
    unit: [3, 'string'],
    gauge: [5, 'Gauge'],
    sum: [7, 'Sum'],
    histogram: [9, 'Histogram'],
    exponentialHistogram: [10, 'ExponentialHistogram'],
    summary: [11, 'Summary'],
  }),
  AggregationTemporality: {
    values: {
      AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
      AGGREGATION_TEMPORALITY_DELTA: 1,
      AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
    },
  },
  Gauge: message({ dataPoints: [1, 'NumberDataPoint', 'repeated'] }),
  Sum: message({
    dataPoints: [1, 'NumberDataPoint', 'repeated'],
    aggregationTemporality: [2, 'AggregationTemporality'],
    isMonotonic: [3, 'bool'],
  }),
  Histogram: message({
    dataPoints: [1, 'HistogramDataPoint', 'repeated'],
    aggregationTemporality: [2, 'AggregationTemporality'],
  }),
  ExponentialHistogram: message({
    dataPoints: [1, 'ExponentialHistogramDataPoint', 'repeated'],
    aggregationTemporality: [2, 'AggregationTemporality'],
  }),
  Summary: message({ dataPoints: [1, 'SummaryDataPoint', 'repeated'] }),
  NumberDataPoint: message({
    startTimeUnixNano: [2, 'fixed64'],
    timeUnixNano: [3, 'fixed64'],
    asDouble: [4, 'double', 'optional'],
    exemplars: [5, 'Exemplar', 'repeated'],
    asInt: [6, 'sfixed64', 'optional'],
    attributes: [7, 'KeyValue', 'repeated'],
    flags: [8, 'uint32'],
  }),
  HistogramDataPoint: message({
    startTimeUnixNano: [2, 'fixed64'],
    timeUnixNano: [3, 'fixed64'],
    count: [4, 'fixed64'],
    sum: [5, 'double', 'optional'],
    bucketCounts: [6, 'fixed64', 'repeated'],
    explicitBounds: [7, 'double', 'repeated'],
    exemplars: [8, 'Exemplar', 'repeated'],
    attributes: [9, 'KeyValue', 'repeated'],
    flags: [10, 'uint32'],
    min: [11, 'double', 'optional'],
    max: [12, 'double', 'optional'],
  }),
  ExponentialHistogramDataPoint: message({
    attributes: [1, 'KeyValue', 'repeated'],
    startTimeUnixNano: [2, 'fixed64'],
    timeUnixNano: [3, 'fixed64'],
    count: [4, 'fixed64'],
    sum: [5, 'double', 'optional'],
    scale: [6, 'sint32'],
    zeroCount: [7, 'fixed64'],
    positive: [8, 'Buckets'],
    negative: [9, 'Buckets'],
    flags: [10, 'uint32'],
    exemplars: [11, 'Exemplar', 'repeated'],
    min: [12, 'double', 'optional'],
    max: [13, 'double', 'optional'],
    zeroThreshold: [14, 'double'],
  }),
  Buckets: message({ offset: [1, 'sint32'], bucketCounts: [2, 'uint64', 'repeated'] }),
  SummaryDataPoint: message({
    startTimeUnixNano: [2, 'fixed64'],
    timeUnixNano: [3, 'fixed64'],
    count: [4, 'fixed64'],
    sum: [5, 'double'],
    quantileValues: [6, 'ValueAtQuantile', 'repeated'],
    attributes: [7, 'KeyValue', 'repeated'],
    flags: [8, 'uint32'],
  }),
  ValueAtQuantile: message({ quantile: [1, 'double'], value: [2, 'double'] }),
  Exemplar: message({
    timeUnixNano: [2, 'fixed64'],
    asDouble: [3, 'double', 'optional'],
    spanId: [4, 'bytes'],
    traceId: [5, 'bytes'],
    asInt: [6, 'sfixed64', 'optional'],
    filteredAttributes: [7, 'KeyValue', 'repeated'],
  }),
};

const services: Record<string, protobuf.AnyNestedObject> = {
  ExportTraceServiceRequest: message({ resourceSpans: [1, 'ResourceSpans', 'repeated'] }),
  ExportTraceServiceResponse: message({ partialSuccess: [1, 'ExportTracePartialSuccess'] }),
  ExportTracePartialSuccess: message({ rejectedSpans: [1, 'int64'], errorMessage: [2, 'string'] }),
  ExportLogsServiceRequest: message({ resourceLogs: [1, 'ResourceLogs', 'repeated'] }),
  ExportLogsServiceResponse: message({ partialSuccess: [1, 'ExportLogsPartialSuccess'] }),
  ExportLogsPartialSuccess: message({ rejectedLogRecords: [1, 'int64'], errorMessage: [2, 'string'] }),
  ExportMetricsServiceRequest: message({ resourceMetrics: [1, 'ResourceMetrics', 'repeated'] }),
  ExportMetricsServiceResponse: message({ partialSuccess: [1, 'ExportMetricsPartialSuccess'] }),
  ExportMetricsPartialSuccess: message({ rejectedDataPoints: [1, 'int64'], errorMessage: [2, 'string'] }),
  Status: message({ code: [1, 'int32'], message: [2, 'string'], details: [3, 'Any', 'repeated'] }),
  Any: message({ typeUrl: [1, 'string'], value: [2, 'bytes'] }),
  RetryInfo: message({ retryDelay: [1, 'Duration'] }),
  Duration: message({ seconds: [1, 'int64'], nanos: [2, 'int32'] }),
};

const root = protobuf.Root.fromJSON({ nested: { ...common, ...trace, ...logs, ...metrics, ...services } });
root.resolveAll();

/** What an absent field reads as: nothing where presence matters, a bigint zero for 64-bit integers, else proto3's default. */
function setDefaults(type: protobuf.Type): void {
  for (const field of type.fieldsArray.filter(({ repeated }) => !repeated)) {
    const isTold = field.hasPresence || field.resolvedType instanceof protobuf.Type;
    if (isTold) Object.assign(type.ctor.prototype, { [field.name]: undefined });
    else if (field.long) Object.assign(type.ctor.prototype, { [field.name]: 0n });
  }
}
for (const nested of root.nestedArray) if (nested instanceof protobuf.Type) setDefaults(nested);

/** The signals that OTLP carries. */
export type OtlpSignal = 'traces' | 'logs' | 'metrics';

export const OTLP_REQUESTS: Readonly<Record<OtlpSignal, protobuf.Type>> = {
  traces: root.lookupType('ExportTraceServiceRequest'),
  logs: root.lookupType('ExportLogsServiceRequest'),
  metrics: root.lookupType('ExportMetricsServiceRequest'),
};

/** What can be malformed without costing its neighbours. */
export const OTLP_RECORDS: readonly protobuf.Type[] = [
  'Span',
  'LogRecord',
  'Metric',
  'NumberDataPoint',
  'HistogramDataPoint',
  'ExponentialHistogramDataPoint',
  'SummaryDataPoint',
].map((name) => root.lookupType(name));

export const OTLP_RESPONSES: Readonly<Record<OtlpSignal, protobuf.Type>> = {
  traces: root.lookupType('ExportTraceServiceResponse'),
  logs: root.lookupType('ExportLogsServiceResponse'),
  metrics: root.lookupType('ExportMetricsServiceResponse'),
};

/** google.rpc.Status: the body of every failed OTLP/HTTP answer, and a trailer of gRPC ones. */
export const RPC_STATUS: protobuf.Type = root.lookupType('Status');

/** google.rpc.RetryInfo: what a gRPC refusal carries that may be sent again. */
export const RETRY_INFO: protobuf.Type = root.lookupType('RetryInfo');
