/** Three independent lock nodes, of which one dies and comes back empty, and another stands still: claims stay exclusive and go on. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect } from 'vitest';
import { answerBy, openTestRedis, taskNamed } from './board.fixture.ts';
import type { RedisParts } from './open-redis.ts';
import { itOnRedis } from './redis.fixture.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const LEASE_MS = 60_000;
const WORKERS = 4;
const TASKS_A_PHASE = 40;

let store: RedisServer;
let nodes: RedisServer[];
let workers: RedisParts[];
beforeAll(async () => {
  [store, ...nodes] = await Promise.all([startRedis(), startRedis(), startRedis(), startRedis()]);
  const urls = nodes.map(({ path }) => path);
  workers = await Promise.all(Array.from({ length: WORKERS }, () => openTestRedis(store.path, ...urls)));
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await Promise.all([store, ...nodes].map((server) => server.stop()));
});

/** Posts tasks and lets all workers claim them at once; answers how often each was given out. No lease runs out meanwhile. */
async function workThrough(phase: string): Promise<number[]> {
  const investigationId = `inv ${phase}`;
  const given = new Map<string, number>();
  const tasks = Array.from({ length: TASKS_A_PHASE }, (_, index) => taskNamed(investigationId, `task_${index}`));
  let left = tasks.length;
  const done = new AbortController();
  await workers[0]?.contextStore.postTasks(investigationId, tasks);
  const work = async ({ contextStore }: RedisParts, index: number) => {
    while (left > 0) {
      const claim = await contextStore.claimNext(['metrics-agent'], `worker ${index}`, LEASE_MS);
      if (!claim) {
        await contextStore.awaitOpenTasks(['metrics-agent'], done.signal).catch(() => expect(left).toBe(0));
        continue;
      }
      given.set(claim.task.taskId, (given.get(claim.task.taskId) ?? 0) + 1);
      expect(await contextStore.completeTask(claim, answerBy(`worker ${index}`, claim))).toBe('accepted');
      left -= 1;
      if (left === 0) done.abort();
    }
  };
  await Promise.all(workers.map(work));
  return [...given.values()];
}

itOnRedis('goes on with one node dead, with it back and empty, and with another that stands still', async () => {
  const once = Array.from({ length: TASKS_A_PHASE }, () => 1);
  expect(await workThrough('all there')).toEqual(once);
  const held = await claimOne('held since before');
  await nodes[0]?.kill();
  expect(await workThrough('one dead')).toEqual(once);
  await nodes[0]?.restart();
  await untilConnected(nodes[0]);
  expect(await workThrough('back and empty')).toEqual(once);
  nodes[1]?.signal('SIGSTOP');
  expect(await workThrough('another stands still')).toEqual(once);
  // Of its lock only one node of three still tells: what keeps it exclusive is the store's own record of the lease.
  expect(
    await workers[1]?.contextStore.claimTask(held.task.investigationId, 'task_0', 'thief', LEASE_MS),
  ).toBeUndefined();
  expect(await workers[0]?.contextStore.extendClaim(held, LEASE_MS)).toMatchObject({ token: held.token });
  nodes[1]?.signal('SIGCONT');
});

itOnRedis('claims nothing while most nodes are away, says so, and goes on when they are back', async () => {
  await Promise.all([nodes[0]?.kill(), nodes[1]?.kill()]);
  const [worker] = workers;
  await worker?.contextStore.postTasks('inv away', [taskNamed('inv away', 'task_0')]);
  const claim = () => worker?.contextStore.claimTask('inv away', 'task_0', 'worker', LEASE_MS);
  await expect(claim()).rejects.toMatchObject({ name: 'UnavailableError', retryable: true });
  await Promise.all([nodes[0]?.restart(), nodes[1]?.restart()]);
  await expect
    .poll(() => claim()?.catch(() => undefined), { timeout: 20_000 })
    .toMatchObject({ token: expect.any(Number) });
});

/** All workers have found the node again. */
async function untilConnected(node: RedisServer | undefined): Promise<void> {
  const admin = new Redis(node?.path ?? '');
  try {
    const countClients = async () =>
      String(await admin.client('LIST'))
        .trim()
        .split('\n').length;
    await expect.poll(countClients, { timeout: 20_000 }).toBe(WORKERS + 1);
  } finally {
    admin.disconnect();
  }
}

async function claimOne(investigationId: string) {
  const contextStore = workers[0]?.contextStore ?? expect.fail('no worker');
  await contextStore.postTasks(investigationId, [taskNamed(investigationId, 'task_0')]);
  return (
    (await contextStore.claimTask(investigationId, 'task_0', 'holder', LEASE_MS)) ??
    expect.fail('the task is not claimed')
  );
}
