/** How long a model is waited for, and the timers that see to it. */
import { UnavailableError } from '../platform/errors.ts';

export interface Patience {
  /** Until the first word, and between two. */
  readonly silenceMs: number;
  /** For one question with all of its attempts, without the wait for a free slot. */
  readonly totalMs: number;
  /** Of each model. */
  readonly attempts: number;
  /** Upper bound of the first pause between attempts; it doubles. */
  readonly pauseMs: number;
  /** Who asks to be left alone for longer is taken to be away. */
  readonly maxPauseMs: number;
}

export const PATIENCE: Patience = {
  silenceMs: 30_000,
  totalMs: 180_000,
  attempts: 3,
  pauseMs: 500,
  maxPauseMs: 20_000,
};

export interface Timer {
  /** Aborts with an UnavailableError when the time is over. */
  readonly signal: AbortSignal;
  restart(): void;
  stop(): void;
}

/** @param complaint what the error says before the time: "nothing was heard for" */
export function startTimer(timeoutMs: number, complaint: string): Timer {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new UnavailableError(`${complaint} ${timeoutMs / 1_000} s.`)),
    timeoutMs,
  );
  return { signal: controller.signal, restart: () => timer.refresh(), stop: () => clearTimeout(timer) };
}
