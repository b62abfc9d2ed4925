/**
 * Locks through Redlock, on one node or on several that know nothing of each other. A lock saves work: two processes seldom do
 * the same task. It decides nothing: that is the fencing token's business (docs/decisions: Redlock).
 */
import type { Redis } from 'ioredis';
import Redlock, { ExecutionError, type Lock, ResourceLockedError } from 'redlock';
import { errorMessage, UnavailableError } from '../platform/errors.ts';

export interface HeldLock {
  /** False: it was lost to time, and perhaps to somebody else. */
  extend(leaseMs: number): Promise<boolean>;
  /** Never rejects: a lock that cannot be given back ends with its lease. */
  release(): Promise<void>;
}

export interface TaskLocks {
  /** Undefined: somebody holds it. Rejects with UnavailableError when too few nodes answer. */
  acquire(key: string, leaseMs: number): Promise<HeldLock | undefined>;
}

/** @param nodes connections to the lock nodes; a majority decides */
export function createTaskLocks(nodes: readonly Redis[]): TaskLocks {
  const redlock = new Redlock([...nodes], { retryCount: 0, automaticExtensionThreshold: 0 });
  // Every failure reaches whoever asked as a rejection; without a listener it would also end the process.
  redlock.on('error', () => undefined);

  function hold(lock: Lock): HeldLock {
    let current = lock;
    return {
      extend: async (leaseMs) => {
        try {
          current = await current.extend(leaseMs);
          return true;
        } catch (error) {
          await throwUnlessTaken(error);
          return false;
        }
      },
      release: async () => {
        await current.release().catch(() => undefined);
      },
    };
  }

  return {
    acquire: async (key, leaseMs) => {
      try {
        return hold(await redlock.acquire([key], leaseMs));
      } catch (error) {
        await throwUnlessTaken(error);
        return undefined;
      }
    },
  };
}

/** Returns when most nodes answered, so that somebody else has it, or a lease ran out unnoticed (then nobody was asked). */
async function throwUnlessTaken(error: unknown): Promise<void> {
  if (!(error instanceof ExecutionError)) throw error;
  for (const { votesAgainst, membershipSize, quorumSize } of await Promise.all(error.attempts)) {
    const failures = [...votesAgainst.values()].filter((vote) => !(vote instanceof ResourceLockedError));
    if (membershipSize - failures.length >= quorumSize) continue;
    const reasons = failures.map(errorMessage).join('; ');
    throw new UnavailableError(
      `${failures.length} of ${membershipSize} lock nodes cannot answer now (${reasons}): try again in a moment.`,
      { code: 'context-store-away', cause: error },
    );
  }
}
