/**
 * From decoded requests to inserts: a bounded queue, a buffer for each table that goes out when it is large or old enough,
 * and two connections that carry it. A request is answered when its rows are stored; when the queue is full it is told to come
 * back, at once. Each insert has a token, so that a database that repeats it (patient-database.ts) doubles nothing.
 */
import type { TelemetryRows, TelemetryTable } from '../clickhouse/telemetry-rows.ts';
import type { WriteOptions } from '../clickhouse/telemetry-writer.ts';
import { AppError, UnavailableError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { ReceivedBatch } from './received-batch.ts';

export interface PipelineLimits {
  /** Requests that wait or are written, by the bytes of their bodies; one more is refused. */
  readonly maxQueuedBytes: number;
  /** The same by rows: a small body can hold very many. */
  readonly maxQueuedRows: number;
  /** A buffer goes out with so many rows or bytes, or ... */
  readonly maxInsertRows: number;
  readonly maxInsertBytes: number;
  /** ... so long after the last one of its table; the first after a pause goes at once. */
  readonly flushMs: number;
  /** Inserts at one time. */
  readonly connections: number;
  /** How long an insert may take, repetitions included; then its senders are told to come back. */
  readonly insertTimeoutMs: number;
}

/** About 20,000 rows or 100 ms make inserts cheap without making senders wait. */
export const PIPELINE_LIMITS: PipelineLimits = {
  maxQueuedBytes: 64 * 1024 * 1024,
  maxQueuedRows: 400_000,
  maxInsertRows: 20_000,
  maxInsertBytes: 16 * 1024 * 1024,
  flushMs: 100,
  connections: 2,
  insertTimeoutMs: 20_000,
};

export interface PipelineOptions {
  /** Of a database that repeats under a token what it cannot know to have arrived. */
  readonly write: (rows: TelemetryRows, options: WriteOptions) => Promise<void>;
  readonly limits?: PipelineLimits;
}

export interface PipelineLoad {
  /** Of requests that wait for their insert to return. */
  readonly queuedBytes: number;
  readonly queuedRows: number;
  /** Since the start. */
  readonly inserts: number;
  /** Requests refused because the queue was full. */
  readonly refusedRequests: number;
  /** Rows whose insert was refused or given up; their senders were told so. */
  readonly droppedRows: number;
}

export interface Pipeline {
  /**
   * Rejects with UnavailableError at once when the queue is full, and later when the store stays away. After an abort what was
   * not begun is not stored: its sender will send it again.
   */
  store(batch: Pick<ReceivedBatch, 'rows' | 'body'>, signal?: AbortSignal): Promise<void>;
  load(): PipelineLoad;
}

/** The rows of one request for one table. */
interface Waiting {
  readonly rows: readonly object[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface TableBuffer {
  readonly table: TelemetryTable;
  waiting: Waiting[];
  rows: number;
  bytes: number;
  /** Its last insert began then. */
  flushedAtMs: number;
}

export function createPipeline({ write, limits = PIPELINE_LIMITS }: PipelineOptions): Pipeline {
  const buffers = new Map<TelemetryTable, TableBuffer>();
  let queuedBytes = 0;
  let queuedRows = 0;
  let inserts = 0;
  let refusedRequests = 0;
  let droppedRows = 0;
  let running = 0;
  let timer: NodeJS.Timeout | undefined;

  function bufferOf(table: TelemetryTable): TableBuffer {
    const known = buffers.get(table);
    if (known) return known;
    const buffer = { table, waiting: [], rows: 0, bytes: 0, flushedAtMs: Number.NEGATIVE_INFINITY };
    buffers.set(table, buffer);
    return buffer;
  }

  function dueAtMs(buffer: TableBuffer): number {
    const isLarge = buffer.rows >= limits.maxInsertRows || buffer.bytes >= limits.maxInsertBytes;
    return isLarge ? Number.NEGATIVE_INFINITY : buffer.flushedAtMs + limits.flushMs;
  }

  /** Starts what is due, the longest due first, on the connections that are free; then sleeps until the next is. */
  function schedule(): void {
    clearTimeout(timer);
    const full = [...buffers.values()].filter(({ waiting }) => waiting.length > 0);
    full.sort((left, right) => dueAtMs(left) - dueAtMs(right));
    const nowMs = performance.now();
    for (const buffer of full) {
      if (running === limits.connections) return;
      const waitMs = dueAtMs(buffer) - nowMs;
      if (waitMs > 0) {
        timer = setTimeout(schedule, waitMs);
        return;
      }
      void flush(buffer);
    }
  }

  async function flush(buffer: TableBuffer): Promise<void> {
    const batch = takeBatch(buffer, limits);
    buffer.flushedAtMs = performance.now();
    running++;
    await insertTogether(buffer.table, batch);
    running--;
    schedule();
  }

  /** Never rejects: everyone who waits is told. */
  async function insertTogether(table: TelemetryTable, batch: readonly Waiting[]): Promise<void> {
    const rows = batch.length === 1 ? (batch[0]?.rows ?? []) : batch.flatMap((waiting) => waiting.rows);
    const options = { token: newId('insert'), signal: AbortSignal.timeout(limits.insertTimeoutMs) };
    try {
      inserts++;
      await write({ [table]: rows }, options);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const isSilent = options.signal.aborted;
      const silence = 'The store does not answer: retry in a moment.';
      await settleFailure(table, batch, isSilent ? new UnavailableError(silence, { cause: error }) : error);
    }
  }

  /** One refused row must not cost other requests: each is tried alone. */
  async function settleFailure(table: TelemetryTable, batch: readonly Waiting[], error: unknown): Promise<void> {
    const isRefused = error instanceof AppError && !error.retryable;
    if (isRefused && batch.length > 1) {
      for (const waiting of batch) await insertTogether(table, [waiting]);
      return;
    }
    for (const { rows, reject } of batch) {
      droppedRows += rows.length;
      reject(error);
    }
  }

  function enqueue(table: TelemetryTable, rows: readonly object[], bytes: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const buffer = bufferOf(table);
      const waiting = { rows, bytes, resolve, reject };
      buffer.waiting.push(waiting);
      buffer.rows += rows.length;
      buffer.bytes += bytes;
      signal?.addEventListener('abort', () => withdraw(buffer, waiting), { once: true });
    });
  }

  function withdraw(buffer: TableBuffer, waiting: Waiting): void {
    const place = buffer.waiting.indexOf(waiting);
    if (place < 0) return; // begun: its outcome is told when it is known
    buffer.waiting.splice(place, 1);
    buffer.rows -= waiting.rows.length;
    buffer.bytes -= waiting.bytes;
    droppedRows += waiting.rows.length;
    waiting.reject(new UnavailableError('The store did not come to it in time: retry in a moment.'));
  }

  return {
    store: async ({ rows, body }, signal) => {
      const tables = (Object.entries(rows) as [TelemetryTable, readonly object[]][]).filter(
        ([, { length }]) => length > 0,
      );
      const rowCount = tables.reduce((sum, [, ofTable]) => sum + ofTable.length, 0);
      const isFull = queuedBytes + body.length > limits.maxQueuedBytes || queuedRows + rowCount > limits.maxQueuedRows;
      // One request alone is always taken: its size is the receiver's to judge.
      if (isFull && queuedRows > 0) {
        refusedRequests++;
        throw new UnavailableError('The queue of the store is full: retry in a moment.');
      }
      queuedBytes += body.length;
      queuedRows += rowCount;
      try {
        const waits = tables.map(([table, ofTable]) =>
          enqueue(table, ofTable, Math.ceil((body.length * ofTable.length) / rowCount), signal),
        );
        schedule();
        const outcomes = await Promise.allSettled(waits);
        const failed = outcomes.find((outcome) => outcome.status === 'rejected');
        if (failed) throw failed.reason;
      } finally {
        queuedBytes -= body.length;
        queuedRows -= rowCount;
      }
    },
    load: () => ({ queuedBytes, queuedRows, inserts, refusedRequests, droppedRows }),
  };
}

/** From the front, as many requests as fit; a larger one goes alone. */
function takeBatch(buffer: TableBuffer, limits: PipelineLimits): Waiting[] {
  let [rows, bytes, take] = [0, 0, 0];
  for (const waiting of buffer.waiting) {
    const isOver = rows + waiting.rows.length > limits.maxInsertRows || bytes + waiting.bytes > limits.maxInsertBytes;
    if (take > 0 && isOver) break;
    rows += waiting.rows.length;
    bytes += waiting.bytes;
    take++;
  }
  buffer.rows -= rows;
  buffer.bytes -= bytes;
  return buffer.waiting.splice(0, take);
}
