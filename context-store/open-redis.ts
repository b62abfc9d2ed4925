/** Everything that processes share through Redis, on one connection for the store and one for each lock node. */
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { ContextStore } from './context-store.ts';
import { connectRedis, untilReady, warnOfEviction } from './redis-connection.ts';
import { createRedisContextStore } from './redis-context-store.ts';
import { createRedisKeys } from './redis-keys.ts';
import { createRedisRegister, type Register } from './redis-register.ts';
import { createRedisShardLock } from './redis-shard-lock.ts';
import { createRedisWorkerRegistry } from './redis-worker-registry.ts';
import type { ShardLock } from './shard-lock.ts';
import { createTaskLocks } from './task-locks.ts';
import type { WorkerRegistry } from './worker-registry.ts';

export interface RedisParts {
  readonly contextStore: ContextStore;
  readonly shardLock: ShardLock;
  readonly workers: WorkerRegistry;
  readonly register: Register;
  close(): Promise<void>;
}

export interface OpenRedisOptions {
  /** redis://, rediss:// or the path of a socket. */
  readonly url: string;
  /** Independent servers, an odd number of them; none: the store's own. */
  readonly lockUrls: readonly string[];
  /** Everything is kept apart from that of other databases. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A call that has no answer after so long has failed, though what it asked for may have been done. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 2_000;
/** A lock node that stands still delays nobody for longer than this. */
const LOCK_TIMEOUT_MS = 500;

/** Rejects with UnavailableError when the store's server does not answer; lock nodes may come later. */
export async function openRedis(options: OpenRedisOptions, signal?: AbortSignal): Promise<RedisParts> {
  const { url, lockUrls, namespace, clock, logger, timeoutMs = TIMEOUT_MS } = options;
  const redis = connectRedis({ url, logger, timeoutMs });
  const lockTimeoutMs = Math.min(timeoutMs, LOCK_TIMEOUT_MS);
  const nodes = (lockUrls.length === 0 ? [url] : lockUrls).map((lockUrl) =>
    connectRedis({ url: lockUrl, logger, timeoutMs: lockTimeoutMs }),
  );
  const connections = [redis, ...nodes];
  const disconnect = () => {
    for (const connection of connections) connection.disconnect();
  };
  try {
    await untilReady(redis, timeoutMs, signal);
    // Whoever opens may claim at once, where the nodes are there.
    await Promise.allSettled(nodes.map((node) => untilReady(node, lockTimeoutMs, signal)));
    signal?.throwIfAborted();
    await warnOfEviction(redis, logger);
  } catch (error) {
    disconnect();
    throw error;
  }
  const keys = createRedisKeys(namespace);
  const locks = createTaskLocks(nodes);
  const contextStore = createRedisContextStore({ redis, locks, keys, clock, logger });
  return {
    contextStore,
    shardLock: createRedisShardLock({ redis, locks, keys, logger }),
    workers: createRedisWorkerRegistry(redis, keys),
    register: createRedisRegister(redis, keys),
    close: async () => {
      await contextStore.close();
      disconnect();
    },
  };
}
