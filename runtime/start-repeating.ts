/** Does one thing again and again while the host runs. A turn that fails is logged, and the next one comes all the same. */
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface Repeated {
  readonly turn: (signal: AbortSignal) => Promise<unknown>;
  /** From the end of one turn to the next. */
  readonly pauseMs: number;
  /** Left out: the first turn is at once. */
  readonly firstPauseMs?: number;
  /** What the log says when a turn fails. */
  readonly failure: string;
  readonly logger: Logger;
}

/** Returns how to end it: a turn that is under way is aborted and waited for. */
export function startRepeating({ turn, pauseMs, firstPauseMs = 0, failure, logger }: Repeated): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const pause = (ms: number) => delay(ms, undefined, { signal, ref: false }).catch(() => undefined);

  async function repeat(): Promise<void> {
    if (firstPauseMs > 0) await pause(firstPauseMs);
    while (!signal.aborted) {
      try {
        await turn(signal);
      } catch (error) {
        if (!signal.aborted) logger.warn({ reason: errorMessage(error) }, failure);
      }
      await pause(pauseMs);
    }
  }

  const repeating = repeat();
  return async () => {
    stopping.abort();
    await repeating;
  };
}
