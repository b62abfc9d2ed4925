/** A worker: claims whatever task is open for its agents, of any investigation, answers it, and waits for the next. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentName } from '../domain/signal.ts';
import { errorMessage } from '../platform/errors.ts';
import { type AnswerParts, answerTask } from './answer-task.ts';

export interface WorkOptions {
  readonly agents: readonly AgentName[];
  /** Tasks that it works on at the same time. */
  readonly concurrency: number;
  /** Aborted: no new tasks. */
  readonly draining: AbortSignal;
  /** Aborted: tasks that are under way are given back. */
  readonly stopping: AbortSignal;
}

/** How long a store that is away is left alone. */
const PAUSE_MS = 1_000;

/** Resolves when it was told to drain and nothing is under way. A store that goes away is waited for; the logger is told. */
export async function workTasks(parts: AnswerParts, options: WorkOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.concurrency }, () => workOneByOne(parts, options)));
}

async function workOneByOne(parts: AnswerParts, options: WorkOptions): Promise<void> {
  const { agents, draining } = options;
  while (!draining.aborted) {
    try {
      if (!(await workNext(parts, options))) await parts.contextStore.awaitOpenTasks(agents, draining);
    } catch (error) {
      if (draining.aborted) return;
      parts.logger.warn({ reason: errorMessage(error) }, 'a worker could not go on; it tries again');
      await delay(PAUSE_MS, undefined, { signal: draining }).catch(() => undefined);
    }
  }
}

/** False when there was nothing to do. */
async function workNext(parts: AnswerParts, options: WorkOptions): Promise<boolean> {
  const { agents, draining, stopping } = options;
  const claim = await parts.contextStore.claimNext(agents, parts.holder, parts.limits.leaseMs, draining);
  if (!claim) return false;
  await answerTask(parts, claim, stopping);
  return true;
}
