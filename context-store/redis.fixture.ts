/** A real redis-server of the test's own, on a socket in a temporary directory, whose leases a test can age. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { UnavailableError } from '../platform/errors.ts';

export interface RedisServer {
  readonly path: string;
  signal(name: NodeJS.Signals): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** Again on the same path, empty. */
  restart(): Promise<void>;
  /** For good, with its directory. */
  stop(): Promise<void>;
}

export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'inquest-redis-'));
  const path = join(directory, 'redis.sock');
  const all = ['--port', '0', '--unixsocket', path, '--dir', directory, '--save', '', ...settings];
  let server = await startServer(all);
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  return {
    path,
    signal: (name) => server.kill(name),
    kill,
    restart: async () => {
      await kill();
      server = await startServer(all);
    },
    stop: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startServer(settings: readonly string[]) {
  const server = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const chunk of server.stdout) {
    if (!String(chunk).includes('ready to accept connections')) continue;
    server.stdout.resume();
    return server;
  }
  throw new UnavailableError('redis-server ended before it was ready');
}

/** Makes every lease, lock and heartbeat on the server look so much older; in order with the connection's other commands. */
export async function ageRedis(redis: Redis, byMs: number): Promise<void> {
  await redis.eval(AGE, 0, byMs);
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
