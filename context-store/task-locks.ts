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
          if (await isTaken(error)) return false;
          throw away(error);
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
        if (await isTaken(error)) return undefined;
        throw away(error);
      }
    },
  };
}

/** True when enough nodes answered that somebody else has it; false when nodes are away. */
async function isTaken(error: unknown): Promise<boolean> {
  if (error instanceof ResourceLockedError) return true;
  // Redlock says so when a lease ran out before it was asked to prolong it.
  if (error instanceof Error && !(error instanceof ExecutionError)) return error.message.includes('already-expired');
  if (!(error instanceof ExecutionError)) return false;
  const stats = await Promise.all(error.attempts);
  return stats.every(({ votesAgainst, membershipSize, quorumSize }) => {
    const away = [...votesAgainst.values()].filter((vote) => !(vote instanceof ResourceLockedError)).length;
    return membershipSize - away >= quorumSize;
  });
}

function away(error: unknown): UnavailableError {
  return new UnavailableError(`Too few of the lock nodes answer (${errorMessage(error)}): try again in a moment.`, {
    cause: error,
  });
}
