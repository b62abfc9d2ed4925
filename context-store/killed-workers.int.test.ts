/** Eight workers and many tasks, while workers are killed and frozen at random: every task ends with exactly one answer. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect } from 'vitest';
import { RandomStream } from '../simulator/random-stream.ts';
import { openTestRedis, taskNamed } from './board.fixture.ts';
import type { WorkerMessage } from './claim-worker.fixture.ts';
import type { RedisParts } from './open-redis.ts';
import { itOnRedis } from './redis.fixture.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const WORKERS = 8;
const TASKS_A_WORKER = 200;
const TASKS = WORKERS * TASKS_A_WORKER;
const LEASE_MS = 300;
const FROZEN_MS = 2 * LEASE_MS;
const WORK_MS = 15;
const LANES = 3;
/** An accident after so many more answers: two in three workers freeze, one is killed and replaced. */
const ANSWERS_BETWEEN_ACCIDENTS = 100;
const SEED = 6;

let server: RedisServer;
let parts: RedisParts;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  parts = await openTestRedis(server.path);
  admin = new Redis(server.path);
});
afterAll(async () => {
  for (const { child } of workers) child.kill('SIGKILL');
  await parts.close();
  admin.disconnect();
  await server.stop();
});

interface WorkerProcess {
  readonly child: ChildProcess;
  isFrozen: boolean;
}
let workers: WorkerProcess[] = [];
const figures = { accepted: 0, stale: 0, kills: 0, freezes: 0 };
let onAccepted = () => {};

async function startWorker(number: number): Promise<WorkerProcess> {
  const script = fileURLToPath(new URL('./claim-worker.fixture.ts', import.meta.url));
  const child = fork(script, [server.path, `worker ${number}`, `${LEASE_MS}`, `${WORK_MS}`, `${LANES}`]);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  child.on('message', (message: WorkerMessage) => {
    if (message === 'ready') return resolve();
    figures[message] += 1;
    if (message === 'accepted') onAccepted();
  });
  await ready;
  return { child, isFrozen: false };
}

async function kill(worker: WorkerProcess, number: number): Promise<void> {
  figures.kills += 1;
  const gone = once(worker.child, 'exit');
  worker.child.kill('SIGKILL');
  await gone;
  workers[workers.indexOf(worker)] = await startWorker(number);
}

async function freeze(worker: WorkerProcess): Promise<void> {
  figures.freezes += 1;
  worker.isFrozen = true;
  worker.child.kill('SIGSTOP');
  await delay(FROZEN_MS); // its leases run out meanwhile
  worker.child.kill('SIGCONT');
  worker.isFrozen = false;
}

/** Kills and freezes as answers come in; resolves when every accident of the seed is over. */
function causeAccidents(): () => Promise<void> {
  const random = RandomStream.fromSeed(SEED);
  const accidents: Promise<void>[] = [];
  onAccepted = () => {
    if (figures.accepted % ANSWERS_BETWEEN_ACCIDENTS !== 0) return;
    const awake = workers.filter(({ isFrozen }) => !isFrozen);
    const victim = awake[random.below(Math.max(1, awake.length))];
    if (!victim) return;
    accidents.push(random.next() < 2 / 3 ? freeze(victim) : kill(victim, WORKERS + accidents.length));
  };
  return async () => {
    await Promise.all(accidents);
  };
}

async function readBoards() {
  return Promise.all(Array.from({ length: WORKERS }, (_, board) => parts.contextStore.readBoard(`inv_${board}`)));
}

itOnRedis('loses no task and accepts no answer twice', { timeout: 60_000 }, async () => {
  workers = await Promise.all(Array.from({ length: WORKERS }, (_, number) => startWorker(number)));
  const accidentsOver = causeAccidents();
  const startedMs = performance.now();
  for (let board = 0; board < WORKERS; board++) {
    const investigationId = `inv_${board}`;
    const tasks = Array.from({ length: TASKS_A_WORKER }, (_, task) => taskNamed(investigationId, `task_${task}`));
    await parts.contextStore.postTasks(investigationId, tasks);
  }
  const countDone = async () =>
    (await readBoards()).flatMap(({ tasks }) => tasks).filter(({ status }) => status === 'done').length;
  await expect.poll(countDone, { timeout: 50_000, interval: 200 }).toBe(TASKS);
  const tookMs = performance.now() - startedMs;
  await accidentsOver();
  await Promise.all(
    workers.map(async ({ child }) => {
      const gone = once(child, 'exit');
      child.send('end');
      expect(await gone).toEqual([0, null]);
    }),
  );
  const answers = (await readBoards()).flatMap(({ findings }, board) =>
    findings.map(({ taskId }) => `inv_${board} ${taskId}`),
  );
  expect(new Set(answers).size).toBe(TASKS);
  expect(answers).toHaveLength(TASKS);
  const executions = Object.values(await admin.hgetall('executions')).map(Number);
  const twice = executions.filter((times) => times > 1).length;
  expect(figures.kills).toBeGreaterThan(0);
  expect(figures.freezes).toBeGreaterThan(0);
  const rate = Math.round(TASKS / (tookMs / 1_000));
  process.stderr.write(
    `${TASKS} tasks, ${WORKERS} workers: ${rate} tasks/s; ${figures.kills} killed, ${figures.freezes} frozen, ` +
      `${figures.stale} stale answers refused, ${twice} tasks worked on twice\n`,
  );
});
