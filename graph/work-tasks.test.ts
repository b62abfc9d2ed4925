/** A worker over the memory store: it answers what comes, drains, and gives back what it has in hand. */
import { expect, it, vi } from 'vitest';
import { createScriptedParts, OVERTURNING } from './scripted-jury.fixture.ts';
import { workTasks } from './work-tasks.ts';

const INVESTIGATION = 'inv_1';

function openWorker(script = OVERTURNING) {
  const parts = createScriptedParts(script);
  const [draining, stopping] = [new AbortController(), new AbortController()];
  const task = (taskId: string) => ({
    ...{ taskId, investigationId: INVESTIGATION, agent: 'log-agent' as const, round: 1, question: 'why?', focus: [] },
    scope: {
      window: { startMs: 1, endMs: 2 },
      baseline: { startMs: 0, endMs: 1 },
      ...{ onsetMs: 1, onsetReason: 'given', onsetGrid: { firstMs: 1, stepSeconds: 20, count: 1 } },
      ...{ calls: [], evidenceIds: [] },
    },
  });
  const statuses = async () => (await parts.contextStore.readBoard(INVESTIGATION)).tasks.map(({ status }) => status);
  const working = workTasks(parts, {
    agents: ['log-agent'],
    concurrency: 2,
    draining: draining.signal,
    stopping: stopping.signal,
  });
  return { parts, task, statuses, working, draining, stopping };
}

it('answers tasks as they come, and ends when it is told to drain', async () => {
  const { parts, task, statuses, working, draining } = openWorker();
  await parts.contextStore.postTasks(INVESTIGATION, [task('a')]);
  await vi.waitFor(async () => expect(await statuses()).toEqual(['done']));
  await parts.contextStore.postTasks(INVESTIGATION, [task('b'), task('c'), task('d')]);
  await vi.waitFor(async () => expect(await statuses()).toEqual(['done', 'done', 'done', 'done']));
  expect(parts.audits.map(({ kind }) => kind)).toEqual([
    'task.finished',
    'task.finished',
    'task.finished',
    'task.finished',
  ]);
  draining.abort();
  await working;
  await parts.contextStore.postTasks(INVESTIGATION, [task('e')]);
  expect((await statuses()).at(-1)).toBe('open');
});

it('finishes what it has in hand when it drains, and begins nothing', async () => {
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const { parts, task, statuses, working, draining } = openWorker({
    'log-agent': async () => {
      begun.resolve();
      await goOn.promise;
      return [];
    },
  });
  await parts.contextStore.postTasks(INVESTIGATION, [task('a')]);
  await begun.promise;
  draining.abort();
  await parts.contextStore.postTasks(INVESTIGATION, [task('b')]);
  goOn.resolve();
  await working;
  expect(await statuses()).toEqual(['done', 'open']);
});

it('gives back what it has in hand when it is stopped', async () => {
  const begun = Promise.withResolvers<void>();
  const { parts, task, statuses, working, draining, stopping } = openWorker({
    'log-agent': async () => {
      begun.resolve();
      return new Promise(() => undefined);
    },
  });
  await parts.contextStore.postTasks(INVESTIGATION, [task('a')]);
  await begun.promise;
  draining.abort();
  stopping.abort();
  await working;
  expect(await statuses()).toEqual(['open']);
});
