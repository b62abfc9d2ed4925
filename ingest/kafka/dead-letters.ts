/**
 * Messages that cannot be stored go to a topic of their own with the reason, before the batch that held them is committed; once
 * the reason is gone they can be put back.
 */
import kafkajs, { type Admin, type Kafka, type KafkaMessage, type Message, type Producer } from 'kafkajs';
import { UnavailableError } from '../../platform/errors.ts';
import { DEAD_LETTERS_TOPIC, isTooLarge, signalOfTopic } from './kafka-settings.ts';

export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage;
  readonly reason: string;
  /** Tables that refused their part of it; the others have theirs. Left out: nothing of it is stored. */
  readonly tables?: readonly string[];
}

const MAX_REASON_CHARACTERS = 500;

/** Headers of a dead letter, besides those the message had. */
const HEADERS = {
  reason: 'inquest-reason',
  topic: 'inquest-topic',
  partition: 'inquest-partition',
  offset: 'inquest-offset',
} as const;

/** Header of a letter that was stored in part: the tables that lack it. It stays when the letter is put back. */
export const TABLES_HEADER = 'inquest-tables';

/** Resolves when the broker has all of them. One that is buried again after a crash is there twice, with the same source. */
export async function buryMessages(producer: Producer, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  const compression = kafkajs.CompressionTypes.GZIP;
  const send = (messages: Message[]) => producer.send({ topic: DEAD_LETTERS_TOPIC, acks: -1, compression, messages });
  const messages = letters.map(toMessage);
  try {
    await send(messages);
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    for (const message of messages) await sendOrPointTo(send, message);
  }
}

/** A message that has no room for the reason beside it stays where it is until its topic forgets it: the letter says where. */
async function sendOrPointTo(send: (messages: Message[]) => Promise<unknown>, message: Message): Promise<void> {
  try {
    await send([message]);
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    const headers = message.headers ?? {};
    const reason = `${headers[HEADERS.reason]} (Too large to be kept here: see its source.)`;
    await send([{ ...message, value: null, headers: { ...headers, [HEADERS.reason]: reason } }]);
  }
}

function toMessage({ topic, partition, message, reason, tables }: DeadLetter): Message {
  return {
    key: message.key,
    value: message.value,
    timestamp: message.timestamp,
    headers: {
      ...message.headers,
      ...(tables ? { [TABLES_HEADER]: tables.join(',') } : {}),
      [HEADERS.reason]: reason.slice(0, MAX_REASON_CHARACTERS),
      [HEADERS.topic]: topic,
      [HEADERS.partition]: String(partition),
      [HEADERS.offset]: message.offset,
    },
  };
}

export interface ReplayedLetters {
  readonly replayed: number;
  /** The same message buried twice, one that names no topic of ours, or one that was too large to be kept. */
  readonly skipped: number;
}

/**
 * Puts the dead letters that are there now back on their topics, those that were put back before left out. Their place in the
 * topic of dead letters is committed after the broker has taken them: a replay that is cut off is taken up again.
 */
export async function replayDeadLetters(
  kafka: Kafka,
  options: { readonly groupId: string; readonly limit: number; readonly signal: AbortSignal },
): Promise<ReplayedLetters> {
  const groupId = replayGroupOf(options.groupId);
  const admin = kafka.admin();
  await admin.connect();
  const ranges = await readRanges(admin, groupId).finally(() => admin.disconnect());
  const ends = new Map(ranges.map(({ partition, high }) => [partition, high]));
  if (ends.size === 0) return { replayed: 0, skipped: 0 };
  const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId, maxWaitTimeInMs: 200 })];
  const seen = new Set<string>();
  let [replayed, skipped] = [0, 0];
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) =>
    reject(new UnavailableError('The replay was cut off.', { cause: payload.error })),
  );
  const stop = () => resolve();
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.all([producer.connect(), consumer.connect()]);
    await consumer.subscribe({ topics: [DEAD_LETTERS_TOPIC], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const end = ends.get(partition);
        if (end === undefined || replayed >= options.limit) return stop();
        const source = sourceOf(message);
        if (source === undefined || seen.has(source.name)) skipped++;
        else {
          await producer.send({ topic: source.topic, acks: -1, messages: [source.message] });
          seen.add(source.name);
          replayed++;
        }
        const next = BigInt(message.offset) + 1n;
        await consumer.commitOffsets([{ topic: DEAD_LETTERS_TOPIC, partition, offset: next.toString() }]);
        if (next >= end) ends.delete(partition);
        if (ends.size === 0 || replayed >= options.limit) stop();
      },
    });
    await done;
  } finally {
    options.signal.removeEventListener('abort', stop);
    await Promise.all([consumer.disconnect(), producer.disconnect()]);
  }
  return { replayed, skipped };
}

/** Letters that were not put back. */
export async function countDeadLetters(admin: Admin, groupId: string): Promise<number> {
  const ranges = await readRanges(admin, replayGroupOf(groupId));
  return ranges.reduce((sum, { from, high }) => sum + Number(high - from), 0);
}

const replayGroupOf = (groupId: string) => `${groupId}-replay`;

/** Partitions with letters that were not put back, and where they end now. */
async function readRanges(admin: Admin, groupId: string) {
  if (!(await admin.listTopics()).includes(DEAD_LETTERS_TOPIC)) return [];
  const offsets = await admin.fetchTopicOffsets(DEAD_LETTERS_TOPIC);
  const [committed] = await admin.fetchOffsets({ groupId, topics: [DEAD_LETTERS_TOPIC] });
  const done = new Map(committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  return offsets
    .map(({ partition, low, high }) => {
      const from = done.get(partition) ?? -1n;
      return { partition, high: BigInt(high), from: from < BigInt(low) ? BigInt(low) : from };
    })
    .filter(({ from, high }) => from < high);
}

function sourceOf({ key, value, timestamp, headers = {} }: KafkaMessage) {
  const { [HEADERS.topic]: topicHeader, [HEADERS.partition]: partition, [HEADERS.offset]: offset, ...others } = headers;
  delete others[HEADERS.reason];
  const topic = String(topicHeader ?? '');
  if (signalOfTopic(topic) === undefined || value === null) return undefined;
  const message: Message = { key, value, timestamp, headers: others };
  return { topic, name: `${topic}/${partition}/${offset}`, message };
}
