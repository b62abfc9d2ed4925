/**
 * One parallel branch for each task: claim it and answer it. A task that another worker holds is waited for, and taken over
 * when that worker dies.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Board, TaskAnswer } from '../../context-store/context-store.ts';
import type { Task } from '../../domain/investigation.ts';
import { answerTask } from '../answer-task.ts';
import type { InvestigationParts } from '../investigation-parts.ts';
import { type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';

export function createGatherFindings(parts: InvestigationParts) {
  return async ({ task }: { readonly task: Task }, config: StepConfig): Promise<StateUpdate> => {
    const signal = signalOf(config);
    for (let look = 0; ; look++) {
      // Each time: a store may lose its boards while somebody else is at the task.
      await parts.contextStore.postTasks(task.investigationId, [task], signal);
      // Whoever has nothing else to do goes first.
      if (look === 0 && parts.hasHelpers(task.agent)) await delay(parts.limits.headStartMs, undefined, { signal });
      const answer = await findAnswer(parts, task, signal);
      if (answer) return { answers: [{ taskId: task.taskId, ...answer }] };
      await delay(parts.limits.pollMs, undefined, { signal });
    }
  };
}

/** Undefined while somebody else is at it. */
async function findAnswer(parts: InvestigationParts, task: Task, signal: AbortSignal): Promise<TaskAnswer | undefined> {
  const { contextStore, limits, holder } = parts;
  const claim = await contextStore.claimTask(task.investigationId, task.taskId, holder, limits.leaseMs, signal);
  if (claim) return answerTask(parts, claim, signal);
  return readAnswer(await contextStore.readBoard(task.investigationId, signal), task);
}

/** What another worker answered. */
function readAnswer(board: Board, task: Task): TaskAnswer | undefined {
  const state = board.tasks.find((one) => one.task.taskId === task.taskId);
  if (state?.status !== 'done') return undefined;
  const findings = board.findings.filter((finding) => finding.taskId === task.taskId);
  const cited = new Set(findings.flatMap((finding) => finding.evidenceIds));
  return {
    findings,
    evidence: board.evidence.filter((one) => cited.has(one.evidenceId)),
    gaps: state.gaps,
    ...(state.counsel === undefined ? {} : { counsel: state.counsel }),
    ...(state.failure === undefined ? {} : { failure: state.failure }),
  };
}
