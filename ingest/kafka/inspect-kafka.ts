/** What a person asks of Kafka, over a connection of its own. */
import { errorMessage, UnavailableError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { countDeadLetters } from './dead-letters.ts';
import { createKafka, type KafkaSettings } from './kafka-settings.ts';
import { type PartitionLag, readLag } from './read-lag.ts';

export interface KafkaReport {
  readonly partitions: readonly PartitionLag[];
  /** That were not put back. */
  readonly deadLetters: number;
}

/** Throws UnavailableError when no broker answers. */
export async function inspectKafka(settings: KafkaSettings, logger: Logger): Promise<KafkaReport> {
  const admin = createKafka(settings, logger).admin({ retry: { retries: 2 } });
  try {
    await admin.connect();
    const partitions = await readLag(admin, settings.groupId);
    return { partitions, deadLetters: await countDeadLetters(admin, settings.groupId) };
  } catch (error) {
    const where = settings.brokers.join(', ');
    throw new UnavailableError(`Kafka does not answer at ${where}: ${errorMessage(error)}`, { cause: error });
  } finally {
    await admin.disconnect();
  }
}
