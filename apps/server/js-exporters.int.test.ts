/** The OpenTelemetry JavaScript SDK with every OTLP exporter it has, into a whole host: rows sent are rows stored. */
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countRows, openRealHost, type RealHost, SIGNALS } from './bad-input.fixture.ts';

const SPANS = 1_500;
const LINES = 1_500;
const COUNTERS = 120;

type Options = NonNullable<ConstructorParameters<typeof GrpcTraces>[0]>;
interface Exporters {
  readonly traces: SpanExporter;
  readonly logs: LogRecordExporter;
  readonly metrics: PushMetricExporter;
}

/** Each exporter takes the same options; over HTTP the path is part of the URL. */
const PROTOCOLS: Readonly<Record<string, (host: RealHost, options: Options) => Exporters>> = {
  'HTTP, protobuf': ({ url }, options) => ({
    traces: new ProtoTraces({ ...options, url: `${url}/v1/traces` }),
    logs: new ProtoLogs({ ...options, url: `${url}/v1/logs` }),
    metrics: new ProtoMetrics({ ...options, url: `${url}/v1/metrics` }),
  }),
  'HTTP, JSON': ({ url }, options) => ({
    traces: new JsonTraces({ ...options, url: `${url}/v1/traces` }),
    logs: new JsonLogs({ ...options, url: `${url}/v1/logs` }),
    metrics: new JsonMetrics({ ...options, url: `${url}/v1/metrics` }),
  }),
  gRPC: ({ grpcUrl: url }, options) => ({
    traces: new GrpcTraces({ ...options, url }),
    logs: new GrpcLogs({ ...options, url }),
    metrics: new GrpcMetrics({ ...options, url }),
  }),
};

let host: RealHost;
beforeAll(async () => {
  host = await openRealHost({});
});
afterAll(() => host.close());

async function sendSpans(exporter: SpanExporter, resource: Resource): Promise<void> {
  const processor = new BatchSpanProcessor(exporter, { maxQueueSize: SPANS });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer('shop');
  for (let count = 0; count < SPANS; count++) tracer.startSpan(`GET /${count % 7}`, { attributes: { count } }).end();
  await provider.shutdown();
}

async function sendLines(exporter: LogRecordExporter, resource: Resource): Promise<void> {
  const processor = new BatchLogRecordProcessor({ exporter, maxQueueSize: LINES });
  const provider = new LoggerProvider({ resource, processors: [processor] });
  const logger = provider.getLogger('shop');
  for (let count = 0; count < LINES; count++) logger.emit({ body: `order ${count} placed`, severityNumber: 9 });
  await provider.shutdown();
}

async function sendPoints(exporter: PushMetricExporter, resource: Resource): Promise<void> {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const counter = provider.getMeter('shop').createCounter('orders');
  for (let shop = 0; shop < COUNTERS; shop++) counter.add(1, { shop });
  await provider.shutdown();
}

const CASES = Object.keys(PROTOCOLS).flatMap((protocol) => ['none', 'gzip'].map((coding) => ({ protocol, coding })));

it.each(CASES)('$protocol, $coding: every span, line and point', async ({ protocol, coding }) => {
  const service = `${protocol} ${coding}`;
  const resource = resourceFromAttributes({ 'service.name': service });
  // The enum of this option lives in a package that we do not depend on.
  const compression = coding as NonNullable<Options['compression']>;
  const exporters = PROTOCOLS[protocol]?.(host, { compression });
  if (!exporters) expect.unreachable();
  await sendSpans(exporters.traces, resource);
  await sendLines(exporters.logs, resource);
  await sendPoints(exporters.metrics, resource);
  const stored = await Promise.all(SIGNALS.map((signal) => countRows(host.runtime, signal, service)));
  expect(Object.fromEntries(SIGNALS.map((signal, index) => [signal, stored[index]]))).toEqual({
    traces: SPANS,
    logs: LINES,
    metrics: COUNTERS,
  });
});
