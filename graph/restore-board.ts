/** The board of a running investigation, written anew from the checkpoint when the store has lost it (memory, or expired). */
import type { Board, ContextStore } from '../context-store/context-store.ts';
import { UnavailableError } from '../platform/errors.ts';
import { retry } from '../platform/retry.ts';
import type { RunParts } from './investigation-parts.ts';
import type { InvestigationState, TaskRecord } from './investigation-state.ts';

type BoardParts = Pick<RunParts, 'contextStore' | 'fence'>;

const RESTORER = 'restore';
/** Restoring one answer is a matter of milliseconds; a crash in between delays the next attempt by this much. */
const RESTORE_LEASE_MS = 1_000;

/**
 * The board with everything on it that the state knows of: votes are never counted on half of the evidence. Findings come in
 * the order of their tasks, whichever agent was faster, so that the same findings lead to the same verdict.
 */
export async function openBoard(parts: BoardParts, state: InvestigationState, signal: AbortSignal): Promise<Board> {
  const patience = { attempts: 10, baseDelayMs: 100, maxDelayMs: 1_000, signal };
  const board = await retry(() => readWholeBoard(parts, state, signal), patience);
  const position = new Map(state.tasks.map((task, index) => [task.taskId, index]));
  const positionOf = (taskId: string) => position.get(taskId) ?? state.tasks.length;
  const findings = board.findings.toSorted((left, right) => positionOf(left.taskId) - positionOf(right.taskId));
  return { ...board, findings };
}

async function readWholeBoard(parts: BoardParts, state: InvestigationState, signal: AbortSignal): Promise<Board> {
  const store = parts.contextStore;
  const board = await readUnlessLost(store, state.investigationId, signal);
  if (board && isComplete(board, state)) return board;
  await restoreBoard(parts, state, signal);
  const restored = await store.readBoard(state.investigationId, signal);
  if (isComplete(restored, state)) return restored;
  throw new UnavailableError(`The board of ${state.investigationId} is being restored by another worker.`);
}

async function readUnlessLost(
  store: ContextStore,
  investigationId: string,
  signal: AbortSignal,
): Promise<Board | undefined> {
  try {
    return await store.readBoard(investigationId, signal);
  } catch (error) {
    if (error instanceof UnavailableError && error.code === 'board-lost') return undefined;
    throw error;
  }
}

function isComplete(board: Board, state: InvestigationState): boolean {
  const done = new Set(board.tasks.filter((one) => one.status === 'done').map((one) => one.task.taskId));
  return (
    board.tasks.length >= state.tasks.length &&
    state.answers.every((answer) => done.has(answer.taskId)) &&
    board.hypotheses.length >= state.hypotheses.length &&
    board.votes.length >= state.votes.length
  );
}

async function restoreBoard(
  { contextStore: store, fence }: BoardParts,
  state: InvestigationState,
  signal: AbortSignal,
): Promise<void> {
  const { investigationId } = state;
  await store.postEvidence(investigationId, state.scopeEvidence ?? [], signal);
  await store.postTasks(investigationId, state.tasks, signal);
  for (const answer of state.answers) await restoreAnswer(store, investigationId, answer, signal);
  for (const [round, hypotheses] of Map.groupBy(state.hypotheses, (hypothesis) => hypothesis.round)) {
    await store.postHypotheses(investigationId, round, hypotheses, fence.token, signal);
  }
  for (const [agent, votes] of Map.groupBy(state.votes, (vote) => vote.agent)) {
    await store.castVotes(investigationId, agent, votes, fence.token, signal);
  }
}

/** A task that somebody else holds or has done needs no restoring. */
async function restoreAnswer(
  store: ContextStore,
  investigationId: string,
  record: TaskRecord,
  signal: AbortSignal,
): Promise<void> {
  const { taskId, ...answer } = record;
  const claim = await store.claimTask(investigationId, taskId, RESTORER, RESTORE_LEASE_MS, signal);
  if (claim) await store.completeTask(claim, answer, signal);
}
