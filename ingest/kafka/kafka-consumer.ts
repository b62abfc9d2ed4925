/**
 * Telemetry from Kafka into the store, each batch once: its boundaries are recorded before it is inserted, the insert has their
 * name, and the offset moves after it. What cannot be stored goes to the dead letters first. docs/decisions/0008 has the reasoning.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Admin, Consumer, EachBatchPayload, KafkaMessage, Producer } from 'kafkajs';
import type { TelemetryRows } from '../../clickhouse/telemetry-rows.ts';
import type { WriteOptions } from '../../clickhouse/telemetry-writer.ts';
import type { Clock } from '../../platform/clock.ts';
import { errorMessage, UnavailableError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { alignFetch } from './align-fetch.ts';
import { type BatchBoundary, drawBoundary, recordBoundary } from './batch-boundary.ts';
import { buryMessages } from './dead-letters.ts';
import { followGroup, type Membership, type Position } from './follow-group.ts';
import { insertBatch } from './insert-batch.ts';
import { createKafka, type KafkaSettings, signalOfTopic, TOPICS } from './kafka-settings.ts';
import { type PartitionLag, readLag } from './read-lag.ts';
import { type ReadMessage, readMessage, readMessages } from './read-messages.ts';
import { withHeartbeats } from './with-heartbeats.ts';

export interface KafkaConsumerOptions {
  readonly settings: KafkaSettings;
  /** Stores rows under a token; the same token stores once. */
  readonly write: (rows: TelemetryRows, options: WriteOptions) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Days after which the store deletes a row: an older record is rejected, as a receiver does. 0, the default: never. */
  readonly retentionDays?: number;
  /** A member that is silent for so long loses its partitions. */
  readonly sessionTimeoutMs?: number;
  /** A partition gives so much at a time. */
  readonly maxPartitionBytes?: number;
  /** For drills: awaited after a batch is stored and before its offset is committed. */
  readonly onStored?: (boundary: BatchBoundary) => Promise<void>;
}

/** What one consumer did since it started. */
export interface KafkaCounts {
  batches: number;
  /** Batches whose boundaries a former owner had recorded. */
  rebuiltBatches: number;
  records: number;
  /** Records left out of good messages, as a receiver would have told their sender. */
  rejectedRecords: number;
  deadLetters: number;
  /** Offsets that were gone before they could be read: the broker's retention was faster. */
  expiredMessages: number;
}

export interface KafkaConsumer {
  readonly counts: Readonly<KafkaCounts>;
  /** Resolves with the reason when it has stopped for good without having been told to: its owner may start another. */
  readonly ended: Promise<Error>;
  /** Of the whole group; rejects when the broker does not answer. */
  lag(): Promise<PartitionLag[]>;
  /** Finishes the batch at hand and leaves the group. */
  close(): Promise<void>;
}

const DEFAULT_SESSION_TIMEOUT_MS = 30_000;
/** A fetch waits for so many bytes, or so long; a partition gives so many at most. */
const MIN_FETCH_BYTES = 256 * 1024;
const MAX_FETCH_WAIT_MS = 500;
const MAX_PARTITION_BYTES = 4 * 1024 * 1024;
const MAX_FETCH_BYTES = 16 * 1024 * 1024;

const RETRIES = 5;

/** Throws UnavailableError when no broker answers. */
export async function startKafkaConsumer(options: KafkaConsumerOptions): Promise<KafkaConsumer> {
  const { settings, clock, logger, sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS } = options;
  const { groupId } = settings;
  const kafka = createKafka(settings, logger);
  let isClosed = false;
  const consumer = kafka.consumer({
    groupId,
    // Without the question it would start again also when it was closed while its group formed, and never end.
    retry: { retries: RETRIES, restartOnFailure: async () => !isClosed },
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs,
    heartbeatInterval: Math.min(1_000, sessionTimeoutMs / 3),
    minBytes: MIN_FETCH_BYTES,
    maxBytes: MAX_FETCH_BYTES,
    maxBytesPerPartition: options.maxPartitionBytes ?? MAX_PARTITION_BYTES,
    maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
    allowAutoTopicCreation: true,
    readUncommitted: false,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: true });
  const admin = kafka.admin();
  const counts = { batches: 0, rebuiltBatches: 0, records: 0, rejectedRecords: 0, deadLetters: 0, expiredMessages: 0 };
  const onExpired = ({ topic, partition }: Position, from: bigint, to: bigint) => {
    counts.expiredMessages += Number(to - from);
    logger.error({ topic, partition, from: `${from}`, to: `${to}` }, 'Kafka deleted messages before they were read');
  };
  const { promise: ended, resolve: end } = Promise.withResolvers<Error>();
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    logger.error({ reason: errorMessage(error), restart }, 'the Kafka consumer failed');
    if (!restart) end(error);
  });
  const member = followGroup({ consumer, admin, groupId, logger, onExpired });
  const disconnect = async () => {
    isClosed = true;
    await consumer.disconnect();
    member.leave();
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  };
  try {
    await Promise.all([consumer.connect(), producer.connect(), admin.connect()]);
    await consumer.subscribe({ topics: Object.values(TOPICS), fromBeginning: true });
    const parts: Parts = { ...options, consumer, producer, admin, member, counts, onExpired };
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => consumeFetched(parts, payload),
    });
  } catch (error) {
    await disconnect().catch(() => undefined);
    const where = settings.brokers.join(', ');
    throw new UnavailableError(`Kafka does not answer at ${where}: ${errorMessage(error)}`, { cause: error });
  }
  const startedMs = clock.nowMs();
  return {
    counts,
    ended,
    lag: () => readLag(admin, groupId),
    close: async () => {
      await disconnect();
      logger.info({ ...counts, forMs: clock.nowMs() - startedMs }, 'the Kafka consumer has left its group');
    },
  };
}

