/**
 * A batch of messages into the store, table by table, each insert under its name. A store that is away is waited for; a message that
 * a table refuses is found by trying each alone, and handed back for the dead letters.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { TelemetryRows, TelemetryTable } from '../../clickhouse/telemetry-rows.ts';
import type { WriteOptions } from '../../clickhouse/telemetry-writer.ts';
import { AppError, errorMessage, InputError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { type BatchBoundary, batchToken } from './batch-boundary.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { ReadMessage } from './read-messages.ts';

export interface InsertOptions {
  /** Stores rows under a token; the same token stores once. */
  readonly write: (rows: TelemetryRows, options: WriteOptions) => Promise<void>;
  readonly logger: Logger;
  /** Whether a store that is away may be waited for. */
  readonly mayWait: () => boolean;
}

export interface BatchToInsert {
  readonly topic: string;
  readonly partition: number;
  readonly boundary: BatchBoundary;
  readonly messages: readonly ReadMessage[];
}

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/** Resolves with the messages that cannot be stored; rejects when the store is away and may not be waited for any more. */
export async function insertBatch(options: InsertOptions, batch: BatchToInsert): Promise<DeadLetter[]> {
  const { topic, partition, messages } = batch;
  const bury = ({ message }: ReadMessage, reason: string): DeadLetter => ({ topic, partition, message, reason });
  const unreadable = messages.flatMap((each) => (each.problem === undefined ? [] : [bury(each, each.problem)]));
  const tables = new Set(messages.flatMap(({ rows }) => Object.keys(rows) as TelemetryTable[]));
  // A table that refuses must not cost the others theirs, nor have them stored again under other names.
  const refused = await settleAll([...tables].map((table) => insertTable(options, batch, table)));
  const letters = new Map<ReadMessage, DeadLetter>();
  for (const { read, table, reason } of refused.flat()) {
    const { tables: before = [], reason: first } = letters.get(read) ?? {};
    letters.set(read, { ...bury(read, first ?? reason), tables: [...before, table] });
  }
  return [...unreadable, ...letters.values()];
}

interface Refusal {
  readonly read: ReadMessage;
  readonly table: TelemetryTable;
  readonly reason: string;
}

async function insertTable(options: InsertOptions, batch: BatchToInsert, table: TelemetryTable): Promise<Refusal[]> {
  const { topic, partition, boundary, messages } = batch;
  const rows = messages.flatMap((each): readonly object[] => each.rows[table] ?? []);
  const refusal = await tryWrite(options, { [table]: rows }, batchToken(topic, partition, boundary));
  if (refusal === undefined) return [];
  const refused: Refusal[] = [];
  for (const read of messages) {
    const { [table]: own } = read.rows;
    if (own === undefined || own.length === 0) continue;
    const token = batchToken(topic, partition, boundary, read.message.offset);
    const reason = await tryWrite(options, { [table]: own }, token);
    if (reason !== undefined) refused.push({ read, table, reason });
  }
  return refused;
}

/**
 * Why the rows are refused; undefined when they are stored. Only an InputError is about them, and says that none was stored. After any
 * other error some may be (the table has them, and a view of it failed): the same is repeated, under the same name, for as long
 * as it takes.
 */
async function tryWrite(
  { write, logger, mayWait }: InsertOptions,
  rows: TelemetryRows,
  token: string,
): Promise<string | undefined> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      await write(rows, { token });
      return undefined;
    } catch (error) {
      if (error instanceof InputError) return error.message;
      if (!(error instanceof AppError) || !mayWait()) throw error;
      logger.warn({ reason: errorMessage(error), pauseMs }, 'the store cannot take a batch: it waits');
      await delay(pauseMs);
    }
  }
}

/** All of them end before one that failed is told. */
async function settleAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
