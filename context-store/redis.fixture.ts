/**
 * For tests on a real Redis: they are skipped, with the reason printed, where there is none, unless INQUEST_REQUIRE_SERVICES makes
 * that a failure; and leases that a test can age.
 */
import { Redis } from 'ioredis';
import { describe, it } from 'vitest';
import { type Progress, progressSchema } from '../domain/investigation.ts';
import { whyNoRedis } from './redis-server.ts';

// biome-ignore lint/style/noProcessEnv: no setting of the product; only tests read it
const missing = whyNoRedis(Boolean(process.env['INQUEST_REQUIRE_SERVICES']));
if (missing !== undefined) process.stderr.write(`skipped: ${missing}\n`);

export const itOnRedis = it.skipIf(missing !== undefined);
export const describeOnRedis = describe.skipIf(missing !== undefined);

/** Makes every lease, lock and heartbeat on the server look so much older; in order with the connection's other commands. */
export async function ageRedis(redis: Redis, byMs: number): Promise<void> {
  await redis.eval(AGE, 0, byMs);
}

/** The same for whoever has no connection of their own. */
export async function ageServer(path: string, byMs: number): Promise<void> {
  const admin = new Redis(path);
  try {
    await ageRedis(admin, byMs);
  } finally {
    admin.disconnect();
  }
}

/** Forgets everything, as after a crash without persistence. */
export async function flushServer(path: string): Promise<void> {
  const admin = new Redis(path);
  try {
    await admin.flushall();
  } finally {
    admin.disconnect();
  }
}

/** Tells everything that is announced of any investigation; returns how to stop. */
export async function watchServer(path: string, listener: (progress: Progress) => void): Promise<() => void> {
  const watcher = new Redis(path);
  watcher.on('pmessage', (_pattern, _channel, text) => listener(progressSchema.parse(JSON.parse(text))));
  await watcher.psubscribe('inquest:*:progress');
  return () => watcher.disconnect();
}

const AGE = `
local by = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', 'inquest:*')) do
  if string.find(key, ':lock:') then redis.call('PEXPIRE', key, redis.call('PTTL', key) - by) end
  local kind = redis.call('TYPE', key).ok
  if kind == 'zset' then
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -by, member) end
  elseif kind == 'hash' then
    local all = redis.call('HGETALL', key)
    for index = 1, #all, 2 do
      local field, value = all[index], all[index + 1]
      if string.find(field, '^until:') then redis.call('HINCRBY', key, field, -by) end
      if string.find(key, '{workers}') then
        local ends, rest = string.match(value, '^(%d+)(.*)$')
        redis.call('HSET', key, field, string.format('%.0f', ends - by) .. rest)
      end
    end
  end
end`;