interface Parts extends KafkaConsumerOptions {
  readonly consumer: Consumer;
  readonly producer: Producer;
  readonly admin: Admin;
  readonly member: Membership;
  readonly counts: KafkaCounts;
  readonly onExpired: (position: Position, from: bigint, to: bigint) => void;
}

/** One fetch of one partition: cut into batches, each stored and committed before the next. */
async function consumeFetched(parts: Parts, payload: EachBatchPayload): Promise<void> {
  const { batch, heartbeat, resolveOffset, isRunning, isStale } = payload;
  const generation = parts.member.generation();
  const isMine = () => parts.member.generation() === generation;
  const position = parts.member.positionOf(batch.topic, batch.partition);
  if (position === undefined || isStale()) return;
  const fetched = await alignFetch(parts, position, batch);
  if (fetched === undefined || !isMine()) return;
  const messages = [...position.waiting, ...fetched];
  const [end, { begun }] = [BigInt(batch.lastOffset()) + 1n, position];
  if (begun && end <= begun.last) {
    // More of what was begun is still to be fetched.
    Object.assign(position, { waiting: messages, fetched: end });
    resolveOffset((end - 1n).toString());
    return;
  }
  // Should it fail from here on, it is fetched again.
  Object.assign(position, { waiting: [], fetched: position.next });
  for (const { boundary, messages: ofBatch } of cutIntoBatches(parts, batch.topic, messages, begun)) {
    if (!isRunning()) return;
    const isDone = await withHeartbeats(heartbeat, (isWanted) => {
      const mayWait = () => isMine() && isRunning() && isWanted();
      return storeBatch(parts, payload, { position, boundary, messages: ofBatch, isMine, mayWait });
    });
    if (!isDone || !isMine()) return; // what is left is fetched by whoever has the partition now
    if (boundary === begun) parts.counts.rebuiltBatches++;
    resolveOffset((position.next - 1n).toString());
    await heartbeat();
  }
  if (!isMine()) return;
  position.fetched = end; // beyond the marks of transactions, which nobody shows us
  resolveOffset((end - 1n).toString());
}

interface CutBatch {
  readonly boundary: BatchBoundary;
  readonly messages: readonly ReadMessage[];
}

function* cutIntoBatches(
  options: Parts,
  topic: string,
  messages: readonly KafkaMessage[],
  begun: BatchBoundary | undefined,
): Generator<CutBatch> {
  const signal = signalOfTopic(topic);
  if (signal === undefined) return;
  const isBegun = ({ offset }: KafkaMessage) => begun !== undefined && BigInt(offset) <= begun.last;
  const rebuilt = messages.filter(isBegun);
  if (begun !== undefined) {
    yield { boundary: begun, messages: rebuilt.map((message) => readMessage(signal, message, options)) };
  }
  for (const batch of readMessages(signal, messages.slice(rebuilt.length), options)) {
    const [first, last] = [batch[0], batch.at(-1)];
    if (first === undefined || last === undefined) continue;
    yield { boundary: drawBoundary(BigInt(first.message.offset), BigInt(last.message.offset)), messages: batch };
  }
}

interface BatchToStore extends CutBatch {
  readonly position: Position;
  /** Whether the partition is still this member's. */
  readonly isMine: () => boolean;
  /** Whether it may be kept waiting for a store that is away. */
  readonly mayWait: () => boolean;
}

/** False when the partition went to somebody else meanwhile: they find the boundaries and do the same. */
async function storeBatch(parts: Parts, payload: EachBatchPayload, batch: BatchToStore): Promise<boolean> {
  const { position, boundary, messages, isMine } = batch;
  const { topic, partition } = position;
  const commit = async (offset: bigint, metadata: string) => {
    await turn(); // a join that is just over is told to us before we go on
    if (!isMine()) return false;
    // Taken with the generation of this moment and never repeated: a member that has lost the partition is refused by the broker.
    // (consumer.commitOffsets would repeat it, in a later generation if need be.)
    const committed = { partition, offset: offset.toString(), metadata };
    await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [committed] }] });
    return isMine();
  };
  if (!(await commit(boundary.first, recordBoundary(boundary)))) return false;
  position.begun = boundary; // should it fail from here on, it is tried again as it is
  const letters = await insertBatch({ ...parts, mayWait: batch.mayWait }, { topic, partition, boundary, messages });
  await buryMessages(parts.producer, letters);
  parts.counts.deadLetters += letters.length;
  await parts.onStored?.(boundary);
  if (!(await commit(boundary.last + 1n, ''))) return false;
  const next = boundary.last + 1n;
  Object.assign(position, { begun: undefined, next, fetched: next });
  parts.counts.batches++;
  for (const { count } of messages) {
    parts.counts.records += count.accepted;
    parts.counts.rejectedRecords += count.rejected;
    if (count.rejected > 0) parts.logger.warn({ topic, partition, told: count.describe() }, 'records were left out');
  }
  return true;
}
