/** Waiting for the store, as both receivers do it: bounded, and every failure sorted by who must act on it. */
import { AppError, InvariantError, LimitError, UnavailableError } from '../platform/errors.ts';

export const DEFAULT_WRITE_TIMEOUT_MS = 30_000;

/**
 * Awaits one write. Its signal aborts after `timeoutMs` and not when the sender hangs up: rows stored unseen are better
 * than half a batch. Throws a retryable AppError when the same request may be sent again, LimitError when no store takes
 * one so large, InvariantError otherwise, because rows that we made are not the sender's to correct.
 */
export async function writeInTime(write: (signal: AbortSignal) => Promise<void>, timeoutMs: number): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    await write(timeout);
  } catch (error) {
    if (error instanceof AppError && error.retryable) throw error;
    if (error instanceof LimitError && error.details['of'] === 'request') throw error;
    if (timeout.aborted) throw new UnavailableError('The store did not answer in time: retry.', { cause: error });
    throw new InvariantError('what a request holds could not be stored', { cause: error });
  }
}
