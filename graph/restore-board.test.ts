/** A board that is gone comes back from the state whole; one that is there is left alone. */
import { expect, it } from 'vitest';
import type { ContextStore } from '../context-store/context-store.ts';
import { createMemoryContextStore } from '../context-store/memory-context-store.ts';
import { systemClock } from '../platform/clock.ts';
import { InvariantError, UnavailableError } from '../platform/errors.ts';
import { createFence } from './fence.ts';
import type { InvestigationState } from './investigation-state.ts';
import { openBoard } from './restore-board.ts';
import { createInvestigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING } from './scripted-jury.fixture.ts';

const SIGNAL = AbortSignal.timeout(20_000);

/** A whole investigation's state. */
async function stateOfInvestigation(): Promise<InvestigationState> {
  const parts = createScriptedParts(OVERTURNING, { tier: 'low' });
  const investigation = await createInvestigator(parts).start({ ...INCIDENT, investigationId: 'inv_1' }, SIGNAL);
  const gap = { signal: 'changes' as const, service: '', what: 'no changes', remedy: 'send them' };
  const answers = investigation.tasks.map(({ taskId, agent }) => {
    const findings = investigation.findings.filter((finding) => finding.taskId === taskId);
    const cited = new Set(findings.flatMap((finding) => finding.evidenceIds));
    const evidence = investigation.evidence.filter((one) => cited.has(one.evidenceId));
    const silent = agent === 'deploy-agent';
    return { taskId, findings, evidence, gaps: silent ? [gap] : [], ...(silent ? { failure: 'no answer' } : {}) };
  });
  const scopeEvidence = investigation.evidence.filter((one) => one.summary === 'onset');
  // What restoring reads of the state.
  return { ...investigation, answers, scopeEvidence, focus: [], round: 1 } as unknown as InvestigationState;
}

const partsWith = (contextStore: ContextStore) => ({ contextStore, fence: createFence(1) });

it('writes everything anew on an empty store', async () => {
  const state = await stateOfInvestigation();
  const store = createMemoryContextStore({ clock: systemClock });
  const board = await openBoard(partsWith(store), state, SIGNAL);
  expect(board.tasks.map((one) => [one.task, one.status])).toEqual(state.tasks.map((task) => [task, 'done']));
  expect(board.tasks.find((one) => one.task.agent === 'deploy-agent')?.failure).toBe('no answer');
  expect(board.findings).toEqual(state.answers.flatMap((answer) => answer.findings));
  expect(board.evidence.map((one) => one.summary)).toContain('onset');
  expect(board.evidence).toHaveLength(5);
  expect(board.hypotheses).toEqual(state.hypotheses);
  expect(new Set(board.votes)).toEqual(new Set(state.votes));
  expect(board.gaps).toEqual(state.answers.flatMap((answer) => answer.gaps));
});

it('writes everything anew where the store has lost the board', async () => {
  const state = await stateOfInvestigation();
  const store = createMemoryContextStore({ clock: systemClock });
  let isLost = true;
  const forgetful: ContextStore = {
    ...store,
    postTasks: async (...args) => {
      isLost = false;
      await store.postTasks(...args);
    },
    readBoard: async (...args) => {
      if (isLost) throw new UnavailableError('lost', { code: 'board-lost' });
      return store.readBoard(...args);
    },
  };
  expect((await openBoard(partsWith(forgetful), state, SIGNAL)).hypotheses).toEqual(state.hypotheses);
});

it('waits for an attempt that a crash left unfinished, and completes it', async () => {
  const state = await stateOfInvestigation();
  const store = createMemoryContextStore({ clock: systemClock });
  await store.postTasks('inv_1', state.tasks);
  await store.claimTask('inv_1', state.tasks[0]?.taskId ?? '', 'restore', 20);
  const board = await openBoard(partsWith(store), state, SIGNAL);
  expect(board.tasks.map((one) => one.status)).toEqual(['done', 'done', 'done', 'done']);
});

it('only reads a board that is whole', async () => {
  const state = await stateOfInvestigation();
  const store = createMemoryContextStore({ clock: systemClock });
  const board = await openBoard(partsWith(store), state, SIGNAL);
  const refuse = () => Promise.reject(new InvariantError('nothing is to be written'));
  const readOnly = {
    ...store,
    postTasks: refuse,
    claimTask: refuse,
    postEvidence: refuse,
    postHypotheses: refuse,
    castVotes: refuse,
  };
  expect(await openBoard(partsWith(readOnly), state, SIGNAL)).toEqual(board);
});

it('orders findings by their tasks, whoever was faster', async () => {
  const state = await stateOfInvestigation();
  const store = createMemoryContextStore({ clock: systemClock });
  const hurried = { ...state, answers: state.answers.toReversed() };
  const board = await openBoard(partsWith(store), hurried, SIGNAL);
  expect(board.findings).toEqual(state.answers.flatMap((answer) => answer.findings));
});
