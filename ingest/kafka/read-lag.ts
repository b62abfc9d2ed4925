/** How far a group of consumers is behind. */
import type { Admin } from 'kafkajs';
import { TOPICS } from './kafka-settings.ts';

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Messages that are not stored yet. */
  readonly lag: number;
}

/** Of all our topics that exist; a partition that nobody has committed for counts from its beginning. */
export async function readLag(admin: Admin, groupId: string): Promise<PartitionLag[]> {
  const existing = new Set(await admin.listTopics());
  const topics = Object.values(TOPICS).filter((topic) => existing.has(topic));
  if (topics.length === 0) return [];
  const committed = await admin.fetchOffsets({ groupId, topics });
  const lags: PartitionLag[] = [];
  for (const topic of topics) {
    const offsets = new Map(
      committed
        .find((each) => each.topic === topic)
        ?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]),
    );
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const next = offsets.get(partition) ?? -1n;
      const from = next < BigInt(low) ? BigInt(low) : next;
      lags.push({ topic, partition, lag: Number(BigInt(high) - from) });
    }
  }
  return lags;
}
