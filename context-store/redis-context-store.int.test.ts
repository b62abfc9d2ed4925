/** The context store on a real Redis, through the suite that the one in memory passes. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import type { Clock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { describeContextStore } from './context-store.contract.ts';
import { type RedisServer, startRedis } from './redis.fixture.ts';
import { createRedisContextStore } from './redis-context-store.ts';
import { createTaskLocks } from './task-locks.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** The clock of the suite moves by hand; the locks' leases, which Redis counts, are made to move with it. */
function followClock(clock: Clock & { advance(ms: number): void }, redis: Redis): void {
  const { advance } = clock;
  clock.advance = (ms) => {
    advance(ms);
    void redis.eval(AGE_LOCKS, 0, ms);
  };
}
const AGE_LOCKS = `
for _, key in ipairs(redis.call('KEYS', 'inquest:v1:lock:*')) do
  redis.call('PEXPIRE', key, redis.call('PTTL', key) - tonumber(ARGV[1]))
end`;

describeContextStore('redis context store', async ({ clock, limits }) => {
  const redis = new Redis(server.path);
  await redis.flushall();
  followClock(clock as Clock & { advance(ms: number): void }, redis);
  const locks = createTaskLocks([redis]);
  return createRedisContextStore({ redis, locks, clock, logger: silentLogger, limits });
});
