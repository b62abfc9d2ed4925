/** How Kafka is reached, and what its topics are called: those of the OpenTelemetry Collector's kafka exporter. */
import kafkajs, { type Kafka, type KafkaConfig } from 'kafkajs';
import type { Config } from '../../platform/config.ts';
import type { Logger } from '../../platform/logger.ts';
import type { OtlpSignal } from '../otlp/otlp-schema.ts';
import { registerCodecs } from './decompress.ts';

/** The slice of the configuration. */
export type KafkaSettings = Omit<NonNullable<Config['kafka']>, 'isBuffer'>;

export const TOPICS: Readonly<Record<OtlpSignal, string>> = {
  traces: 'otlp_spans',
  logs: 'otlp_logs',
  metrics: 'otlp_metrics',
};

export const DEAD_LETTERS_TOPIC = 'inquest_dead_letters';

/** Undefined for a topic that is none of ours. */
export function signalOfTopic(topic: string): OtlpSignal | undefined {
  return (Object.keys(TOPICS) as OtlpSignal[]).find((signal) => TOPICS[signal] === topic);
}

export function createKafka({ brokers, ssl, sasl }: KafkaSettings, logger: Logger): Kafka {
  const config: KafkaConfig = {
    clientId: 'inquest',
    brokers: [...brokers],
    ssl,
    connectionTimeout: 3_000,
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => toLogger(logger),
  };
  registerCodecs();
  return new kafkajs.Kafka(sasl === undefined ? config : { ...config, sasl: saslOf(sasl) });
}

function saslOf({
  mechanism,
  username,
  password,
}: NonNullable<KafkaSettings['sasl']>): NonNullable<KafkaConfig['sasl']> {
  const account = { username, password: password.reveal() };
  if (mechanism === 'plain') return { mechanism, ...account };
  return mechanism === 'scram-sha-256' ? { mechanism, ...account } : { mechanism: 'scram-sha-512', ...account };
}

/** A broker that is away for a moment is no error of ours: everything is a warning. */
function toLogger(logger: Logger): ReturnType<NonNullable<KafkaConfig['logCreator']>> {
  return ({ namespace, log: { message, error, broker } }) => {
    logger.warn({ namespace, broker, reason: error }, `kafka: ${message}`);
  };
}

/** True for what passes by itself: a broker that starts, a partition that changes its leader, a group that forms. */
export function isPassing(error: unknown): boolean {
  return error instanceof kafkajs.KafkaJSError && error.retriable;
}

/** True when the broker takes no message that large, whoever sends it and whenever. */
export function isTooLarge(error: unknown): boolean {
  const type = error instanceof kafkajs.KafkaJSProtocolError ? error.type : undefined;
  return type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE';
}
