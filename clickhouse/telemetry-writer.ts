/** Rows into the telemetry tables, each batch under a token: what is written again under its token is stored once. */
import type { Database } from './database.ts';
import type { TelemetryRows, TelemetryTable } from './telemetry-rows.ts';

export interface TelemetryWriter {
  /**
   * Stores all rows, one insert for each table. Rejects with UnavailableError (write the same again under the same token: what
   * had arrived stays, once) or InputError (a row that the table refuses; of that table nothing was stored).
   */
  write(rows: TelemetryRows, options: WriteOptions): Promise<void>;
}

export interface WriteOptions {
  /** Unique for its rows, the same for the same rows. */
  readonly token: string;
  readonly signal?: AbortSignal | undefined;
}

export function createTelemetryWriter(database: Pick<Database, 'insert'>): TelemetryWriter {
  return {
    write: async (rows, { token, signal }) => {
      const tables = Object.entries(rows) as [TelemetryTable, readonly object[]][];
      const inserts = tables.map(([table, ofTable]) =>
        database.insert(table, ofTable, signal, { token: `${token}:${table}` }),
      );
      const outcomes = await Promise.allSettled(inserts);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}
