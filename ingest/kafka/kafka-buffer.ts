/**
 * Receiving through Kafka: a request is acknowledged when all replicas in sync have it, and stored by whichever consumer has the
 * partition. ClickHouse may be away meanwhile.
 */
import kafkajs, { type Message } from 'kafkajs';
import { LimitError, UnavailableError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ReceivedBatch, StoreBatch } from '../received-batch.ts';
import { createKafka, isTooLarge, type KafkaSettings, TOPICS } from './kafka-settings.ts';
import { splitRequest } from './split-request.ts';

export interface KafkaBuffer {
  /** Rejects with LimitError when the broker takes no message that large, with UnavailableError when it does not answer. */
  readonly store: StoreBatch;
  close(): Promise<void>;
}

/** Header of a message that is a request in OTLP/JSON; without it the value is protobuf, as the Collector writes it. */
export const ENCODING_HEADER = 'inquest-encoding';

export interface KafkaBufferOptions {
  readonly settings: KafkaSettings;
  readonly logger: Logger;
  /** Of requests that Kafka has not acknowledged; one more is told to come back. */
  readonly maxPendingBytes: number;
}

/** Throws UnavailableError when no broker answers. */
export async function openKafkaBuffer({ settings, logger, maxPendingBytes }: KafkaBufferOptions): Promise<KafkaBuffer> {
  const kafka = createKafka(settings, logger);
  // Not idempotent: where kafkajs gives up on a message that did arrive, its next one has the same number, and the broker drops
  // it as a repetition. Twice is better than never.
  const producer = kafka.producer({ allowAutoTopicCreation: true });
  await producer.connect().catch((error: unknown) => {
    throw new UnavailableError(`No Kafka broker answers at ${settings.brokers.join(', ')}.`, { cause: error });
  });
  let pendingBytes = 0;

  async function send(batch: ReceivedBatch, body: Uint8Array): Promise<void> {
    const compression = kafkajs.CompressionTypes.GZIP;
    const messages = [toMessage(batch, body)];
    try {
      await producer.send({ topic: TOPICS[batch.signal], acks: -1, compression, messages });
    } catch (error) {
      if (!isTooLarge(error)) throw new UnavailableError('Kafka does not answer: retry in a moment.', { cause: error });
      const halves = batch.encoding === 'protobuf' ? splitRequest(body) : undefined;
      if (halves === undefined) throw tooLarge(error);
      for (const half of halves) await send(batch, half);
    }
  }

  return {
    store: async (batch, abort) => {
      const { length } = batch.body;
      if (pendingBytes > 0 && pendingBytes + length > maxPendingBytes) {
        throw new UnavailableError('Too much waits for Kafka: retry in a moment.');
      }
      // Until kafkajs has given up, not only until the sender is answered: it keeps the bytes so long.
      pendingBytes += length;
      const sent = send(batch, batch.body).finally(() => {
        pendingBytes -= length;
      });
      await untilAborted(sent, abort);
    },
    close: () => producer.disconnect(),
  };
}

/** The time of receipt goes with it: by it the records were judged, and the sender was told. */
function toMessage({ encoding, receivedMs }: ReceivedBatch, body: Uint8Array): Message {
  const value = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const message = { value, timestamp: String(receivedMs) };
  return encoding === 'json' ? { ...message, headers: { [ENCODING_HEADER]: 'json' } } : message;
}

function tooLarge(cause: unknown): LimitError {
  const limit = 'Kafka takes no message that large (message.max.bytes)';
  return new LimitError(`${limit}: send smaller batches.`, { cause, details: { of: 'request' } });
}

/** kafkajs cannot be told to stop: what it still sends is stored, and its sender sends it again. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new UnavailableError('Kafka did not answer in time: retry.', { cause: signal.reason }));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
