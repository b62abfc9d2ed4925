/** Kafka as a part of a host: consuming, and buffering where that is asked for; a broker that is away is waited for. */
import { setTimeout as delay } from 'node:timers/promises';
import { openKafkaBuffer } from '../ingest/kafka/kafka-buffer.ts';
import { type KafkaConsumerOptions, startKafkaConsumer } from '../ingest/kafka/kafka-consumer.ts';
import type { StoreBatch } from '../ingest/received-batch.ts';
import type { Config } from '../platform/config.ts';
import { errorMessage, UnavailableError } from '../platform/errors.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';

export interface OpenedKafka {
  /** Undefined: receivers store by themselves. */
  readonly store: StoreBatch | undefined;
  /** Counters of the consumer and the lag of its group; `away` is 1 while no broker answers. */
  status(): Promise<Record<string, number>>;
}

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
const LAG_TIMEOUT_MS = 3_000;

export interface KafkaParts extends Pick<KafkaConsumerOptions, 'write' | 'clock' | 'retentionDays'> {
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  /** Of requests that wait for Kafka's acknowledgement. */
  readonly maxPendingBytes: number;
}

/** Resolves at once; what opens is registered with `lifecycle`. */
export function openKafka(settings: NonNullable<Config['kafka']>, parts: KafkaParts): OpenedKafka {
  const { logger, lifecycle, maxPendingBytes } = parts;
  const consuming = keepOpening(() => startKafkaConsumer({ ...parts, settings }), logger);
  lifecycle.add('Kafka consumer', consuming.close);
  const openBuffer = () => openKafkaBuffer({ settings, logger, maxPendingBytes });
  const buffering = settings.isBuffer ? keepOpening(openBuffer, logger) : undefined;
  if (buffering) lifecycle.add('Kafka buffer', buffering.close);
  return {
    store:
      buffering &&
      (async (batch, signal) => {
        const buffer = buffering.current();
        if (buffer === undefined) throw new UnavailableError('Kafka does not answer: retry in a moment.');
        await buffer.store(batch, signal);
      }),
    status: async () => {
      const consumer = consuming.current();
      if (consumer === undefined) return { away: 1 };
      const lags = await Promise.race([consumer.lag(), delay(LAG_TIMEOUT_MS, undefined)]).catch(() => undefined);
      if (lags === undefined) return { ...consumer.counts, away: 1 };
      const byPartition = lags.map(({ topic, partition, lag }) => [`lag of ${topic}/${partition}`, lag]);
      return {
        ...consumer.counts,
        away: 0,
        lag: lags.reduce((sum, { lag }) => sum + lag, 0),
        ...Object.fromEntries(byPartition),
      };
    },
  };
}

interface Opened {
  /** Resolves when it has stopped by itself. */
  readonly ended?: Promise<Error>;
  close(): Promise<void>;
}

/** Tries until it opens, and again when it has ended, until it is closed. */
function keepOpening<T extends Opened>(open: () => Promise<T>, logger: Logger) {
  const closing = new AbortController();
  const closed = new Promise<undefined>((resolve) =>
    closing.signal.addEventListener('abort', () => resolve(undefined)),
  );
  let opened: T | undefined;
  let pauseMs = FIRST_PAUSE_MS;

  async function useOnce(): Promise<Error | undefined> {
    opened = await open();
    const openedAtMs = performance.now();
    try {
      return await Promise.race([opened.ended ?? closed, closed]);
    } finally {
      if (performance.now() - openedAtMs > MAX_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
      const { close } = opened;
      opened = undefined;
      await close();
    }
  }
  const using = (async () => {
    while (!closing.signal.aborted) {
      const problem = await useOnce().catch((error: unknown) => error);
      if (closing.signal.aborted) return;
      logger.error({ reason: errorMessage(problem), retryInMs: pauseMs }, 'Kafka cannot be used now');
      await delay(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
  })();
  return {
    current: () => opened,
    close: async () => {
      closing.abort();
      await using;
    },
  };
}
