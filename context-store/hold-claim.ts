/** Working on a claimed task: the lease is kept alive meanwhile, and the work is told when the claim is lost to another. */
import type { Claim, ContextStore } from './context-store.ts';

/**
 * Runs `work` while prolonging the claim every third of its lease. The signal given to `work` aborts with the caller's, or
 * when the claim has become stale. That abort saves effort only: whether an answer counts is decided by completeTask's
 * fencing token, because a frozen process notices nothing. Rejects at the abort, also when the work does not heed it.
 */
export async function holdClaim<T>(
  store: ContextStore,
  claim: Claim,
  leaseMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const prolong = async () => {
    const prolonged = await store.extendClaim(claim, leaseMs, signal);
    if (prolonged === 'stale') lost.abort();
  };
  // A store that is away for a moment is asked again at the next beat; the lease covers three of them.
  const beat = setInterval(() => void prolong().catch(() => undefined), leaseMs / 3);
  const held = AbortSignal.any([signal, lost.signal]);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  held.addEventListener('abort', () => reject(held.reason), { once: true });
  try {
    held.throwIfAborted();
    return await Promise.race([work(held), aborted]);
  } finally {
    clearInterval(beat);
  }
}
