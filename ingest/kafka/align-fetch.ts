/**
 * Whether what was fetched continues what was stored. kafkajs may hand on what it had fetched before the partition moved, or jump
 * to where the log begins when its beginning is deleted: taken as it is, a batch would miss what is in between.
 */
import type { Admin, Batch, Consumer, KafkaMessage } from 'kafkajs';
import type { Logger } from '../../platform/logger.ts';
import type { FollowOptions, Position } from './follow-group.ts';

/** kafkajs's own class has it; its types do not say so. */
type FetchedBatch = Batch & { readonly fetchedOffset: string };

export interface AlignOptions extends Pick<FollowOptions, 'onExpired'> {
  readonly consumer: Pick<Consumer, 'seek'>;
  readonly admin: Pick<Admin, 'fetchTopicOffsets'>;
  readonly logger: Logger;
}

/** The messages that come next; undefined when the fetch is to be thrown away, and kafkajs was told where to go on. */
export async function alignFetch(
  options: AlignOptions,
  position: Position,
  batch: Batch,
): Promise<KafkaMessage[] | undefined> {
  const from = BigInt((batch as FetchedBatch).fetchedOffset);
  if (from !== position.fetched && !(await mayGoOn(options, position, from))) return undefined;
  const messages = batch.messages.filter(({ offset }) => BigInt(offset) >= position.fetched);
  if (messages.length > 0) return messages;
  sendBack(options.consumer, position);
  return undefined;
}

async function mayGoOn(options: AlignOptions, position: Position, from: bigint): Promise<boolean> {
  // It was sent here already: what it has passed over are aborted transactions, which nobody shows us.
  if (from > position.fetched && position.sentTo === position.fetched) return true;
  const { low, high } = await readRange(options.admin, position);
  if (position.fetched < low) {
    options.onExpired(position, position.fetched, low);
    position.fetched = low;
  } else if (from < position.fetched && position.fetched > high) {
    const { topic, partition, next } = position;
    const lost = { topic, partition, stored: `${next}`, end: `${high}` };
    options.logger.error(
      lost,
      'Kafka has lost messages that were stored already: its log was cut, and goes on from its end',
    );
    Object.assign(position, { next: high, fetched: high, begun: undefined, waiting: [] });
  } else if (from < position.fetched) return true;
  sendBack(options.consumer, position);
  return false;
}

function sendBack(consumer: AlignOptions['consumer'], position: Position): void {
  position.sentTo = position.fetched;
  const { topic, partition, fetched } = position;
  consumer.seek({ topic, partition, offset: fetched.toString() });
}

async function readRange(
  admin: AlignOptions['admin'],
  { topic, partition }: Position,
): Promise<{ low: bigint; high: bigint }> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const { low = '0', high = '0' } = offsets.find((each) => each.partition === partition) ?? {};
  return { low: BigInt(low), high: BigInt(high) };
}
