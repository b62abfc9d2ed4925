/** A Redis that forgets, is killed, stands still, or was written to by another version. */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, vi } from 'vitest';
import type { Progress } from '../domain/investigation.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { answerBy, openTestRedis, taskNamed } from './board.fixture.ts';
import type { Claim, ContextStore } from './context-store.ts';
import { openRedis, type RedisParts } from './open-redis.ts';
import { itOnRedis } from './redis.fixture.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const LEASE_MS = 10_000;
const INVESTIGATION = 'inv_1';
const TASK = taskNamed(INVESTIGATION, 'task_1');
const LOST = { name: 'UnavailableError', code: 'board-lost', retryable: true };
const AWAY = { name: 'UnavailableError', code: 'context-store-away', retryable: true };

let server: RedisServer;
let admin: Redis;
let parts: RedisParts;
let store: ContextStore;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.path);
  admin.on('error', () => undefined);
});
beforeEach(async () => {
  await admin.flushall();
  parts = await openTestRedis(server.path);
  store = parts.contextStore;
  await store.postTasks(INVESTIGATION, [TASK]);
});
afterEach(() => parts.close());
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function claim(): Promise<Claim> {
  return (await store.claimTask(INVESTIGATION, 'task_1', 'worker', LEASE_MS)) ?? expect.fail('not claimed');
}

itOnRedis('tells a board that was lost from one that never was, and from one that was dropped', async () => {
  const held = await claim();
  await admin.flushall();
  await expect(store.readBoard(INVESTIGATION)).rejects.toMatchObject(LOST);
  await expect(store.claimTask(INVESTIGATION, 'task_1', 'worker', LEASE_MS)).rejects.toMatchObject(LOST);
  expect((await store.readBoard('inv_unknown')).tasks).toEqual([]);
  expect(await store.extendClaim(held, LEASE_MS)).toBe('stale');
  expect(await store.completeTask(held, answerBy('worker', held))).toBe('stale');
  await store.postTasks(INVESTIGATION, [TASK]);
  expect((await store.readBoard(INVESTIGATION)).tasks).toEqual([{ task: TASK, status: 'open', gaps: [] }]);
  await store.dropBoard(INVESTIGATION);
  expect((await store.readBoard(INVESTIGATION)).tasks).toEqual([]);
});

itOnRedis('gives no claim of a new board the token of one of the lost board', async () => {
  const old = await claim();
  await store.releaseClaim(old);
  await admin.flushall();
  await store.postTasks(INVESTIGATION, [TASK]);
  const fresh = await claim();
  expect(fresh.token).toBeGreaterThan(old.token);
  expect(await store.completeTask(old, answerBy('old', old))).toBe('stale');
  expect(await store.completeTask(fresh, answerBy('fresh', fresh))).toBe('accepted');
});

itOnRedis('keeps nothing for ever', async () => {
  const held = await claim();
  await store.completeTask(held, answerBy('worker', held));
  await store.postTasks(INVESTIGATION, [taskNamed(INVESTIGATION, 'task_2')]);
  await store.postHypotheses(INVESTIGATION, 1, [], 1);
  await store.castVotes('inv_2', 'log-agent', [], 1);
  await store.dropBoard('inv_3');
  await store.claimTask(INVESTIGATION, 'task_2', 'worker', LEASE_MS);
  const worker = { workerId: 'w', host: 'here', pid: 1, roles: [], concurrency: 1, holding: [], startedAtMs: 1 };
  await parts.workers.beat(worker, 1_000);
  const keys = await admin.keys('*');
  expect(keys.length).toBeGreaterThanOrEqual(6);
  for (const key of keys) expect([key, await admin.pttl(key)]).toEqual([key, expect.toSatisfy((ms) => ms > 0)]);
});

itOnRedis('refuses a board of another version, and leaves it alone', async () => {
  const key = `inquest:test:{${INVESTIGATION}}:board`;
  await admin.hset(key, 'schema', '99');
  const before = await admin.hgetall(key);
  const refusal = { name: 'ConfigError', message: expect.stringContaining('another version of Inquest (schema 99') };
  await expect(store.readBoard(INVESTIGATION)).rejects.toMatchObject(refusal);
  await expect(store.postTasks(INVESTIGATION, [])).rejects.toMatchObject(refusal);
  await expect(claim()).rejects.toMatchObject(refusal);
  await expect(store.dropBoard(INVESTIGATION)).rejects.toMatchObject(refusal);
  expect(await admin.hgetall(key)).toEqual(before);
});

itOnRedis('warns of a server that evicts, and of a board that it lost', async () => {
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  onTestFinished(async () => void (await admin.config('SET', 'maxmemory-policy', 'noeviction')));
  const lines: string[] = [];
  const ignore = () => undefined;
  const warn = (...texts: unknown[]) => void lines.push(JSON.stringify(texts));
  const logger: Logger = { debug: ignore, info: ignore, warn, error: ignore, child: () => logger };
  const options = { url: server.path, lockUrls: [], namespace: 'test', clock: systemClock, logger };
  const warned = await openRedis(options);
  onTestFinished(() => warned.close());
  expect(lines).toEqual([expect.stringContaining('allkeys-lru')]);
  await warned.contextStore.readBoard(INVESTIGATION);
  await admin.flushall();
  await warned.contextStore.postTasks(INVESTIGATION, [TASK]);
  expect(lines).toEqual([expect.anything(), expect.stringContaining('has lost the board')]);
});

itOnRedis.each<[string, () => Promise<void>, () => Promise<void>]>([
  ['killed and started again', () => server.kill(), () => server.restart()],
  ['frozen and woken', async () => server.signal('SIGSTOP'), async () => server.signal('SIGCONT')],
])('rejects at once while Redis is %s, and goes on by itself after', async (_, goAway, comeBack) => {
  const heard: string[] = [];
  const progress: Progress = { investigationId: 'inv_9', atMs: 1, actor: 'log-agent', kind: 'finding', message: 'm' };
  await store.subscribe('inv_9', ({ message }) => heard.push(message));
  await goAway();
  onTestFinished(comeBack);
  await expect(store.readBoard('inv_9')).rejects.toMatchObject(AWAY);
  await expect(store.claimTask('inv_9', 'task_1', 'worker', LEASE_MS)).rejects.toMatchObject(AWAY);
  await expect(store.postTasks('inv_9', [])).rejects.toMatchObject(AWAY);
  await expect(store.awaitOpenTasks(['log-agent'], AbortSignal.timeout(10_000))).rejects.toMatchObject(AWAY);
  await store.announce(progress);
  await comeBack();
  await vi.waitFor(() => store.postTasks('inv_9', [taskNamed('inv_9', 'task_1')]), { timeout: 20_000 });
  const claimAgain = async () =>
    expect(await store.claimNext(['metrics-agent'], 'worker', LEASE_MS)).toMatchObject({ token: expect.any(Number) });
  await vi.waitFor(claimAgain, { timeout: 20_000 });
  const isHeard = async () => {
    await store.announce({ ...progress, message: 'back' });
    expect(heard).toContain('back');
  };
  await vi.waitFor(isHeard, { timeout: 20_000 });
});
