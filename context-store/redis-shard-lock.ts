/** One process at a time, among all that share the lock nodes; tokens come from the store, which outlives a lock node. */
import type { Redis } from 'ioredis';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { RedisKeys } from './redis-keys.ts';
import { createScriptRunner } from './redis-scripts.ts';
import type { ShardLock } from './shard-lock.ts';
import type { HeldLock, TaskLocks } from './task-locks.ts';

export interface RedisShardLockParts {
  /** The store's. */
  readonly redis: Redis;
  readonly locks: TaskLocks;
  readonly keys: RedisKeys;
  readonly logger: Logger;
  /** A process that dies or freezes holds a shard for so long at the most. */
  readonly leaseMs?: number;
}

const LEASE_MS = 10_000;
const TOKEN_TTL_MS = 7 * 86_400_000;

/** A process that was frozen past its lease may do a little before it notices: what it writes must be safe to write twice. */
export function createRedisShardLock({
  redis,
  locks,
  keys,
  logger,
  leaseMs = LEASE_MS,
}: RedisShardLockParts): ShardLock {
  const runScript = createScriptRunner(redis);
  return {
    runExclusively: async (shard, work, signal, floor = 0) => {
      signal.throwIfAborted();
      const lock = await locks.acquire(keys.shardLock(shard), leaseMs);
      if (!lock) return undefined;
      const lost = new AbortController();
      const stopProlonging = prolong(lock, leaseMs, lost, (error) =>
        logger.warn({ shard, reason: errorMessage(error) }, 'the lock of a shard could not be prolonged'),
      );
      try {
        const token = Number(await runScript('issue-token', [keys.shardToken(shard)], [TOKEN_TTL_MS, floor], signal));
        return await work(AbortSignal.any([signal, lost.signal]), token);
      } finally {
        stopProlonging();
        await lock.release();
      }
    },
  };
}

/** Nodes that are away are asked again at the next beat: the lease covers three of them. */
function prolong(lock: HeldLock, leaseMs: number, lost: AbortController, onAway: (error: unknown) => void): () => void {
  let expiresAtMs = performance.now() + leaseMs;
  const beat = setInterval(async () => {
    try {
      const askedAtMs = performance.now();
      if (await lock.extend(leaseMs)) expiresAtMs = askedAtMs + leaseMs;
      else lost.abort(new DOMException('the shard was lost to another process', 'AbortError'));
    } catch (error) {
      onAway(error);
      if (performance.now() > expiresAtMs) lost.abort(new DOMException('the lease of the shard ran out', 'AbortError'));
    }
  }, leaseMs / 3);
  return () => clearInterval(beat);
}
