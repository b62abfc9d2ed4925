/** The workers of every process that shares a Redis: one small hash, kept by those who are in it. */
import type { Redis } from 'ioredis';
import { workerSchema } from '../domain/worker.ts';
import { LimitError } from '../platform/errors.ts';
import { parse } from './redis-board.ts';
import type { RedisKeys } from './redis-keys.ts';
import { createScriptRunner } from './redis-scripts.ts';
import { byId, type WorkerRegistry } from './worker-registry.ts';

const MAX_WORKERS = 1_000;

export function createRedisWorkerRegistry(redis: Redis, keys: RedisKeys): WorkerRegistry {
  const runScript = createScriptRunner(redis);
  return {
    beat: async (worker, ttlMs, signal) => {
      const values = [worker.workerId, JSON.stringify(worker), ttlMs, MAX_WORKERS];
      if ((await runScript('beat-worker', [keys.workers], values, signal)) === 'ok') return;
      throw new LimitError(`There are ${MAX_WORKERS} workers already.`, { details: { maxWorkers: MAX_WORKERS } });
    },
    listWorkers: async (signal) => {
      const answer = await runScript('list-workers', [keys.workers], [], signal);
      const texts = typeof answer === 'string' ? [answer] : answer;
      return byId(texts.map((text) => parse(workerSchema, String(text), keys.workers)));
    },
  };
}
