/** The supervisor posts the questions of a round on the board. */
import { InvariantError } from '../../platform/errors.ts';
import type { RunParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { scopeOfRound } from '../next-round.ts';
import { announceStep, auditStep } from '../record-step.ts';
import { openBoard } from '../restore-board.ts';

export function createPlanTasks(parts: RunParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, incident, round, focus } = state;
    const signal = signalOf(config);
    if (!state.scope) throw new InvariantError(`Investigation ${investigationId} plans without a scope.`);
    const board = await openBoard(parts, state, signal);
    const isCounsel = state.isCounselled === true;
    const scope = scopeOfRound(state.scope, incident.searchWindow, isCounsel ? round - 1 : round);
    const tasks = parts.supervisor.plan(incident, scope, round, board).map((task) => ({
      ...task,
      investigationId,
      round,
      focus: task.focus.length > 0 ? task.focus : [...focus],
      ...(isCounsel ? { isCounsel, question: 'What does a model make of your findings?' } : {}),
    }));
    await parts.contextStore.postTasks(investigationId, tasks, signal);
    const details = { round, focus, tasks: tasks.map((task) => task.taskId) };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'tasks.posted', details }, signal);
    for (const task of tasks) {
      const message = `asks ${task.agent}: ${task.question}`;
      await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'task-posted', message });
    }
    return { tasks };
  };
}
