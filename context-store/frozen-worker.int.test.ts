/** A worker that stands still past its lease and wakes up changes nothing, neither before nor after the task is answered by another. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect } from 'vitest';
import { answerBy, openTestRedis, taskNamed } from './board.fixture.ts';
import type { Claim } from './context-store.ts';
import type { RedisParts } from './open-redis.ts';
import { itOnRedis } from './redis.fixture.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const FROZEN_LEASE_MS = 200;
const LEASE_MS = 60_000;
const INVESTIGATION = 'inv_1';

let server: RedisServer;
let parts: RedisParts;
let worker: ChildProcess;
beforeEach(async () => {
  server = await startRedis();
  parts = await openTestRedis(server.path);
});
afterEach(async () => {
  worker.kill('SIGKILL');
  await parts.close();
  await server.stop();
});

/** Resolves when the worker stands still and somebody else has its task. */
async function takeOver(): Promise<Claim> {
  const { contextStore } = parts;
  await contextStore.postTasks(INVESTIGATION, [taskNamed(INVESTIGATION, 'task_1')]);
  const script = fileURLToPath(new URL('./frozen-worker.fixture.ts', import.meta.url));
  worker = fork(script, [server.path, INVESTIGATION, 'task_1', `${FROZEN_LEASE_MS}`]);
  expect(await once(worker, 'message')).toMatchObject(['claimed', undefined]);
  worker.kill('SIGSTOP');
  for (;;) {
    await contextStore.awaitOpenTasks(['metrics-agent'], AbortSignal.timeout(30_000));
    const claim = await contextStore.claimNext(['metrics-agent'], 'awake', LEASE_MS);
    if (claim) return claim;
  }
}

itOnRedis.each(['answered', 'still worked on'])('changes nothing of a task that is %s', async (stage) => {
  const { contextStore } = parts;
  const claim = await takeOver();
  if (stage === 'answered') expect(await contextStore.completeTask(claim, answerBy('awake', claim))).toBe('accepted');
  const before = await contextStore.readBoard(INVESTIGATION);
  const told = once(worker, 'message');
  worker.send('go');
  worker.kill('SIGCONT');
  const [outcome] = await told;
  expect(outcome).toEqual({ isWarned: expect.any(Boolean), completed: 'stale', extended: 'stale', next: 'nothing' });
  expect(await contextStore.readBoard(INVESTIGATION)).toEqual(before);
  if (stage === 'answered') return;
  expect(await contextStore.completeTask(claim, answerBy('awake', claim))).toBe('accepted');
  const { findings } = await contextStore.readBoard(INVESTIGATION);
  expect(findings.map(({ findingId }) => findingId)).toEqual([`task_1 ${claim.token} awake`]);
});
