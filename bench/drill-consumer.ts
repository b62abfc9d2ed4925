/** A consumer in a process of its own, which a drill kills, freezes and watches; it reaches engine and broker by their addresses. */
import { once } from 'node:events';
import { openDatabase } from '../clickhouse/database.ts';
import { createPatientDatabase } from '../clickhouse/patient-database.ts';
import { createTelemetryWriter } from '../clickhouse/telemetry-writer.ts';
import { startKafkaConsumer } from '../ingest/kafka/kafka-consumer.ts';
import { systemClock } from '../platform/clock.ts';
import { createLogger } from '../platform/logger.ts';

export interface ConsumerOrders {
  readonly engine: { readonly url: string; readonly user: string; readonly password: string };
  readonly database: string;
  readonly broker: string;
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  /** Before the offset of the first batch is committed it says so, and waits for ever. */
  readonly holdFirstCommit: boolean;
}

/** What it tells its parent. */
export type ConsumerWord = 'ready' | 'stored' | 'left';

async function main(orders: ConsumerOrders): Promise<void> {
  const say = (word: ConsumerWord) => process.send?.(word);
  const database = await openDatabase({ ...orders.engine, database: orders.database });
  const consumer = await startKafkaConsumer({
    settings: { brokers: [orders.broker], groupId: orders.groupId, ssl: false, sasl: undefined },
    write: createTelemetryWriter(createPatientDatabase(database)).write,
    clock: systemClock,
    logger: createLogger('silent'),
    sessionTimeoutMs: orders.sessionTimeoutMs,
    onStored: async () => {
      say('stored');
      if (orders.holdFirstCommit) await once(process, 'never');
    },
  });
  say('ready');
  await once(process, 'SIGTERM');
  await consumer.close();
  await database.close();
  process.send?.('left' satisfies ConsumerWord, () => process.exit());
}

if (process.send) {
  process.once('disconnect', () => process.exit());
  process.once('message', (orders: ConsumerOrders) => {
    main(orders).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    });
  });
}
