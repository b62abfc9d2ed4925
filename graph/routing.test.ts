/** Every fork of the graph, decided on the smallest state that decides it. */
import { Send } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import type { InvestigationState } from './investigation-state.ts';
import { routeDecision, routeRemediation, routeTasks, routeVerdict } from './routing.ts';

/** Only what a route reads; the rest is left out. */
const stateOf = (members: object) =>
  ({ round: 1, tasks: [], answers: [], ...members }) as unknown as InvestigationState;

describe('routeTasks', () => {
  const tasks = [
    { taskId: 'a', round: 1 },
    { taskId: 'b', round: 1 },
    { taskId: 'c', round: 2 },
  ];

  it('sends one branch for each task of the round', () => {
    expect(routeTasks(stateOf({ tasks }))).toEqual(
      tasks.slice(0, 2).map((task) => new Send('gather-findings', { task })),
    );
  });

  it('leaves out what is answered, and goes on when nothing is left to ask', () => {
    const answers = [{ taskId: 'a' }];
    expect(routeTasks(stateOf({ tasks, answers }))).toEqual([new Send('gather-findings', { task: tasks[1] })]);
    expect(routeTasks(stateOf({ tasks, round: 3 }))).toBe('propose-hypotheses');
  });
});

describe('after the votes', () => {
  it('goes round again until there is a verdict', () => {
    expect(routeVerdict(stateOf({}))).toBe('plan-tasks');
    expect(routeVerdict(stateOf({ verdict: {} }))).toBe('propose-remediation');
  });

  it('acts without asking only where the policy has decided', () => {
    expect(routeRemediation(stateOf({}))).toBe('write-report');
    expect(routeRemediation(stateOf({ approval: {} }))).toBe('request-approval');
    expect(routeRemediation(stateOf({ approval: { decision: { outcome: 'approved' } } }))).toBe('run-action');
  });

  it('acts on nothing but an approval', () => {
    expect(routeDecision(stateOf({ approval: { decision: { outcome: 'approved' } } }))).toBe('run-action');
    expect(routeDecision(stateOf({ approval: { decision: { outcome: 'rejected' } } }))).toBe('write-report');
    expect(routeDecision(stateOf({ approval: {} }))).toBe('write-report');
  });
});
