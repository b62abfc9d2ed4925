/** The receiver against real clients: the OpenTelemetry JavaScript SDK with its own OTLP/HTTP exporters. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { createIngestCounts } from './ingest-counts.ts';
import { createOtlpHttpReceiver } from './otlp-http-receiver.ts';
import { createOtlpIntake } from './otlp-intake.ts';

const written: TelemetryRows[] = [];
const seen: { readonly contentType: string | undefined; readonly coding: string | undefined }[] = [];
const counts = createIngestCounts();
const intake = createOtlpIntake({
  store: async ({ rows }) => {
    written.push(rows);
  },
  maxBodyBytes: 1024 * 1024,
  clock: systemClock,
  logger: silentLogger,
  counts,
});
const receive = createOtlpHttpReceiver(intake);

async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
  seen.push({ contentType: incoming.headers['content-type'], coding: incoming.headers['content-encoding'] });
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const body = Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
  const init = { method: incoming.method, headers, body, duplex: 'half' } as RequestInit;
  const response = await receive(new Request(url, init));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

const server = createServer((incoming, outgoing) => {
  handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  written.length = 0;
  seen.length = 0;
});

type ExporterOptions = NonNullable<ConstructorParameters<typeof ProtoTraceExporter>[0]>;

function optionsFor(signal: string): ExporterOptions {
  const { port } = server.address() as AddressInfo;
  // The enum of this option lives in a package that we do not depend on.
  const compression = 'gzip' as NonNullable<ExporterOptions['compression']>;
  return { url: `http://127.0.0.1:${port}/v1/${signal}`, compression, keepAlive: false };
}

const resource = resourceFromAttributes({ 'service.name': 'checkout', 'host.cpus': 8, 'host.tags': ['a', 'b'] });
const resourceAttributes = { 'service.name': 'checkout', 'host.cpus': '8', 'host.tags': '["a","b"]' };

function nanosOf([seconds, nanos]: HrTime): string {
  return (BigInt(seconds) * 1_000_000_000n + BigInt(nanos)).toString();
}

describe.each([
  {
    encoding: 'protobuf',
    contentType: 'application/x-protobuf',
    Traces: ProtoTraceExporter,
    Logs: ProtoLogExporter,
    Metrics: ProtoMetricExporter,
  },
  {
    encoding: 'JSON',
    contentType: 'application/json',
    Traces: JsonTraceExporter,
    Logs: JsonLogExporter,
    Metrics: JsonMetricExporter,
  },
])('the SDK sending gzipped $encoding', ({ contentType, Traces, Logs, Metrics }) => {
  it('has its spans arrive as they were', async () => {
    const kept = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor(new Traces(optionsFor('traces'))), new SimpleSpanProcessor(kept)],
    });
    const tracer = provider.getTracer('shop', '1.2.3');
    const linked = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.SAMPLED };
    const parent = trace.wrapSpanContext({
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      traceFlags: 1,
      isRemote: true,
    });
    const span = tracer.startSpan(
      'GET /cart',
      {
        kind: SpanKind.SERVER,
        attributes: { text: 'grün', count: 3, ratio: 0.5, yes: true, list: [1, 2] },
        links: [{ context: linked, attributes: { why: 'retry' } }],
      },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
    span.addEvent('exception', { 'exception.message': 'no stock' });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'no stock' });
    span.end();
    await provider.forceFlush();
    const [sent] = kept.getFinishedSpans();
    await provider.shutdown();
    expect(seen).toEqual([{ contentType, coding: 'gzip' }]);
    expect(written).toEqual([
      {
        otel_traces: [
          {
            Timestamp: nanosOf(sent?.startTime ?? [0, 0]),
            TraceId: 'ab'.repeat(16),
            SpanId: span.spanContext().spanId,
            ParentSpanId: 'cd'.repeat(8),
            TraceState: '',
            SpanName: 'GET /cart',
            SpanKind: 'Server',
            ServiceName: 'checkout',
            ResourceAttributes: resourceAttributes,
            ScopeName: 'shop',
            ScopeVersion: '1.2.3',
            SpanAttributes: { text: 'grün', count: '3', ratio: '0.5', yes: 'true', list: '[1,2]' },
            Duration: (
              BigInt(nanosOf(sent?.endTime ?? [0, 0])) - BigInt(nanosOf(sent?.startTime ?? [0, 0]))
            ).toString(),
            StatusCode: 'Error',
            StatusMessage: 'no stock',
            'Events.Timestamp': sent?.events.map(({ time }) => nanosOf(time)),
            'Events.Name': ['exception'],
            'Events.Attributes': [{ 'exception.message': 'no stock' }],
            'Links.TraceId': ['1'.repeat(32)],
            'Links.SpanId': ['2'.repeat(16)],
            'Links.TraceState': [''],
            'Links.Attributes': [{ why: 'retry' }],
          },
        ],
      },
    ]);
  });

  it('has its log records arrive as they were', async () => {
    const processors = [new SimpleLogRecordProcessor({ exporter: new Logs(optionsFor('logs')) })];
    const provider = new LoggerProvider({ resource, processors });
    const atMs = Date.UTC(2026, 0, 1);
    provider.getLogger('app', '3').emit({
      timestamp: atMs,
      observedTimestamp: atMs + 5,
      severityNumber: 17,
      severityText: 'ERROR',
      body: { what: 'payment', tries: [1, 2], bytes: new Uint8Array([1, 2, 3]) },
      attributes: { order: 42, nested: { deep: true } },
      eventName: 'payment.failed',
    });
    await provider.forceFlush();
    await provider.shutdown();
    expect(seen).toEqual([{ contentType, coding: 'gzip' }]);
    expect(written).toEqual([
      {
        otel_logs: [
          {
            Timestamp: `${atMs}000000`,
            TraceId: '',
            SpanId: '',
            TraceFlags: 0,
            SeverityText: 'ERROR',
            SeverityNumber: 17,
            ServiceName: 'checkout',
            Body: '{"what":"payment","tries":[1,2],"bytes":"AQID"}',
            ResourceSchemaUrl: '',
            ResourceAttributes: resourceAttributes,
            ScopeSchemaUrl: '',
            ScopeName: 'app',
            ScopeVersion: '3',
            ScopeAttributes: {},
            LogAttributes: { order: '42', nested: '{"deep":true}' },
            EventName: 'payment.failed',
          },
        ],
      },
    ]);
  });

  it('has its gauges, sums and both kinds of histogram arrive as they were', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new Metrics(optionsFor('metrics')),
      exportIntervalMillis: 3_600_000,
    });
    const exponential = {
      instrumentName: 'size',
      aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const,
    };
    const provider = new MeterProvider({ resource, readers: [reader], views: [exponential] });
    const meter = provider.getMeter('shop', '1');
    meter.createGauge('pool', { unit: '1', description: 'free connections' }).record(2.5, { pool: 'db' });
    meter.createCounter('requests').add(7);
    meter.createUpDownCounter('queue').add(-3);
    const duration = meter.createHistogram('duration', { unit: 'ms', advice: { explicitBucketBoundaries: [10, 100] } });
    for (const value of [5, 50, 60]) duration.record(value);
    const size = meter.createHistogram('size', { unit: 'By' });
    for (const value of [1, 2, 0]) size.record(value);
    await provider.forceFlush();
    await provider.shutdown();
    const [rows] = written;
    const common = {
      ServiceName: 'checkout',
      ResourceAttributes: resourceAttributes,
      ScopeName: 'shop',
      ScopeVersion: '1',
    };
    expect(seen[0]).toEqual({ contentType, coding: 'gzip' });
    expect(rows).toMatchObject({
      otel_metrics_gauge: [
        {
          ...common,
          MetricName: 'pool',
          MetricUnit: '1',
          MetricDescription: 'free connections',
          Attributes: { pool: 'db' },
          Value: 2.5,
        },
      ],
      otel_metrics_sum: [
        { ...common, MetricName: 'requests', Value: 7, IsMonotonic: true, AggregationTemporality: 2 },
        { ...common, MetricName: 'queue', Value: -3, IsMonotonic: false, AggregationTemporality: 2 },
      ],
      otel_metrics_histogram: [
        {
          ...common,
          MetricName: 'duration',
          Count: '3',
          Sum: 115,
          Min: 5,
          Max: 60,
          ExplicitBounds: [10, 100],
          BucketCounts: ['1', '2', '0'],
        },
      ],
      otel_metrics_exponential_histogram: [
        { ...common, MetricName: 'size', Count: '3', Sum: 3, Min: 0, Max: 2, ZeroCount: '1', NegativeBucketCounts: [] },
      ],
    });
    const [exponentialRow] = rows?.otel_metrics_exponential_histogram ?? [];
    const inBuckets = exponentialRow?.PositiveBucketCounts.reduce((sum, count) => sum + Number(count), 0);
    expect(inBuckets).toBe(2);
    expect(exponentialRow?.Scale).toBeGreaterThan(0);
    expect(exponentialRow?.TimeUnix).toMatch(/^\d{19}$/);
  });
});

it('every record the clients sent was received, none rejected', () => {
  expect(counts.traces).toEqual({ received: 2, late: 0, rejected: 0, refused: 0 });
  expect(counts.logs).toEqual({ received: 2, late: 2, rejected: 0, refused: 0 });
  expect(counts.metrics).toMatchObject({ rejected: 0, refused: 0 });
});
