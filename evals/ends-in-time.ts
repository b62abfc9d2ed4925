/**
 * A limit for work that may never settle. A promise that nothing will settle keeps no process alive: without the timer held here,
 * a run that waits for one would end in the middle, with exit status 0 and not a word.
 */
import { UnavailableError } from '../platform/errors.ts';

export interface TimeLimit {
  /** Names the work in the error. */
  readonly what: string;
  readonly limitMs: number;
  /** To clean up in, after the work was told to stop. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
}

/** Rejects with UnavailableError when the work was told to stop at its limit, or when it did not heed that. */
export async function endsInTime<T>(
  { what, limitMs, graceMs, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const never = Promise.withResolvers<never>();
  const problem = (how: string) => new UnavailableError(`${what} ${how} after ${limitMs / 1000} s.`);
  const limit = setTimeout(() => late.abort(problem('did not end')), limitMs);
  const last = setTimeout(() => never.reject(problem('did not end, nor stop,')), limitMs + graceMs);
  try {
    return await Promise.race([work(AbortSignal.any([signal, late.signal])), never.promise]);
  } finally {
    clearTimeout(limit);
    clearTimeout(last);
  }
}

/** The promise, or the signal's reason as soon as it aborts: for waits that take no signal. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
