/** What is stored: rows by table and the newest telemetry of each signal. For `doctor`, evals and the host's status. */
import type { Database } from './database.ts';

interface StatusTable {
  readonly table: string;
  readonly signal: string;
  readonly time: string;
}

const TELEMETRY_TABLES: readonly StatusTable[] = [
  { table: 'otel_traces', signal: 'traces', time: 'Timestamp' },
  { table: 'otel_logs', signal: 'logs', time: 'Timestamp' },
  ...['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'].map((kind) => ({
    table: `otel_metrics_${kind}`,
    signal: 'metrics',
    time: 'TimeUnix',
  })),
];
const OWN_TABLES: readonly StatusTable[] = [{ table: 'inquest_changes', signal: 'changes', time: 'Timestamp' }];

export interface StoredTelemetry {
  /** Exact row counts by table. */
  readonly rows: Record<string, number>;
  /** Milliseconds of the newest row by signal; absent where there is none. */
  readonly newest: Record<string, number>;
}

/**
 * @param database where telemetry is
 * @param own where recorded changes are
 */
export async function readStatus(
  database: Pick<Database, 'read'>,
  own: Pick<Database, 'read'>,
  signal?: AbortSignal,
): Promise<StoredTelemetry> {
  const found = await Promise.all([
    readTables(database, TELEMETRY_TABLES, signal),
    readTables(own, OWN_TABLES, signal),
  ]);
  const newest: Record<string, number> = {};
  for (const { signalName, newestMs } of found.flat()) {
    if (newestMs > 0) newest[signalName] = Math.max(newest[signalName] ?? 0, newestMs);
  }
  return { rows: Object.fromEntries(found.flat().map(({ name, count }) => [name, count])), newest };
}

interface StatusRow {
  readonly name: string;
  readonly signalName: string;
  readonly count: number;
  readonly newestMs: number;
}

async function readTables(
  database: Pick<Database, 'read'>,
  tables: readonly StatusTable[],
  signal: AbortSignal | undefined,
): Promise<readonly StatusRow[]> {
  const parts = tables.map(
    ({ table, signal: signalName, time }) =>
      `SELECT '${table}' AS name, '${signalName}' AS signalName, toFloat64(count()) AS count,
         toFloat64(toUnixTimestamp64Milli(max(${time}))) AS newestMs FROM ${table}`,
  );
  const { rows } = await database.read<StatusRow>(
    `SELECT name, signalName, count, newestMs FROM (${parts.join(' UNION ALL ')}) ORDER BY name`,
    {},
    { tag: 'status', maxRows: 100, signal },
  );
  return rows;
}
