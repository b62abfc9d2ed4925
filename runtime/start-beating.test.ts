/** Who is there and who has gone, as each process sees it. */
import { expect, it, vi } from 'vitest';
import { createMemoryWorkerRegistry } from '../context-store/worker-registry.ts';
import type { Worker } from '../domain/worker.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { startBeating } from './start-beating.ts';

const workerNamed = (workerId: string, roles: Worker['roles']): Worker => ({
  ...{ workerId, roles, host: 'here', pid: 1, concurrency: 1, holding: [], startedAtMs: 1 },
});

it('knows the others, and is told when one of them leaves', async () => {
  const registry = createMemoryWorkerRegistry(systemClock);
  const gone: string[] = [];
  const join = (worker: Worker) =>
    startBeating({
      registry,
      describe: () => worker,
      onGone: ({ workerId }) => gone.push(workerId),
      logger: silentLogger,
      beatMs: 5,
    });
  const host = await join(workerNamed('host', ['logs', 'host']));
  expect(host.hasHelpers('logs')).toBe(false);
  const helper = await join(workerNamed('helper', ['logs']));
  await vi.waitFor(() => expect(host.hasHelpers('logs')).toBe(true));
  expect(host.hasHelpers('metrics')).toBe(false);
  expect((await host.listWorkers()).map(({ workerId }) => workerId)).toEqual(['helper', 'host']);
  await helper.close();
  await vi.waitFor(() => expect(gone).toEqual(['helper']));
  expect(host.hasHelpers('logs')).toBe(false);
  await host.close();
  expect(await registry.listWorkers()).toEqual([]);
});

it('takes nobody for gone because the list cannot be read', async () => {
  const registry = createMemoryWorkerRegistry(systemClock);
  const gone: string[] = [];
  let isAway = false;
  const listWorkers: typeof registry.listWorkers = async (signal) => {
    if (isAway) throw new RangeError('away');
    return registry.listWorkers(signal);
  };
  await registry.beat(workerNamed('other', ['logs']), 60_000);
  const host = await startBeating({
    registry: { ...registry, listWorkers },
    describe: () => workerNamed('host', ['host']),
    onGone: ({ workerId }) => gone.push(workerId),
    logger: silentLogger,
    beatMs: 5,
  });
  expect(host.hasHelpers('logs')).toBe(true);
  isAway = true;
  await registry.beat(workerNamed('third', ['traces']), 60_000);
  isAway = false;
  await vi.waitFor(() => expect(host.hasHelpers('traces')).toBe(true));
  expect(gone).toEqual([]);
  await host.close();
});
