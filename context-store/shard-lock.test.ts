/** The lock in memory against the contract of both. */
import { describeShardLock } from './shard-lock.contract.ts';
import { createMemoryShardLock } from './shard-lock.ts';

describeShardLock('memory shard lock', async () => {
  const lock = createMemoryShardLock();
  return [lock, lock];
});
