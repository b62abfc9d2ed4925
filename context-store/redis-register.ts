/** Small texts that many processes change, one after the other. Redis may lose them: what must outlive it is kept elsewhere, too. */
import type { Redis } from 'ioredis';
import { askRedis } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';
import { createScriptRunner } from './redis-scripts.ts';

export interface Register {
  get(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /**
   * Puts `text` where `expected` stands (undefined: nothing) and answers what stands now, and whether this call put it there. One that
   * had no answer (UnavailableError) may have put it there all the same.
   */
  compareAndSet(
    name: string,
    expected: string | undefined,
    text: string,
    signal?: AbortSignal,
  ): Promise<{ readonly isSet: boolean; readonly standing: string | undefined }>;
}

/** Nobody touched it for so long. */
const TTL_MS = 400 * 86_400_000;

export function createRedisRegister(redis: Redis, keys: RedisKeys): Register {
  const runScript = createScriptRunner(redis);
  return {
    get: async (name, signal) => {
      signal?.throwIfAborted();
      return (await askRedis(() => redis.get(keys.register(name)))) ?? undefined;
    },
    compareAndSet: async (name, expected, text, signal) => {
      const values = [TTL_MS, text, ...(expected === undefined ? [] : [expected])];
      const answer = await runScript('compare-and-set', [keys.register(name)], values, signal);
      if (!Array.isArray(answer)) return { isSet: false, standing: undefined };
      return { isSet: answer[0] === 'set', standing: String(answer[1]) };
    },
  };
}
