/** Work that only one process may do at a time for each shard, such as scanning it for anomalies. */

export interface ShardLock {
  /**
   * Runs `work` if nobody has the shard, and keeps it until the work settles; otherwise resolves with undefined at once. The
   * signal given to `work` aborts with the caller's, or when the shard was lost to another.
   */
  runExclusively<T>(
    shard: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined>;
}

/** Among everybody in this process. */
export function createMemoryShardLock(): ShardLock {
  const held = new Set<string>();
  return {
    runExclusively: async (shard, work, signal) => {
      if (held.has(shard)) return undefined;
      held.add(shard);
      try {
        return await work(signal);
      } finally {
        held.delete(shard);
      }
    },
  };
}
