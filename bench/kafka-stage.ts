/** The stage of the Kafka drill: a broker, an engine with our tables, numbered messages, consumers in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { createTelemetryWriter } from '../clickhouse/telemetry-writer.ts';
import type { KafkaConsumerOptions } from '../ingest/kafka/kafka-consumer.ts';
import { createKafka, isPassing, type KafkaSettings, TOPICS } from '../ingest/kafka/kafka-settings.ts';
import { readLag } from '../ingest/kafka/read-lag.ts';
import { jsonToProto } from '../ingest/otlp/json-to-proto.ts';
import { systemClock } from '../platform/clock.ts';
import { createLifecycle } from '../platform/lifecycle.ts';
import { silentLogger } from '../platform/logger.ts';
import type { ConsumerOrders, ConsumerWord } from './drill-consumer.ts';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.ts';

export interface KafkaStage {
  readonly broker: KafkaBroker;
  readonly engine: EmbeddedEngine;
  /** Its name. */
  readonly database: string;
  settingsOf(groupId: string): KafkaSettings;
  /** A group for which nothing is in the topics yet. */
  newGroup(): Promise<string>;
  startConsumer(groupId: string, change?: Partial<ConsumerOrders>): DrillConsumer;
  openShop(): KafkaShop;
  /** Takes the oldest messages of a partition of spans away, as retention does. */
  expire(partition: number, messages: number): Promise<void>;
  /** For a consumer in this process. */
  partsOf(groupId: string): KafkaConsumerOptions;
  /** Resolves when a group has read everything. */
  untilRead(groupId: string, signal: AbortSignal): Promise<void>;
  count(service: string): Promise<StoredSpans>;
  /** kill -9 of the consumers that are left. */
  killConsumers(): Promise<void>;
  close(): Promise<void>;
}

export interface DrillConsumer {
  /** Resolves when it says so, at once if it has. */
  hears(word: ConsumerWord): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** One service, whose every span has an id of its own. */
export interface KafkaShop {
  readonly service: string;
  /** Sends so many messages, spread over both partitions. */
  produce(messages: number, options?: ProduceOptions): Promise<void>;
  /** The next message, for another way into the topic; counted. */
  next(): object;
  produced(): { readonly messages: number; readonly spans: number };
}

export interface ProduceOptions {
  /** Messages that are no OTLP instead; they are not counted. */
  readonly poison?: readonly number[];
  /** Left out: both. */
  readonly partition?: number;
}

export interface StoredSpans {
  readonly rows: number;
  /** Different ones among them. */
  readonly spans: number;
  /** Rows of their traces in the table of trace times, which a view fills. */
  readonly listed: number;
}

const SPANS_PER_MESSAGE = 10;
const SESSION_TIMEOUT_MS = 2_000;
const DATABASE = 'inquest_drill';
const POISON = Buffer.from('this is no protobuf');
const LOOK_MS = 100;
const ADMIN_ATTEMPTS = 200;

/** @param directory empty, of the drill's own */
export async function openKafkaStage(directory: string): Promise<KafkaStage> {
  const lifecycle = createLifecycle();
  try {
    const engine = await openEmbeddedEngine({ dataDir: directory, logger: silentLogger });
    lifecycle.add('engine', engine.close);
    const database = await openDatabase({ ...engine, database: DATABASE });
    lifecycle.add('database', database.close);
    await migrate(database, { retentionDays: 0 });
    const broker = await startKafkaBroker();
    lifecycle.add('broker', broker.close);
    const stage = createStage(engine, database, broker);
    lifecycle.add('consumers', stage.killConsumers);
    return { ...stage, close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

function createStage(engine: EmbeddedEngine, database: Database, broker: KafkaBroker): Omit<KafkaStage, 'close'> {
  const settingsOf = (groupId: string) => ({ brokers: [broker.address], groupId, ssl: false, sasl: undefined });
  const kafka = createKafka(settingsOf(''), silentLogger);
  const children = new Set<ChildProcess>();
  let [groups, services] = [0, 0];

  async function withAdmin<T>(work: (admin: ReturnType<typeof kafka.admin>) => Promise<T>): Promise<T> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await work(admin);
        } catch (error) {
          // A broker that has just come back is still finding out what it leads.
          if (!isPassing(error) || attempt === ADMIN_ATTEMPTS) throw error;
          await delay(LOOK_MS);
        }
      }
    } finally {
      await admin.disconnect();
    }
  }

