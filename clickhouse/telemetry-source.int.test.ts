/** Databases that somebody else made: of other versions, in part, and such that Inquest must refuse. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, InvariantError } from '../platform/errors.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { makeSpan, SPANS_END_MS, SPANS_START_MS } from './rollup-spans.fixture.ts';
import { createTelemetryReader } from './telemetry-reader.ts';
import { openTelemetrySource, type TelemetrySource } from './telemetry-source.ts';

let own: TestDatabase;
const opened: TelemetrySource[] = [];

beforeAll(async () => {
  own = await openTestDatabase();
});
afterAll(async () => {
  for (const { database } of opened) await database.close();
  await own?.close();
});

/** @param statements with `DB.` before each table */
async function openTheirs(name: string, statements: readonly string[]): Promise<TelemetrySource> {
  await own.database.command(`CREATE DATABASE ${name} ENGINE = Atomic`);
  for (const statement of statements) await own.database.command(statement.replaceAll('DB.', `${name}.`));
  const source = await openTelemetrySource({ ...own.engine, database: name }, own.database);
  opened.push(source);
  return source;
}

const OLD_SPANS = `CREATE TABLE DB.otel_traces (Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
  SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
  ResourceAttributes Map(LowCardinality(String), String), SpanAttributes Map(LowCardinality(String), String), Duration Int64,
  StatusCode LowCardinality(String), StatusMessage String, Extra Array(String),
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)))
  ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toUnixTimestamp(Timestamp))`;

const WINDOW = { startMs: SPANS_START_MS + 30_000, endMs: SPANS_END_MS };
const BOUNDS = { maxRows: 100 };

describe('a source', () => {
  it('of an old exporter, with traces alone, answers what it can', async () => {
    const { Timestamp, TraceId, SpanId } = makeSpan({ atMs: SPANS_START_MS + 90_000, trace: 1, id: 1, service: 'web' });
    const values = (kind: string, status: string) =>
      `SELECT fromUnixTimestamp64Nano(${Timestamp}), '${TraceId}', '${SpanId}', '${kind}', 'web', 5000000, '${status}', map('service.version', '1')`;
    const source = await openTheirs('old_exporter', [
      OLD_SPANS,
      `INSERT INTO DB.otel_traces (Timestamp, TraceId, SpanId, SpanKind, ServiceName, Duration, StatusCode, ResourceAttributes)
       ${values('SPAN_KIND_SERVER', 'STATUS_CODE_ERROR')} UNION ALL ${values('SPAN_KIND_CLIENT', 'STATUS_CODE_UNSET')}`,
    ]);
    expect(source.missing).toEqual(expect.arrayContaining(['otel_logs', 'otel_metrics_gauge']));
    const telemetry = createTelemetryReader(source.database, own.database);
    const { rows } = await telemetry.red.byService({ window: WINDOW }, BOUNDS);
    expect(rows).toMatchObject([{ service: 'web', calls: 1, errors: 1 }]);
    const overview = await telemetry.services.readOverview({ window: WINDOW }, BOUNDS);
    expect(overview.rows).toMatchObject([{ service: 'web', requests: 1, errors: 1, spans: 2, versions: ['1'] }]);
    expect((await telemetry.metrics.list({ window: WINDOW }, BOUNDS)).rows).toEqual([]);
    const lines = await telemetry.logs.count({ window: WINDOW, stepSeconds: 60 }, BOUNDS);
    expect(lines.rows).toEqual([]);
    const coverage = await telemetry.coverage.readBySignal({ window: WINDOW, stepSeconds: 60 }, BOUNDS);
    expect(coverage.rows.map(({ signal }) => signal)).toEqual(['traces']);
  });

  it('is never written, whatever somebody tries', async () => {
    const { database } = await openTheirs('only_read', [OLD_SPANS]);
    await expect(database.insert('otel_traces', [{ ServiceName: 'web' }])).rejects.toBeInstanceOf(InvariantError);
    await expect(database.command('DROP TABLE otel_traces')).rejects.toBeInstanceOf(InvariantError);
  });

  it('that keeps attributes as JSON is refused with what to change', async () => {
    const theirs = openTheirs('as_json', [
      'CREATE TABLE DB.otel_traces (Timestamp DateTime64(9), ResourceAttributes JSON) ENGINE = MergeTree ORDER BY Timestamp',
    ]);
    await expect(theirs).rejects.toThrow(/as_json\.otel_traces.*JSON.*json: false/);
  });

  it('whose user may set nothing is refused with the grant that is needed', async () => {
    const server = createServer((_, response) => {
      response.writeHead(500, { 'X-ClickHouse-Exception-Code': '164' });
      response.end("Code: 164. DB::Exception: Cannot modify 'max_execution_time' setting in readonly mode. (READONLY)");
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const theirs = openTelemetrySource({ url, user: 'grafana', password: '', database: 'otel' }, own.database);
    await expect(theirs).rejects.toBeInstanceOf(ConfigError);
    await expect(theirs).rejects.toThrow(/grafana.*readonly = 2/);
    server.close();
  });
});
