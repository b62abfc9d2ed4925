/**
 * One parallel branch for each task: claim it, let its agent investigate, put the answer on the board. An agent's failure is
 * the task's failure and nobody else's; a task that another worker holds is waited for, and taken over when that worker dies.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Board, Claim, TaskAnswer } from '../../context-store/context-store.ts';
import { holdClaim } from '../../context-store/hold-claim.ts';
import type { Task } from '../../domain/investigation.ts';
import { errorMessage, InvariantError } from '../../platform/errors.ts';
import { retry } from '../../platform/retry.ts';
import type { InvestigationParts } from '../investigation-parts.ts';
import { type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';

/** @param holder names this process on the board */
export function createGatherFindings(parts: InvestigationParts, holder: string) {
  return async ({ task }: { readonly task: Task }, config: StepConfig): Promise<StateUpdate> => {
    const signal = signalOf(config);
    for (;;) {
      // Each time: a store may lose its boards while somebody else is at the task.
      await parts.contextStore.postTasks(task.investigationId, [task], signal);
      const answer = await answerTask(parts, task, holder, signal);
      if (answer) return { answers: [{ taskId: task.taskId, ...answer }] };
      await delay(parts.limits.pollMs, undefined, { signal });
    }
  };
}

/** Undefined while somebody else is at it. */
async function answerTask(
  parts: InvestigationParts,
  task: Task,
  holder: string,
  signal: AbortSignal,
): Promise<TaskAnswer | undefined> {
  const { contextStore, limits } = parts;
  const claim = await contextStore.claimTask(task.investigationId, task.taskId, holder, limits.leaseMs, signal);
  if (!claim) return readAnswer(await contextStore.readBoard(task.investigationId, signal), task);
  await announceStep(parts, task.investigationId, { actor: task.agent, kind: 'task-claimed', message: task.question });
  const answer = await workOn(parts, claim, signal);
  if (answer) await reportAnswer(parts, task, answer, signal);
  return answer;
}

/** The stored answer; undefined when the claim was lost on the way. Gives the task back when the caller gives up. */
async function workOn(parts: InvestigationParts, claim: Claim, signal: AbortSignal): Promise<TaskAnswer | undefined> {
  const { contextStore, limits } = parts;
  const { task } = claim;
  const store = async (answer: TaskAnswer) =>
    (await contextStore.completeTask(claim, answer, signal)) === 'accepted' ? answer : undefined;
  try {
    const answer = await holdClaim(contextStore, claim, limits.leaseMs, signal, (held) =>
      investigate(parts, task, held),
    );
    return await store(answer);
  } catch (error) {
    if (signal.aborted) {
      await contextStore.releaseClaim(claim).catch(() => undefined);
      throw error;
    }
    parts.logger.warn({ taskId: task.taskId, agent: task.agent, err: error }, 'an agent could not answer');
    return await store(failedAnswer(parts, task, errorMessage(error)));
  }
}

async function investigate(parts: InvestigationParts, task: Task, signal: AbortSignal): Promise<TaskAnswer> {
  const agent = parts.agents.find((one) => one.name === task.agent);
  if (!agent) throw new InvariantError(`Nobody here is ${task.agent}.`);
  const { findings, evidence, gaps } = await retry(() => agent.investigate(task, parts.toolContext(signal)), {
    attempts: 3,
    baseDelayMs: 500,
    maxDelayMs: 5_000,
    signal,
  });
  return { findings, evidence, gaps };
}

/** A silent agent is a gap in the evidence, and the verdict says so. */
function failedAnswer(parts: InvestigationParts, task: Task, failure: string): TaskAnswer {
  const signal = parts.agents.find((one) => one.name === task.agent)?.signal ?? 'metrics';
  const what = `${task.agent} could not answer: ${failure}`;
  return {
    findings: [],
    evidence: [],
    gaps: [{ signal, service: '', what, remedy: 'Investigate again when the cause is gone.' }],
    failure,
  };
}

/** What another worker answered, as far as the board tells it apart; gaps stay with the board. */
function readAnswer(board: Board, task: Task): TaskAnswer | undefined {
  const state = board.tasks.find((one) => one.task.taskId === task.taskId);
  if (state?.status !== 'done') return undefined;
  const findings = board.findings.filter((finding) => finding.taskId === task.taskId);
  const cited = new Set(findings.flatMap((finding) => finding.evidenceIds));
  return {
    findings,
    evidence: board.evidence.filter((one) => cited.has(one.evidenceId)),
    gaps: [],
    ...(state.failure === undefined ? {} : { failure: state.failure }),
  };
}

async function reportAnswer(
  parts: InvestigationParts,
  task: Task,
  answer: TaskAnswer,
  signal: AbortSignal,
): Promise<void> {
  const { investigationId, taskId, agent } = task;
  const details = {
    taskId,
    findings: answer.findings.map((finding) => finding.findingId),
    evidence: answer.evidence.length,
    ...(answer.failure === undefined ? {} : { failure: answer.failure }),
  };
  await auditStep(parts, investigationId, { actor: agent, kind: 'task.finished', details }, signal);
  for (const finding of answer.findings) {
    await announceStep(parts, investigationId, { actor: agent, kind: 'finding', message: finding.sentence });
  }
  const message = answer.failure ?? `${answer.findings.length} findings`;
  await announceStep(parts, investigationId, { actor: agent, kind: 'task-done', message });
}
