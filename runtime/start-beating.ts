/** Tells the others again and again that this process is there and what it has in hand, and knows whom else there is. */
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerRegistry } from '../context-store/worker-registry.ts';
import type { Worker, WorkerRole } from '../domain/worker.ts';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface Beating {
  /** Whether another process took on this role a moment ago. */
  hasHelpers(role: WorkerRole): boolean;
  /** Those there are, as they last told; this one as it is. */
  listWorkers(signal?: AbortSignal): Promise<readonly Worker[]>;
  /** Leaves the list. */
  close(): Promise<void>;
}

export interface BeatingParts {
  readonly registry: WorkerRegistry;
  readonly describe: () => Worker;
  /** Told when a process is no longer listed: what it had in hand is nobody's now, and its locks have ended. */
  readonly onGone: (worker: Worker) => void;
  readonly logger: Logger;
  readonly beatMs?: number;
}

const BEAT_MS = 4_000;
/** Longer than a lock lasts (redis-shard-lock.ts) and a beat: whoever is gone has no lock any more. */
const TTL_MS = 15_000;

/** Resolves when it is listed. A registry that is away is tried again at the next beat. */
export async function startBeating({
  registry,
  describe,
  onGone,
  logger,
  beatMs = BEAT_MS,
}: BeatingParts): Promise<Beating> {
  const stopping = new AbortController();
  const { signal } = stopping;
  let others: readonly Worker[] = [];

  async function beat(): Promise<void> {
    const self = describe();
    try {
      await registry.beat(self, TTL_MS, signal);
      const before = others;
      others = (await registry.listWorkers(signal)).filter(({ workerId }) => workerId !== self.workerId);
      const there = new Set(others.map(({ workerId }) => workerId));
      for (const other of before) if (!there.has(other.workerId)) onGone(other);
    } catch (error) {
      if (!signal.aborted) logger.warn({ reason: errorMessage(error) }, 'the list of workers is not up to date');
    }
  }

  async function beatOn(): Promise<void> {
    while (!signal.aborted) {
      await delay(beatMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await beat();
    }
  }

  await beat();
  const beating = beatOn();
  return {
    hasHelpers: (role) => others.some(({ roles }) => roles.includes(role)),
    listWorkers: async (listing) => {
      await registry.beat(describe(), TTL_MS, listing);
      return registry.listWorkers(listing);
    },
    close: async () => {
      stopping.abort();
      await beating;
      try {
        await registry.beat(describe(), 0);
      } catch (error) {
        logger.warn({ reason: errorMessage(error) }, 'this worker could not leave the list: it ends by itself');
      }
    },
  };
}
