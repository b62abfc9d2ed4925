/** The opened runtime from end to end: real OpenTelemetry clients on one side, the rows of a real engine on the other. */
import { once } from 'node:events';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../clickhouse/database.ts';
import { openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { makeDataDir, startEngineHost, stopEngineHost } from '../clickhouse/engine.fixture.ts';
import { loadConfig } from '../platform/config.ts';
import { ConfigError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { openRuntime, type Runtime } from './open-runtime.ts';

const directory = makeDataDir();
let runtime: Runtime;
let server: ServerType;
let url: string;

const configOf = (dataDir: string, environment: Record<string, string> = {}) =>
  loadConfig({ INQUEST_DATA_DIR: dataDir, INQUEST_LOG_LEVEL: 'silent', INQUEST_RETENTION_DAYS: '0', ...environment });

beforeAll(async () => {
  runtime = await openRuntime(configOf(directory.dataDir), { logger: silentLogger });
  const fetch = (request: Request) =>
    new URL(request.url).pathname === '/v1/changes' ? runtime.receiveChanges(request) : runtime.receiveOtlp(request);
  server = createAdaptorServer({ fetch });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  server?.close();
  await runtime?.close();
  directory.remove();
});

async function readTable(table: string, columns: string): Promise<readonly Record<string, unknown>[]> {
  const sql = `SELECT ${columns} FROM ${table} ORDER BY ALL`;
  return (await runtime.database.read<Record<string, unknown>>(sql, {}, { tag: 'test', maxRows: 1_000 })).rows;
}
/** A column of DateTime64(9) as decimal nanoseconds. */
const nanos = (column: string) => `toString(toUnixTimestamp64Nano(${column})) AS ${column}`;
const toNanos = ([seconds, rest]: HrTime): string => (BigInt(seconds) * 1_000_000_000n + BigInt(rest)).toString();

const resource = resourceFromAttributes({ 'service.name': 'checkout', 'host.cpus': 8 });
const ResourceAttributes = { 'service.name': 'checkout', 'host.cpus': '8' };
const scope = { ScopeName: 'shop', ScopeVersion: '1.2.3' };

const CLIENTS = [
  { encoding: 'protobuf', Traces: ProtoTraceExporter, Logs: ProtoLogExporter, Metrics: ProtoMetricExporter },
  { encoding: 'JSON', Traces: JsonTraceExporter, Logs: JsonLogExporter, Metrics: JsonMetricExporter },
];

describe.each(CLIENTS)('what the OpenTelemetry SDK sends as $encoding', ({ Traces, Logs, Metrics }) => {
  const options = (signal: string) => ({ url: `${url}/v1/${signal}`, keepAlive: false });

  beforeEach(async () => {
    const tables = ['traces', 'traces_trace_id_ts', 'logs', 'metrics_gauge', 'metrics_sum', 'metrics_histogram'];
    for (const table of [...tables, 'metrics_exponential_histogram']) {
      await runtime.database.command(`TRUNCATE TABLE otel_${table}`);
    }
  });

  it('traces are stored as they were', async () => {
    const kept = new InMemorySpanExporter();
    const processors = [new SimpleSpanProcessor(new Traces(options('traces'))), new SimpleSpanProcessor(kept)];
    const provider = new BasicTracerProvider({ resource, spanProcessors: processors });
    const tracer = provider.getTracer('shop', '1.2.3');
    const linked = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.SAMPLED };
    const root = tracer.startSpan(
      'POST /checkout',
      { kind: SpanKind.SERVER, root: true, attributes: { 'http.status': 500, text: `it's\n\n"grün" \\` } },
      ROOT_CONTEXT,
    );
    const child = tracer.startSpan(
      'charge',
      { kind: SpanKind.CLIENT, links: [{ context: linked, attributes: { why: 'retry' } }] },
      trace.setSpan(ROOT_CONTEXT, root),
    );
    child.addEvent('exception', { 'exception.message': 'no money' });
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'no money' });
    child.end();
    root.end();
    await provider.forceFlush();
    const sent = kept.getFinishedSpans();
    await provider.shutdown();

    const rows = await readTable(
      'otel_traces',
      `SpanName, TraceId, SpanId, ParentSpanId, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
       SpanAttributes, toString(Duration) AS Duration, StatusCode, StatusMessage, ${nanos('Timestamp')},
       arrayMap(at -> toString(toUnixTimestamp64Nano(at)), Events.Timestamp) AS EventTimes, Events.Name AS EventNames,
       Events.Attributes AS EventAttributes, Links.TraceId AS LinkTraces, Links.SpanId AS LinkSpans, Links.Attributes AS LinkAttributes`,
    );
    const expected = sent.map((span) => ({
      SpanName: span.name,
      TraceId: span.spanContext().traceId,
      SpanId: span.spanContext().spanId,
      ParentSpanId: span.parentSpanContext?.spanId ?? '',
      SpanKind: span.kind === SpanKind.SERVER ? 'Server' : 'Client',
      ServiceName: 'checkout',
      ResourceAttributes,
      ...scope,
      SpanAttributes: Object.fromEntries(Object.entries(span.attributes).map(([key, value]) => [key, String(value)])),
      Duration: (BigInt(toNanos(span.endTime)) - BigInt(toNanos(span.startTime))).toString(),
      StatusCode: span.name === 'charge' ? 'Error' : 'Unset',
      StatusMessage: span.status.message ?? '',
      Timestamp: toNanos(span.startTime),
      EventTimes: span.events.map(({ time }) => toNanos(time)),
      EventNames: span.events.map(({ name }) => name),
      EventAttributes: span.events.map(({ attributes }) => attributes),
      LinkTraces: span.links.map(({ context }) => context.traceId),
      LinkSpans: span.links.map(({ context }) => context.spanId),
      LinkAttributes: span.links.map(({ attributes }) => attributes),
    }));
    expect(rows).toEqual(expected.toSorted((left, right) => (left.SpanName < right.SpanName ? -1 : 1)));
    expect(rows).toHaveLength(2);
    const traceId = sent[0]?.spanContext().traceId;
    expect(await readTable('otel_traces_trace_id_ts', 'DISTINCT TraceId')).toEqual([{ TraceId: traceId }]);
  });

  it('logs are stored as they were', async () => {
    const processors = [new SimpleLogRecordProcessor({ exporter: new Logs(options('logs')) })];
    const provider = new LoggerProvider({ resource, processors });
    const timestamp = Date.UTC(2026, 0, 1);
    const body = `a line\n\nDROP TABLE otel_logs; -- it's "quoted" \\`;
    const logger = provider.getLogger('shop', '1.2.3');
    logger.emit({
      timestamp,
      severityNumber: 17,
      severityText: 'ERROR',
      body,
      attributes: { order: 42, nested: { a: [1] } },
    });
    await provider.forceFlush();
    await provider.shutdown();
    const columns = `Body, SeverityText, SeverityNumber, ServiceName, ResourceAttributes, ScopeName, ScopeVersion, LogAttributes,
      ${nanos('Timestamp')}, toUnixTimestamp(TimestampTime) AS Seconds`;
    expect(await readTable('otel_logs', columns)).toEqual([
      {
        Body: body,
        SeverityText: 'ERROR',
        SeverityNumber: 17,
        ServiceName: 'checkout',
        ResourceAttributes,
        ...scope,
        LogAttributes: { order: '42', nested: '{"a":[1]}' },
        Timestamp: `${timestamp}000000`,
        Seconds: timestamp / 1_000,
      },
    ]);
  });

  it('gauges, sums and both kinds of histogram are stored as they were', async () => {
    const sent: ResourceMetrics[] = [];
    const exporter = new Metrics(options('metrics'));
    const send = exporter.export.bind(exporter);
    exporter.export = (metrics, done) => {
      sent.push(metrics);
      send(metrics, done);
    };
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const views = [{ instrumentName: 'size', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const }];
    const provider = new MeterProvider({ resource, readers: [reader], views });
    const meter = provider.getMeter('shop', '1.2.3');
    meter.createGauge('pool', { unit: '1', description: 'free connections' }).record(2.5, { pool: 'db' });
    meter.createCounter('requests').add(7);
    meter.createUpDownCounter('queue').add(-3);
    const duration = meter.createHistogram('duration', { unit: 'ms', advice: { explicitBucketBoundaries: [10, 100] } });
    for (const value of [5, 50, 60.5]) duration.record(value);
    const size = meter.createHistogram('size', { unit: 'By' });
    for (const value of [1, 2, 0]) size.record(value);
    await provider.shutdown(); // exports once more, here for the first time
    expect(sent).toHaveLength(1);

    const metrics = sent[0]?.scopeMetrics[0]?.metrics ?? [];
    const pointOf = (name: string) => {
      const metric = metrics.find(({ descriptor }) => descriptor.name === name);
      const point = metric?.dataPoints[0];
      return {
        value: point?.value,
        common: {
          MetricName: name,
          MetricUnit: metric?.descriptor.unit,
          MetricDescription: metric?.descriptor.description,
          ServiceName: 'checkout',
          ResourceAttributes,
          ...scope,
          Attributes: point?.attributes,
          StartTimeUnix: toNanos(point?.startTime ?? [0, 0]),
          TimeUnix: toNanos(point?.endTime ?? [0, 0]),
        },
      };
    };
    const common = `MetricName, MetricUnit, MetricDescription, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
      Attributes, ${nanos('StartTimeUnix')}, ${nanos('TimeUnix')}`;

    expect(await readTable('otel_metrics_gauge', `${common}, Value`)).toEqual([
      { ...pointOf('pool').common, Value: 2.5 },
    ]);
    expect(await readTable('otel_metrics_sum', `${common}, Value, AggregationTemporality, IsMonotonic`)).toEqual([
      { ...pointOf('queue').common, Value: -3, AggregationTemporality: 2, IsMonotonic: false },
      { ...pointOf('requests').common, Value: 7, AggregationTemporality: 2, IsMonotonic: true },
    ]);
    const figures = `${common}, toString(Count) AS Count, Sum, Min, Max, AggregationTemporality`;
    expect(await readTable('otel_metrics_histogram', `${figures}, BucketCounts, ExplicitBounds`)).toEqual([
      {
        ...pointOf('duration').common,
        ...{ Count: '3', Sum: 115.5, Min: 5, Max: 60.5, AggregationTemporality: 2 },
        BucketCounts: ['1', '2', '0'],
        ExplicitBounds: [10, 100],
      },
    ]);
    const exponential = pointOf('size').value as {
      scale: number;
      zeroCount: number;
      positive: { offset: number; bucketCounts: number[] };
    };
    const columns = `${figures}, Scale, toString(ZeroCount) AS ZeroCount, PositiveOffset, PositiveBucketCounts, NegativeBucketCounts`;
    expect(await readTable('otel_metrics_exponential_histogram', columns)).toEqual([
      {
        ...pointOf('size').common,
        ...{ Count: '3', Sum: 3, Min: 0, Max: 2, AggregationTemporality: 2, ZeroCount: '1' },
        Scale: exponential.scale,
        PositiveOffset: exponential.positive.offset,
        PositiveBucketCounts: exponential.positive.bucketCounts.map(String),
        NegativeBucketCounts: [],
      },
    ]);
  });
});

