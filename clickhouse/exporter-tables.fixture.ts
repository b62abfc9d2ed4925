/**
 * A database as the OpenTelemetry Collector's ClickHouse exporter makes it (names, types and keys of version 0.161: logs without
 * TimestampTime, metrics in whole seconds), filled from one of ours.
 */
import type { Database } from './database.ts';

const MAP = 'Map(LowCardinality(String), String)';

const POINT = `ResourceAttributes ${MAP}, ResourceSchemaUrl String, ScopeName String, ScopeVersion String, ScopeAttributes ${MAP},
  ScopeDroppedAttrCount UInt32, ScopeSchemaUrl String, ServiceName LowCardinality(String), MetricName LowCardinality(String),
  MetricDescription String, MetricUnit String, Attributes ${MAP}, StartTimeUnix DateTime, TimeUnix DateTime, Flags UInt32`;
const EXEMPLARS = `Exemplars Nested (FilteredAttributes ${MAP}, TimeUnix DateTime, Value Float64, SpanId String, TraceId String)`;

const COLUMNS: Readonly<Record<string, string>> = {
  otel_traces: `Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
    SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String), ResourceAttributes ${MAP},
    ScopeName String, ScopeVersion String, SpanAttributes ${MAP}, Duration UInt64, StatusCode LowCardinality(String),
    StatusMessage String, Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes ${MAP}),
    Links Nested (TraceId String, SpanId String, TraceState String, Attributes ${MAP}),
    Items Array(String) ALIAS mapKeys(SpanAttributes)`,
  otel_logs: `Timestamp DateTime64(9), TraceId String, SpanId String, TraceFlags UInt8, SeverityText LowCardinality(String),
    SeverityNumber UInt8, ServiceName LowCardinality(String), Body String, ResourceSchemaUrl LowCardinality(String),
    ResourceAttributes ${MAP}, ScopeSchemaUrl LowCardinality(String), ScopeName String, ScopeVersion LowCardinality(String),
    ScopeAttributes ${MAP}, LogAttributes ${MAP}, EventName String,
    \`__otel_materialized_k8s.pod.name\` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.pod.name']`,
  otel_metrics_gauge: `${POINT}, Value Float64, ${EXEMPLARS}`,
  otel_metrics_sum: `${POINT}, Value Float64, ${EXEMPLARS}, AggregationTemporality Int32, IsMonotonic Boolean`,
  otel_metrics_histogram: `${POINT}, Count UInt64, Sum Float64, BucketCounts Array(UInt64), ExplicitBounds Array(Float64), ${EXEMPLARS},
    Min Float64, Max Float64, AggregationTemporality Int32`,
  otel_metrics_summary: `${POINT}, Count UInt64, Sum Float64, ValueAtQuantiles Nested (Quantile Float64, Value Float64)`,
};

const KEYS: Readonly<Record<string, string>> = {
  otel_traces: 'PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))',
  otel_logs: 'PARTITION BY toDate(Timestamp) ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)',
};
const METRIC_KEY =
  'PARTITION BY toDate(TimeUnix) ORDER BY (ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix)';

/** Makes `name` beside `from`, with all of its telemetry; no table of exponential histograms, as if nobody sent any. */
export async function makeExporterDatabase(from: Database, name: string): Promise<void> {
  await from.command(`CREATE DATABASE ${name} ENGINE = Atomic`);
  for (const [table, columns] of Object.entries(COLUMNS)) {
    await from.command(`CREATE TABLE ${name}.${table} (${columns}) ENGINE = MergeTree ${KEYS[table] ?? METRIC_KEY}`);
  }
  await from.command(
    `CREATE TABLE ${name}.otel_traces_trace_id_ts (TraceId String, Start DateTime, End DateTime)
     ENGINE = MergeTree PARTITION BY toDate(Start) ORDER BY (TraceId, Start)`,
  );
  await from.command(
    `CREATE MATERIALIZED VIEW ${name}.otel_traces_trace_id_ts_mv TO ${name}.otel_traces_trace_id_ts AS
     SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM ${name}.otel_traces WHERE TraceId != '' GROUP BY TraceId`,
  );
  for (const table of Object.keys(COLUMNS)) {
    const { rows } = await from.read<{ name: string }>(
      `SELECT name FROM system.columns WHERE database = {name:String} AND table = {table:String} AND default_kind = '' ORDER BY position`,
      { name, table },
      { tag: 'fixture', maxRows: 100 },
    );
    const list = rows.map((column) => `\`${column.name}\``).join(', ');
    await from.command(`INSERT INTO ${name}.${table} (${list}) SELECT ${list} FROM ${from.name}.${table}`);
  }
}

/** What a write, a merge or a mutation would change: tables, parts and rows of a database. */
export async function fingerprint(database: Database, name: string): Promise<object> {
  const statements = {
    tables:
      'SELECT name, create_table_query, total_rows FROM system.tables WHERE database = {name:String} ORDER BY name',
    parts:
      'SELECT table, name, rows, bytes_on_disk FROM system.parts WHERE database = {name:String} AND active ORDER BY table, name',
    mutations: 'SELECT table, mutation_id FROM system.mutations WHERE database = {name:String} ORDER BY table',
  };
  const found = Object.entries(statements).map(async ([key, sql]) => {
    const { rows } = await database.read(sql, { name }, { tag: 'fixture', maxRows: 10_000 });
    return [key, rows] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}
