/** `inquest kafka`: how far the consumers are behind, and what could not be stored put back. Asks the brokers, no host. */
import type { Command } from 'commander';
import { loadProcessConfig } from '../../../platform/config.ts';
import { ConfigError } from '../../../platform/errors.ts';
import { createLogger } from '../../../platform/logger.ts';
import type { Cli, RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { readCount } from '../read-numbers.ts';
import { formatCount } from '../words.ts';

const DEFAULT_REPLAY_LIMIT = 1_000;

export function addKafkaCommand(program: Command, run: RunWork): void {
  const kafka = program
    .command('kafka')
    .description('the topics that are stored: how far behind, and what could not be');
  kafka
    .command('lag')
    .description('messages that are not stored yet, by partition, and dead letters')
    .action(() => run((cli) => showLag(cli)));
  kafka
    .command('replay')
    .description('put dead letters back on their topics, the oldest first; what still cannot be stored is buried again')
    .option('--limit <number>', 'so many at most', readCount, DEFAULT_REPLAY_LIMIT)
    .action(({ limit }: { limit: number }) => run((cli) => replay(cli, limit)));
}

async function showLag({ terminal }: Cli): Promise<typeof EXIT.ok> {
  const { inspectKafka } = await import('../../../ingest/kafka/inspect-kafka.ts');
  const report = await inspectKafka(settings(), createLogger('silent'));
  terminal.printJson(report);
  const rows = report.partitions.map(
    ({ topic, partition, lag }) => `${topic}/${partition}`.padEnd(32) + formatCount(lag).padStart(12),
  );
  const head = `${'topic/partition'.padEnd(32)}${'lag'.padStart(12)}`;
  const letters = `Dead letters: ${formatCount(report.deadLetters)} that were not put back.`;
  const none = 'None of the topics otlp_spans, otlp_logs, otlp_metrics exists yet.';
  terminal.print(plainBlock([...(rows.length > 0 ? [head, ...rows] : [none]), '', letters].join('\n')));
  return EXIT.ok;
}

async function replay({ terminal, signal }: Cli, limit: number): Promise<typeof EXIT.ok> {
  const { createKafka } = await import('../../../ingest/kafka/kafka-settings.ts');
  const { replayDeadLetters } = await import('../../../ingest/kafka/dead-letters.ts');
  const { groupId, ...rest } = settings();
  const replayed = await replayDeadLetters(createKafka({ groupId, ...rest }, createLogger('silent')), {
    groupId,
    limit,
    signal,
  });
  signal.throwIfAborted();
  terminal.printJson(replayed);
  const skipped = replayed.skipped > 0 ? ` ${formatCount(replayed.skipped)} were there twice and left out.` : '';
  terminal.print(`${formatCount(replayed.replayed)} dead letters were put back on their topics.${skipped}`);
  return EXIT.ok;
}

function settings() {
  const { kafka } = loadProcessConfig();
  if (kafka === undefined)
    throw new ConfigError('No Kafka is configured: set KAFKA_BROKERS, for example localhost:9092.');
  return kafka;
}
