/** The context store and the registry of workers on a real Redis, through the suites that those in memory pass. */
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import type { createManualClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { describeContextStore } from './context-store.contract.ts';
import { ageRedis, describeOnRedis } from './redis.fixture.ts';
import { connectRedis, untilReady } from './redis-connection.ts';
import { createRedisContextStore } from './redis-context-store.ts';
import { createRedisKeys } from './redis-keys.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { createRedisWorkerRegistry } from './redis-worker-registry.ts';
import { createTaskLocks } from './task-locks.ts';
import { describeWorkerRegistry } from './worker-registry.contract.ts';

const logger = silentLogger;
const keys = createRedisKeys('test');
let server: RedisServer;
let connections: Redis[] = [];
beforeAll(async () => {
  // One node that has every slot of a cluster: it refuses whatever a cluster would refuse.
  server = await startRedis('--cluster-enabled', 'yes');
  const redis = await connect();
  await redis.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  const isUp = async () => expect(await redis.call('CLUSTER', 'INFO')).toContain('cluster_state:ok');
  await vi.waitFor(isUp, { timeout: 20_000 });
});
afterEach(() => {
  for (const redis of connections) redis.disconnect();
  connections = [];
});
afterAll(() => server.stop());

async function connect(): Promise<Redis> {
  const redis = connectRedis({ url: server.path, logger, timeoutMs: 10_000 });
  connections.push(redis);
  await untilReady(redis, 10_000);
  return redis;
}

/** An empty server whose time moves with the suite's clock. */
async function connectTo(clock: ReturnType<typeof createManualClock>): Promise<Redis> {
  const redis = await connect();
  await redis.flushall();
  const { advance } = clock;
  clock.advance = (ms) => {
    advance(ms);
    void ageRedis(redis, ms);
  };
  return redis;
}

describeOnRedis('on Redis', () => {
  describeContextStore('redis context store', async ({ clock, limits }) => {
    const redis = await connectTo(clock);
    return createRedisContextStore({ redis, locks: createTaskLocks([redis]), keys, clock, logger, limits });
  });

  describeWorkerRegistry('redis worker registry', async (clock) =>
    createRedisWorkerRegistry(await connectTo(clock), keys),
  );
});
