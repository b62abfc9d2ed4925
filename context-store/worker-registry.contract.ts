/** What every registry of workers must do. */
import { describe, expect, it } from 'vitest';
import type { Worker } from '../domain/worker.ts';
import { createManualClock } from '../platform/clock.ts';
import type { WorkerRegistry } from './worker-registry.ts';

const TTL_MS = 10_000;
const worker = (workerId: string): Worker => ({
  workerId,
  host: 'here',
  pid: 7,
  roles: ['logs', 'supervisor'],
  concurrency: 2,
  holding: [{ investigationId: 'inv_1', taskId: 'task_1', sinceMs: 5 }],
  startedAtMs: 1,
});

type ManualClock = ReturnType<typeof createManualClock>;

/** @param open a fresh, empty registry whose time is moved by `clock` */
export function describeWorkerRegistry(name: string, open: (clock: ManualClock) => Promise<WorkerRegistry>): void {
  describe(name, () => {
    it('lists workers as they last told, and forgets the silent and the leaving', async () => {
      const clock = createManualClock(1_700_000_000_000);
      const registry = await open(clock);
      expect(await registry.listWorkers()).toEqual([]);
      await registry.beat(worker('b'), TTL_MS);
      await registry.beat(worker('a'), TTL_MS);
      await registry.beat({ ...worker('a'), holding: [] }, TTL_MS);
      expect(await registry.listWorkers()).toEqual([{ ...worker('a'), holding: [] }, worker('b')]);
      clock.advance(TTL_MS / 2);
      await registry.beat(worker('b'), TTL_MS);
      clock.advance(TTL_MS / 2);
      expect(await registry.listWorkers()).toEqual([worker('b')]);
      await registry.beat(worker('b'), 0);
      expect(await registry.listWorkers()).toEqual([]);
    });

    it('does nothing for a caller who has given up', async () => {
      const registry = await open(createManualClock(1_700_000_000_000));
      await expect(registry.beat(worker('a'), TTL_MS, AbortSignal.abort())).rejects.toThrow();
      await expect(registry.listWorkers(AbortSignal.abort())).rejects.toThrow();
    });
  });
}