/** Protobuf by hand (protobuf.dev, encoding): a length-delimited field, a fixed64, a double. */
const field = (number: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const size = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), body]);
};
const fixed64 = (number: number, value: bigint): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8((number << 3) | 1);
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
};
const double = (number: number, value: number): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8((number << 3) | 1);
  bytes.writeDoubleLE(value, 1);
  return bytes;
};

describe('what no SDK sends', () => {
  it('a summary is stored as it was', async () => {
    const [startedAt, at] = [1_767_225_600_000_000_001n, 1_767_225_660_000_000_002n];
    const quantile = (of: number, value: number) => field(6, double(1, of), double(2, value));
    const attribute = (key: string, text: string) => [field(1, key), field(2, field(1, text))];
    const point = field(
      1,
      field(7, ...attribute('route', '/cart')),
      fixed64(2, startedAt),
      fixed64(3, at),
      fixed64(4, 18_446_744_073_709_551_615n),
      double(5, 123.25),
      quantile(0.5, 10),
      quantile(0.99, 250.5),
    );
    const metric = field(2, field(1, 'duration'), field(2, 'how long'), field(3, 'ms'), field(11, point));
    const body = field(
      1,
      field(1, field(1, ...attribute('service.name', 'legacy'))),
      field(2, field(1, field(1, 'old')), metric),
    );
    const headers = { 'content-type': 'application/x-protobuf' };
    const response = await fetch(`${url}/v1/metrics`, { method: 'POST', headers, body: new Uint8Array(body) });
    expect(response.status).toBe(200);
    const columns = `MetricName, MetricDescription, MetricUnit, ServiceName, ScopeName, Attributes, ${nanos('StartTimeUnix')},
      ${nanos('TimeUnix')}, Count, Sum, ValueAtQuantiles.Quantile AS Quantiles, ValueAtQuantiles.Value AS Values`;
    expect(await readTable('otel_metrics_summary', columns)).toEqual([
      {
        MetricName: 'duration',
        MetricDescription: 'how long',
        MetricUnit: 'ms',
        ServiceName: 'legacy',
        ScopeName: 'old',
        Attributes: { route: '/cart' },
        StartTimeUnix: String(startedAt),
        TimeUnix: String(at),
        Count: '18446744073709551615',
        Sum: 123.25,
        Quantiles: [0.5, 0.99],
        Values: [10, 250.5],
      },
    ]);
  });

  it('a change is stored, and replaced by the same change told again', async () => {
    const at = '2026-01-01T10:00:00.000Z';
    const deploy = {
      id: 'deploy-1',
      kind: 'deploy',
      service: 'checkout',
      version: '1.4.1',
      at,
      attributes: { by: `it's "CI"` },
    };
    for (const summary of ['started', 'finished']) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ changes: [{ ...deploy, summary }] });
      const response = await fetch(`${url}/v1/changes`, { method: 'POST', headers, body });
      expect([response.status, await response.json()]).toEqual([
        200,
        { accepted: 1, rejected: [], changeIds: ['deploy-1'] },
      ]);
    }
    const window = { startMs: Date.parse(at) - 1, endMs: Date.parse(at) + 1 };
    const { rows } = await runtime.telemetry.changes.listRecorded({ window, diffCharacters: 100 }, { maxRows: 10 });
    expect(rows).toMatchObject([
      {
        changeId: 'deploy-1',
        kind: 'deploy',
        service: 'checkout',
        version: '1.4.1',
        summary: 'finished',
        atMs: Date.parse(at),
        attributes: { by: `it's "CI"` },
      },
    ]);
  });

  it('is counted and shown in the status', async () => {
    const status = await runtime.status();
    expect(status).toMatchObject({
      kind: 'embedded',
      restarts: 0,
      rows: { otel_metrics_summary: 1 },
      ingest: { 'traces received': 4, 'logs received': 2, 'changes received': 2, 'metrics refused': 0 },
    });
    expect(status.newest).toMatchObject({ changes: Date.UTC(2026, 0, 1, 10) });
  });
});

