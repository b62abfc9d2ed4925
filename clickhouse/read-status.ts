/** What is stored: rows by table and the newest telemetry of each signal. For `doctor`, evals and the host's status. */
import type { Database } from './database.ts';

const TELEMETRY_TABLES = [
  'otel_traces',
  'otel_logs',
  'otel_metrics_gauge',
  'otel_metrics_sum',
  'otel_metrics_histogram',
  'otel_metrics_exponential_histogram',
  'otel_metrics_summary',
  'inquest_changes',
] as const;

const NEWEST = [
  { signal: 'traces', table: 'otel_traces', time: 'Timestamp' },
  { signal: 'logs', table: 'otel_logs', time: 'Timestamp' },
  ...TELEMETRY_TABLES.filter((table) => table.startsWith('otel_metrics_')).map((table) => ({
    signal: 'metrics',
    table,
    time: 'TimeUnix',
  })),
  { signal: 'changes', table: 'inquest_changes', time: 'Timestamp' },
];

export interface StoredTelemetry {
  /** Exact row counts by table. */
  readonly rows: Record<string, number>;
  /** Milliseconds of the newest row by signal; absent where there is none. */
  readonly newest: Record<string, number>;
}

export async function readStatus(database: Database, signal?: AbortSignal): Promise<StoredTelemetry> {
  const counts = TELEMETRY_TABLES.map(
    (table) => `SELECT '${table}' AS name, toFloat64(count()) AS value FROM ${table}`,
  );
  const newest = NEWEST.map(
    ({ signal: name, table, time }) =>
      `SELECT 'newest ${name}' AS name, toFloat64(toUnixTimestamp64Milli(max(${time}))) AS value FROM ${table}`,
  );
  const { rows } = await database.read<{ name: string; value: number }>(
    `SELECT name, max(value) AS value FROM (${[...counts, ...newest].join(' UNION ALL ')}) GROUP BY name ORDER BY name`,
    {},
    { tag: 'status', maxRows: 100, signal },
  );
  const isNewest = ({ name }: { name: string }) => name.startsWith('newest ');
  return {
    rows: Object.fromEntries(rows.filter((row) => !isNewest(row)).map(({ name, value }) => [name, value])),
    newest: Object.fromEntries(
      rows
        .filter((row) => isNewest(row) && row.value > 0)
        .map(({ name, value }) => [name.slice('newest '.length), value]),
    ),
  };
}
