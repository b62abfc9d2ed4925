/**
 * Which partitions a member of the group owns, and where in each of them it is. Positions are read when partitions are
 * assigned, before anything is fetched: a fetch beyond what the broker still has makes kafkajs forget what was recorded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Consumer, KafkaMessage } from 'kafkajs';
import { errorMessage } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { type BatchBoundary, readBoundary } from './batch-boundary.ts';

/** What this member knows of a partition it owns in this generation of the group. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to store. */
  next: bigint;
  /** The next offset to fetch: beyond `next` when messages wait. */
  fetched: bigint;
  /** Begun by a former owner, or failed: to be stored as it was recorded. */
  begun: BatchBoundary | undefined;
  /** Fetched, and not yet as much as `begun` takes. */
  waiting: KafkaMessage[];
  /** Where it was last sent back to. */
  sentTo: bigint | undefined;
}

export interface Membership {
  /** Rises whenever partitions may have moved: what was begun before may belong to somebody else. */
  generation(): number;
  /** Undefined when it is not this member's, or not known yet. */
  positionOf(topic: string, partition: number): Position | undefined;
  leave(): void;
}

export interface FollowOptions {
  readonly consumer: Consumer;
  readonly admin: Admin;
  readonly groupId: string;
  readonly logger: Logger;
  /** Offsets that the broker deleted before they were read. */
  readonly onExpired: (position: Position, from: bigint, to: bigint) => void;
}

type Assignment = Readonly<Record<string, readonly number[]>>;

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

export function followGroup({ consumer, admin, groupId, logger, onExpired }: FollowOptions): Membership {
  let generation = 0;
  let positions = new Map<string, Position>();

  /** Nothing is fetched before the positions are there; the group's client goes on with its heartbeats. */
  async function takeOver(assignment: Assignment): Promise<void> {
    generation++;
    positions = new Map();
    const mine = generation;
    const partitions = Object.entries(assignment).map(([topic, ofTopic]) => ({ topic, partitions: [...ofTopic] }));
    consumer.pause(partitions);
    for (let pauseMs = FIRST_PAUSE_MS; mine === generation; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        const read = await readPositions(admin, groupId, assignment);
        if (mine === generation) begin(read, partitions);
        return;
      } catch (error) {
        logger.warn({ reason: errorMessage(error), pauseMs }, 'Kafka does not say yet where its group is');
        await delay(pauseMs);
      }
    }
  }

  function begin(read: readonly LogRange[], partitions: { topic: string; partitions: number[] }[]): void {
    for (const { position, low } of read) {
      positions.set(nameOf(position), position);
      if (position.next < low) {
        if (position.next >= 0n) onExpired(position, position.next, low);
        position.next = low;
        position.fetched = low;
      }
      consumer.seek({ topic: position.topic, partition: position.partition, offset: position.next.toString() });
    }
    consumer.resume(partitions);
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => takeOver(payload.memberAssignment));
  const drop = () => {
    generation++;
    positions = new Map();
  };
  consumer.on(consumer.events.REBALANCING, drop);
  return {
    generation: () => generation,
    positionOf: (topic, partition) => positions.get(nameOf({ topic, partition })),
    leave: drop,
  };
}

const nameOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;

interface LogRange {
  readonly position: Position;
  /** The first offset that the broker still has. */
  readonly low: bigint;
}

async function readPositions(admin: Admin, groupId: string, assignment: Assignment): Promise<LogRange[]> {
  const topics = Object.keys(assignment);
  if (topics.length === 0) return [];
  const committed = await admin.fetchOffsets({ groupId, topics });
  const ofTopics = topics.map(async (topic) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    const known = committed.find((each) => each.topic === topic)?.partitions ?? [];
    return (assignment[topic] ?? []).map((partition): LogRange => {
      const mine = known.find((each) => each.partition === partition);
      const next = BigInt(mine?.offset ?? -1);
      const begun = readBoundary(next, mine?.metadata);
      const low = BigInt(offsets.find((each) => each.partition === partition)?.low ?? 0);
      const position = { topic, partition, next, fetched: next, begun, waiting: [], sentTo: undefined };
      return { position, low };
    });
  });
  return (await Promise.all(ofTopics)).flat();
}
