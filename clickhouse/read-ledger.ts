/** What is stored of uniquely numbered telemetry: for drills that compare it with what was acknowledged to its senders. */
import type { Database } from './database.ts';

/** Attributes that number a record: its request, and itself within that. */
export const LEDGER_KEYS = { request: 'drill.request', record: 'drill.record' } as const;

export interface StoredRequest {
  readonly request: string;
  /** Rows, repeated ones too. */
  readonly rows: number;
  /** Different records among them. */
  readonly records: number;
  /** Rows of spans whose trace the lookup table does not know: a view that was not filled with its table. */
  readonly unlisted: number;
}

const TABLES = [
  { table: 'otel_traces', attributes: 'SpanAttributes', unlisted: 'TraceId NOT IN otel_traces_trace_id_ts_ids' },
  { table: 'otel_logs', attributes: 'LogAttributes', unlisted: '0' },
  { table: 'otel_metrics_gauge', attributes: 'Attributes', unlisted: '0' },
] as const;

/** The stored requests of one service, of all three signals. */
export async function readLedger(
  database: Database,
  service: string,
  maxRequests: number,
  signal?: AbortSignal,
): Promise<StoredRequest[]> {
  const parts = TABLES.map(
    ({ table, attributes, unlisted }) => `
      SELECT ${attributes}['${LEDGER_KEYS.request}'] AS request, toUInt32(count()) AS rows,
        toUInt32(uniqExact(${attributes}['${LEDGER_KEYS.record}'])) AS records, toUInt32(countIf(${unlisted})) AS unlisted
      FROM ${table} WHERE ServiceName = {service:String} GROUP BY request`,
  );
  const { rows } = await database.read<StoredRequest>(
    `WITH otel_traces_trace_id_ts_ids AS (SELECT TraceId FROM otel_traces_trace_id_ts)
     SELECT request, rows, records, unlisted FROM (${parts.join(' UNION ALL ')}) ORDER BY request`,
    { service },
    { tag: 'ledger', maxRows: maxRequests, signal },
  );
  return rows as StoredRequest[];
}
