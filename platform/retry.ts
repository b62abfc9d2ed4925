/** Retrying what may succeed later: only errors marked retryable, with exponential back-off and full jitter. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from './errors.ts';

export interface RetryOptions {
  readonly attempts: number;
  /** Upper bound of the first pause; it doubles for each further one. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `work` up to `attempts` times; rethrows the last error, or at once one that is not a retryable AppError. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const worthIt = error instanceof AppError && error.retryable && attempt < options.attempts;
      if (!worthIt) throw error;
      const ceilingMs = Math.min(options.maxDelayMs, options.baseDelayMs * 2 ** (attempt - 1));
      await delay(Math.random() * ceilingMs, undefined, { signal: options.signal });
    }
  }
}
