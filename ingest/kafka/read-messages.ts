/** Messages of a topic, decoded and cut into batches that make inserts of a good size. */
import type { KafkaMessage } from 'kafkajs';
import type { TelemetryRows } from '../../clickhouse/telemetry-rows.ts';
import type { Clock } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import type { OtlpSignal } from '../otlp/otlp-schema.ts';
import { type OtlpEncoding, readOtlpRows } from '../otlp/read-otlp-rows.ts';
import { RecordCount } from '../otlp/record-count.ts';
import { TABLES_HEADER } from './dead-letters.ts';
import { ENCODING_HEADER } from './kafka-buffer.ts';

export interface ReadMessage {
  readonly message: KafkaMessage;
  readonly rows: TelemetryRows;
  readonly count: RecordCount;
  /** Why nothing of it can be stored; undefined when it can. */
  readonly problem: string | undefined;
}

export interface ReadOptions {
  readonly clock: Clock;
  /** Days after which the store deletes a row; 0, the default: never. */
  readonly retentionDays?: number | undefined;
}

const MAX_BATCH_RECORDS = 20_000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Every message is in one batch, in order; a large one is alone. */
export function* readMessages(
  signal: OtlpSignal,
  messages: readonly KafkaMessage[],
  options: ReadOptions,
): Generator<ReadMessage[]> {
  let batch: ReadMessage[] = [];
  let [records, bytes] = [0, 0];
  for (const message of messages) {
    const read = readMessage(signal, message, options);
    const size = message.value?.length ?? 0;
    const isFull = records + read.count.accepted > MAX_BATCH_RECORDS || bytes + size > MAX_BATCH_BYTES;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      [records, bytes] = [0, 0];
    }
    batch.push(read);
    records += read.count.accepted;
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Judged by the time at which it came to Kafka: the answer to its sender was. */
export function readMessage(signal: OtlpSignal, message: KafkaMessage, options: ReadOptions): ReadMessage {
  const nothing = { message, rows: {}, count: new RecordCount() };
  if (message.value === null) return { ...nothing, problem: 'The message has no value.' };
  const sentMs = Number(message.timestamp);
  const receivedMs = sentMs > 0 ? sentMs : options.clock.nowMs();
  const encoding = encodingOf(message.value, message);
  try {
    const { rows, count } = readOtlpRows(signal, encoding, message.value, receivedMs, options.retentionDays);
    return { message, rows: onlyMissing(rows, message), count, problem: undefined };
  } catch (error) {
    if (error instanceof AppError) return { ...nothing, problem: error.message };
    throw error;
  }
}

/** The first byte of a Collector's otlp_json; no OTLP message in protobuf begins with it (field 15, a group). */
const BRACE = 0x7b;

function encodingOf(value: Buffer, { headers }: KafkaMessage): OtlpEncoding {
  return value[0] === BRACE || String(headers?.[ENCODING_HEADER] ?? '') === 'json' ? 'json' : 'protobuf';
}

/** A letter that was put back: some tables had taken their part of it. */
function onlyMissing(rows: TelemetryRows, { headers }: KafkaMessage): TelemetryRows {
  const { [TABLES_HEADER]: header } = headers ?? {};
  if (header === undefined) return rows;
  const tables = new Set(String(header).split(','));
  return Object.fromEntries(Object.entries(rows).filter(([table]) => tables.has(table)));
}
