/** A held claim outlives its lease, and its work ends when somebody else has taken the task over. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Task } from '../domain/investigation.ts';
import { systemClock } from '../platform/clock.ts';
import type { Claim, ContextStore } from './context-store.ts';
import { holdClaim } from './hold-claim.ts';
import { createMemoryContextStore } from './memory-context-store.ts';

const WINDOW = { startMs: 1, endMs: 2 };
const TASK: Task = {
  taskId: 'task_1',
  investigationId: 'inv_1',
  agent: 'log-agent',
  round: 1,
  question: '',
  scope: {
    window: WINDOW,
    baseline: WINDOW,
    onsetMs: 1,
    onsetGrid: { firstMs: 1, stepSeconds: 20, count: 1 },
    calls: [],
    onsetReason: '',
    evidenceIds: [],
  },
  focus: [],
};

async function claimOne(leaseMs: number): Promise<{ store: ContextStore; claim: Claim }> {
  const store = createMemoryContextStore({ clock: systemClock });
  await store.postTasks('inv_1', [TASK]);
  const claim = await store.claimTask('inv_1', 'task_1', 'worker', leaseMs);
  return claim ? { store, claim } : expect.fail('not claimed');
}

it('keeps the lease alive while the work goes on', async () => {
  const leaseMs = 60;
  const { store, claim } = await claimOne(leaseMs);
  let beats = 0;
  const { promise: fourBeats, resolve } = Promise.withResolvers<void>();
  const counting: ContextStore = {
    ...store,
    extendClaim: async (...args) => {
      beats += 1;
      if (beats === 4) resolve();
      return store.extendClaim(...args);
    },
  };
  const answer = await holdClaim(counting, claim, leaseMs, AbortSignal.timeout(5_000), async () => {
    await fourBeats;
    return store.claimTask('inv_1', 'task_1', 'thief', leaseMs);
  });
  expect(answer).toBeUndefined();
});

it('aborts the work when the claim is lost', async () => {
  const { store, claim } = await claimOne(30);
  await store.releaseClaim(claim);
  await store.claimTask('inv_1', 'task_1', 'another', 60_000);
  const work = (signal: AbortSignal) => delay(10_000, 'never', { signal });
  await expect(holdClaim(store, claim, 30, AbortSignal.timeout(5_000), work)).rejects.toMatchObject({
    name: 'AbortError',
  });
});

it('does not wait for work that ignores its signal', async () => {
  const { store, claim } = await claimOne(60_000);
  const giveUp = new AbortController();
  const held = holdClaim(store, claim, 60_000, giveUp.signal, () => new Promise(() => undefined));
  giveUp.abort();
  await expect(held).rejects.toMatchObject({ name: 'AbortError' });
});
