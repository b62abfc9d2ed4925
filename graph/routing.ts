/** Where the investigation goes next: pure functions of its state. */
import { Send } from '@langchain/langgraph';
import type { InvestigationState } from './investigation-state.ts';

/** One parallel branch for each unanswered task of the round; none: straight to the hypotheses. */
export function routeTasks(state: InvestigationState): Send[] | 'propose-hypotheses' {
  const answered = new Set(state.answers.map((answer) => answer.taskId));
  const open = state.tasks.filter((task) => task.round === state.round && !answered.has(task.taskId));
  return open.length > 0 ? open.map((task) => new Send('gather-findings', { task })) : 'propose-hypotheses';
}

/** A verdict ends the rounds. */
export function routeVerdict(state: InvestigationState): 'plan-tasks' | 'propose-remediation' {
  return state.verdict ? 'propose-remediation' : 'plan-tasks';
}

/** What needs nobody's consent carries the policy's decision already. */
export function routeRemediation(state: InvestigationState): 'request-approval' | 'run-action' | 'write-report' {
  if (!state.approval) return 'write-report';
  return state.approval.decision ? 'run-action' : 'request-approval';
}

export function routeDecision(state: InvestigationState): 'run-action' | 'write-report' {
  return state.approval?.decision?.outcome === 'approved' ? 'run-action' : 'write-report';
}
