/** Work that only one process may do at a time for each shard, such as scanning it for anomalies. */
import { type Clock, systemClock } from '../platform/clock.ts';

export interface ShardLock {
  /**
   * Runs `work` if nobody has the shard, and keeps it until the work settles; otherwise resolves with undefined at once. The
   * signal given to `work` aborts with the caller's, or when the shard was lost to another. A process that stood still notices
   * that too late: what must not be written by such a one is written under the token, and refused where a greater one was seen.
   * Tokens grow with the clock and past `floor`, the greatest one that the caller knows of: a lock that lost its memory, or
   * whose clock was set back, still gives one that wins.
   */
  runExclusively<T>(
    shard: string,
    work: (signal: AbortSignal, token: number) => Promise<T>,
    signal: AbortSignal,
    floor?: number,
  ): Promise<T | undefined>;
}

/** Among everybody in this process; tokens follow the clock, so that they grow from one process to the next. */
export function createMemoryShardLock(clock: Clock = systemClock): ShardLock {
  const held = new Set<string>();
  let lastToken = 0;
  return {
    runExclusively: async (shard, work, signal, floor = 0) => {
      if (held.has(shard)) return undefined;
      held.add(shard);
      try {
        lastToken = Math.max(lastToken + 1, floor + 1, clock.nowMs() * 1_000);
        return await work(signal, lastToken);
      } finally {
        held.delete(shard);
      }
    },
  };
}
