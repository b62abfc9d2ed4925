/**
 * Rows into the telemetry tables. While one insert of a table runs, rows that arrive for it wait and go together in the next
 * one (group commit), so that many small requests do not become many small parts. A write resolves when its rows are stored.
 */
import { AppError } from '../platform/errors.ts';
import type { Database } from './database.ts';
import type { TelemetryRows } from './telemetry-rows.ts';

export interface TelemetryWriter {
  /** Stores all rows of one request; rejects with UnavailableError (retry) or InputError (these rows are refused). */
  write(rows: TelemetryRows): Promise<void>;
}

interface Waiting {
  readonly rows: readonly object[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const MAX_ROWS_PER_INSERT = 50_000;

export function createTelemetryWriter(database: Database): TelemetryWriter {
  const queues = new Map<string, Waiting[]>();
  const running = new Set<string>();

  async function insertTogether(table: string, batch: readonly Waiting[]): Promise<void> {
    try {
      await database.insert(
        table,
        batch.length === 1 ? (batch[0]?.rows ?? []) : batch.flatMap(({ rows }) => [...rows]),
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      await settleFailure(table, batch, error);
    }
  }

  /** One refused row must not cost other requests: each is tried alone. */
  async function settleFailure(table: string, batch: readonly Waiting[], error: unknown): Promise<void> {
    const isRefused = error instanceof AppError && !error.retryable;
    if (!isRefused || batch.length === 1) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const waiting of batch) await insertTogether(table, [waiting]);
  }

  async function drain(table: string): Promise<void> {
    running.add(table);
    const queue = queues.get(table) ?? [];
    while (queue.length > 0) {
      let rowCount = queue[0]?.rows.length ?? 0;
      let take = 1;
      while (take < queue.length && rowCount + (queue[take]?.rows.length ?? 0) <= MAX_ROWS_PER_INSERT) {
        rowCount += queue[take]?.rows.length ?? 0;
        take++;
      }
      await insertTogether(table, queue.splice(0, take));
    }
    running.delete(table);
  }

  function enqueue(table: string, rows: readonly object[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = queues.get(table) ?? [];
      queues.set(table, queue);
      queue.push({ rows, resolve, reject });
      if (!running.has(table)) void drain(table);
    });
  }

  return {
    write: async (rows) => {
      const tables = Object.entries(rows) as [string, readonly object[]][];
      const inserts = tables
        .filter(([, tableRows]) => tableRows.length > 0)
        .map(([table, tableRows]) => enqueue(table, tableRows));
      const outcomes = await Promise.allSettled(inserts);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}