  return {
    broker,
    engine,
    database: DATABASE,
    settingsOf,
    newGroup: () =>
      withAdmin(async (admin) => {
        const topics = Object.values(TOPICS);
        await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 2 })) });
        for (const topic of topics) {
          const ends = (await admin.fetchTopicOffsets(topic)).filter(({ low, high }) => low !== high);
          const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
          if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
        }
        return `group-${++groups}`;
      }),
    startConsumer: (groupId, change = {}) => {
      const { url, user, password } = engine;
      const child = startConsumerProcess({
        engine: { url, user, password },
        database: DATABASE,
        broker: broker.address,
        groupId,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        holdFirstCommit: false,
        ...change,
      });
      children.add(child.process);
      return child;
    },
    openShop: () => {
      const service = `service-${++services}`;
      let messages = 0;
      const next = () => spansOf(service, messages++);
      const produce = async (count: number, { poison = [], partition }: ProduceOptions = {}) => {
        const producer = kafka.producer();
        await producer.connect();
        const values = Array.from({ length: count }, (_, index) =>
          poison.includes(index) ? POISON : jsonToProto('traces', next()),
        );
        const spread = values.map((value, index) => ({ value, partition: partition ?? index % 2 }));
        await producer.send({ topic: TOPICS.traces, acks: -1, messages: spread });
        await producer.disconnect();
      };
      return { service, produce, next, produced: () => ({ messages, spans: messages * SPANS_PER_MESSAGE }) };
    },
    partsOf: (groupId) => ({
      settings: settingsOf(groupId),
      write: createTelemetryWriter(database).write,
      clock: systemClock,
      logger: silentLogger,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    }),
    expire: (partition, messages) =>
      withAdmin(async (admin) => {
        const offsets = await admin.fetchTopicOffsets(TOPICS.traces);
        const low = Number(offsets.find((each) => each.partition === partition)?.low);
        const partitions = [{ partition, offset: String(low + messages) }];
        await admin.deleteTopicRecords({ topic: TOPICS.traces, partitions });
      }),
    untilRead: async (groupId, signal) => {
      const lagOf = () =>
        withAdmin(async (admin) => (await readLag(admin, groupId)).reduce((sum, { lag }) => sum + lag, 0));
      while ((await lagOf()) > 0) await delay(LOOK_MS, undefined, { signal });
    },
    count: async (service) => {
      const { rows } = await database.read<StoredSpans>(COUNT, { service }, { tag: 'drill', maxRows: 1 });
      return rows[0] ?? { rows: 0, spans: 0, listed: 0 };
    },
    killConsumers: async () => {
      for (const child of children) {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
      children.clear();
    },
  };
}

const COUNT = `
SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(SpanId)) AS spans,
  (SELECT toUInt32(count()) FROM otel_traces_trace_id_ts
   WHERE TraceId IN (SELECT TraceId FROM otel_traces WHERE ServiceName = {service:String})) AS listed
FROM otel_traces WHERE ServiceName = {service:String}`;

function startConsumerProcess(orders: ConsumerOrders): DrillConsumer & { readonly process: ChildProcess } {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const script = fileURLToPath(new URL(`./drill-consumer${extension}`, import.meta.url));
  const child = fork(script, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
  });
  const said = new Set<ConsumerWord>();
  child.on('message', (word: ConsumerWord) => said.add(word));
  child.send(orders);
  return {
    process: child,
    hears: async (word) => {
      while (!said.has(word)) await once(child, 'message');
    },
    kill: (signal) => void child.kill(signal),
  };
}

function spansOf(service: string, index: number): object {
  const nanos = String(BigInt(Date.now()) * 1_000_000n);
  const traceId = `${service.replaceAll(/\D/g, '')}${'a'.repeat(8)}${index}`.padStart(32, '0');
  const spans = Array.from({ length: SPANS_PER_MESSAGE }, (_, span) => ({
    traceId,
    spanId: `${index}${'b'.repeat(4)}${span}`.padStart(16, '0'),
    name: 'drill',
    kind: 2,
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] };
}
