/** Who works for this database's investigations now: each worker says so again and again, and is forgotten when it stops. */
import type { Worker } from '../domain/worker.ts';
import type { Clock } from '../platform/clock.ts';

export interface WorkerRegistry {
  /** Listed from now on, as told here, for `ttlMs`; 0: no longer. */
  beat(worker: Worker, ttlMs: number, signal?: AbortSignal): Promise<void>;
  /** In the order of their ids. */
  listWorkers(signal?: AbortSignal): Promise<readonly Worker[]>;
}

/** Among everybody in this process. */
export function createMemoryWorkerRegistry(clock: Clock): WorkerRegistry {
  const beats = new Map<string, { readonly worker: Worker; readonly expiresAtMs: number }>();
  const forgetSilent = () => {
    for (const [workerId, { expiresAtMs }] of beats) if (expiresAtMs <= clock.nowMs()) beats.delete(workerId);
  };
  return {
    beat: async (worker, ttlMs, signal) => {
      signal?.throwIfAborted();
      beats.set(worker.workerId, { worker: structuredClone(worker), expiresAtMs: clock.nowMs() + ttlMs });
      forgetSilent();
    },
    listWorkers: async (signal) => {
      signal?.throwIfAborted();
      forgetSilent();
      return byId([...beats.values()].map(({ worker }) => worker));
    },
  };
}

export const byId = (workers: readonly Worker[]): readonly Worker[] =>
  workers.toSorted((left, right) => (left.workerId < right.workerId ? -1 : 1));
