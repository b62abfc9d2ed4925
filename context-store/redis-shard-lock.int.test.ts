/** The lock of a shard on real lock nodes: three of them, of which one dies. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect } from 'vitest';
import { silentLogger } from '../platform/logger.ts';
import { describeOnRedis, itOnRedis } from './redis.fixture.ts';
import { createRedisKeys } from './redis-keys.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { createRedisShardLock } from './redis-shard-lock.ts';
import { describeShardLock } from './shard-lock.contract.ts';
import { createTaskLocks } from './task-locks.ts';

const NODES = 3;
let store: RedisServer;
let servers: RedisServer[];
const connections: Redis[] = [];

beforeAll(async () => {
  [store, ...servers] = await Promise.all([startRedis(), ...Array.from({ length: NODES }, () => startRedis())]);
});
afterAll(async () => {
  for (const connection of connections) connection.disconnect();
  await Promise.all([store, ...servers].map((server) => server.stop()));
});

function openLock(leaseMs?: number) {
  const nodes = servers.map(({ path }) => new Redis(path, { maxRetriesPerRequest: 0, retryStrategy: () => 50 }));
  for (const node of nodes) node.on('error', () => undefined);
  connections.push(...nodes);
  const redis = new Redis(store.path);
  connections.push(redis);
  const parts = { redis, locks: createTaskLocks(nodes), keys: createRedisKeys('test'), logger: silentLogger };
  return createRedisShardLock(leaseMs === undefined ? parts : { ...parts, leaseMs });
}

describeOnRedis('on Redis', () => {
  describeShardLock('redis shard lock', async () => [openLock(), openLock()]);
});

itOnRedis('stays exclusive past its lease, and with one node of three gone', async () => {
  const [one, other] = [openLock(300), openLock(300)];
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const { signal } = new AbortController();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const work = () => {
    begin();
    return over;
  };
  const first = one.runExclusively('long', work, signal);
  await begun;
  await servers[0]?.kill();
  const until = performance.now() + 1_000;
  while (performance.now() < until) {
    expect(await other.runExclusively('long', async () => 'stolen', signal)).toBeUndefined();
  }
  end();
  await first;
  await expect.poll(() => other.runExclusively('long', async () => 'mine', signal), { timeout: 2_000 }).toBe('mine');
});