const logRequest = {
  resourceLogs: [
    { scopeLogs: [{ logRecords: [{ timeUnixNano: '1767225600000000000', body: { stringValue: 'hello' } }] }] },
  ],
};

describe('CLICKHOUSE_URL', () => {
  it('leads to an engine that somebody else started, by the same code', async () => {
    const elsewhere = makeDataDir();
    const own = makeDataDir();
    const { process: host, address } = await startEngineHost(elsewhere.dataDir);
    const environment = {
      CLICKHOUSE_URL: address.url,
      CLICKHOUSE_USER: address.user,
      CLICKHOUSE_PASSWORD: address.password,
    };
    try {
      const remote = await openRuntime(configOf(own.dataDir, { ...environment, INQUEST_DATABASE: 'tenant_1' }));
      const headers = { 'content-type': 'application/json' };
      const request = new Request('http://host/v1/logs', { method: 'POST', headers, body: JSON.stringify(logRequest) });
      expect((await remote.receiveOtlp(request)).status).toBe(200);
      expect(await remote.status()).toMatchObject({ kind: 'server', restarts: 0, rows: { otel_logs: 1 } });
      await remote.close();

      const database = await openDatabase({ ...address, database: 'tenant_1' });
      const { rows } = await database.read('SELECT Body FROM otel_logs', {}, { tag: 'test', maxRows: 10 });
      expect(rows).toEqual([{ Body: 'hello' }]);
      await database.close();

      const wrong = openRuntime(configOf(own.dataDir, { ...environment, CLICKHOUSE_PASSWORD: 'not it' }));
      await expect(wrong).rejects.toBeInstanceOf(ConfigError);
    } finally {
      await stopEngineHost(host);
      elsewhere.remove();
      own.remove();
    }
  });
});

it('that does not open closes what it had opened', async () => {
  const { dataDir, remove } = makeDataDir();
  const broken = async () => {
    const engine = await openEmbeddedEngine({ dataDir, logger: silentLogger });
    const database = await openDatabase({ ...engine, database: 'inquest' });
    await database.command(
      'CREATE TABLE inquest_migrations (Name String, Digest String) ENGINE = MergeTree ORDER BY Name',
    );
    await database.insert('inquest_migrations', [{ Name: '0001-telemetry.sql', Digest: 'of another Inquest' }]);
    await database.close();
    await engine.close();
  };
  await broken();
  await expect(openRuntime(configOf(dataDir))).rejects.toThrow('0001-telemetry.sql');
  await broken().catch((error: unknown) => expect(String(error)).toContain('already exists')); // nobody holds the directory
  remove();
});
