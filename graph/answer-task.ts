/**
 * What is done about a claimed task, in whatever process: its agent investigates while the claim is held, the answer is stored
 * once, recorded and announced. An agent's failure is the task's failure and nobody else's.
 */
import type { Agent } from '../agents/agent.ts';
import type { Claim, TaskAnswer } from '../context-store/context-store.ts';
import { holdClaim } from '../context-store/hold-claim.ts';
import type { Task } from '../domain/investigation.ts';
import { ConfigError, errorMessage, InvariantError } from '../platform/errors.ts';
import { retry } from '../platform/retry.ts';
import type { InvestigationParts } from './investigation-parts.ts';
import { announceStep, auditStep } from './record-step.ts';

export type AnswerParts = Pick<
  InvestigationParts,
  | 'agents'
  | 'consult'
  | 'contextStore'
  | 'toolContext'
  | 'appendAudit'
  | 'clock'
  | 'logger'
  | 'limits'
  | 'noteWork'
  | 'holder'
>;

/**
 * The stored answer; undefined when the claim was lost on the way. Gives the task back when the caller gives up, and rejects
 * then, or when the answer could not be stored.
 */
export async function answerTask(
  parts: AnswerParts,
  claim: Claim,
  signal: AbortSignal,
): Promise<TaskAnswer | undefined> {
  const { task } = claim;
  await announceStep(parts, task.investigationId, { actor: task.agent, kind: 'task-claimed', message: task.question });
  const onEnd = parts.noteWork(task);
  try {
    const answer = await workOn(parts, claim, signal);
    if (answer) await reportAnswer(parts, task, answer, signal);
    return answer;
  } finally {
    onEnd();
  }
}

async function workOn(parts: AnswerParts, claim: Claim, signal: AbortSignal): Promise<TaskAnswer | undefined> {
  const { contextStore, limits } = parts;
  const { task } = claim;
  const store = async (answer: TaskAnswer) =>
    (await contextStore.completeTask(claim, answer, signal)) === 'accepted' ? answer : undefined;
  let answer: TaskAnswer;
  try {
    answer = await holdClaim(contextStore, claim, limits.leaseMs, signal, (held) => investigate(parts, task, held));
  } catch (error) {
    if (signal.aborted) {
      await contextStore.releaseClaim(claim).catch(() => undefined);
      throw error;
    }
    parts.logger.warn({ taskId: task.taskId, agent: task.agent, err: error }, 'an agent could not answer');
    answer = failedAnswer(parts, task, errorMessage(error));
  }
  return await store(answer);
}

async function investigate(parts: AnswerParts, task: Task, signal: AbortSignal): Promise<TaskAnswer> {
  const agent = parts.agents.find((one) => one.name === task.agent);
  if (!agent) throw new InvariantError(`Nobody here is ${task.agent}.`);
  if (task.isCounsel) return consult(parts, agent, task, signal);
  const { findings, evidence, gaps } = await retry(() => agent.investigate(task, parts.toolContext(signal)), {
    attempts: 3,
    baseDelayMs: 500,
    maxDelayMs: 5_000,
    signal,
  });
  return { findings, evidence, gaps };
}

/** A process without a model says so: the round is over all the same. */
async function consult(parts: AnswerParts, agent: Agent, task: Task, signal: AbortSignal): Promise<TaskAnswer> {
  if (!parts.consult) throw new ConfigError('No model is configured in the process that took this task.');
  const board = await parts.contextStore.readBoard(task.investigationId, signal);
  const { counsel, evidence } = await parts.consult(agent, task, board, signal);
  return { findings: [], evidence, gaps: [], counsel };
}

/** A silent agent is a gap in the evidence, and the verdict says so. */
function failedAnswer(parts: AnswerParts, task: Task, failure: string): TaskAnswer {
  // What a model does not say is no gap in the evidence.
  if (task.isCounsel) return { findings: [], evidence: [], gaps: [], failure };
  const signal = parts.agents.find((one) => one.name === task.agent)?.signal ?? 'metrics';
  const what = `${task.agent} could not answer: ${failure}`;
  return {
    findings: [],
    evidence: [],
    gaps: [{ signal, service: '', what, remedy: 'Investigate again when the cause is gone.' }],
    failure,
  };
}

async function reportAnswer(parts: AnswerParts, task: Task, answer: TaskAnswer, signal: AbortSignal): Promise<void> {
  const { investigationId, taskId, agent } = task;
  const { counsel } = answer;
  const details = {
    taskId,
    findings: answer.findings.map((finding) => finding.findingId),
    evidence: answer.evidence.length,
    ...(answer.failure === undefined ? {} : { failure: answer.failure }),
    ...(counsel ? { model: counsel.modelName, ...counsel.usage, dropped: counsel.dropped } : {}),
  };
  await auditStep(parts, investigationId, { actor: agent, kind: 'task.finished', details }, signal);
  for (const finding of answer.findings) {
    await announceStep(parts, investigationId, { actor: agent, kind: 'finding', message: finding.sentence });
  }
  const message = answer.failure ?? describeAnswer(answer);
  await announceStep(parts, investigationId, { actor: agent, kind: 'task-done', message });
}

function describeAnswer({ findings, counsel }: TaskAnswer): string {
  if (!counsel) return `${findings.length} findings`;
  const first = counsel.suspect ? `would put ${counsel.suspect.service} first` : 'names nobody';
  return `${counsel.modelName} ${counsel.failure ?? first}`;
}
