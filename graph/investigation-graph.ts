/** Which step follows which: nodes and edges only. What the steps do is in nodes/, where the ways part is in routing.ts. */
import { END, START, StateGraph } from '@langchain/langgraph';
import { createCheckpointer } from './checkpointer.ts';
import type { RunParts } from './investigation-parts.ts';
import { investigationChannels } from './investigation-state.ts';
import { createCastVotes } from './nodes/cast-votes.ts';
import { createDecideVerdict } from './nodes/decide-verdict.ts';
import { createGatherFindings } from './nodes/gather-findings.ts';
import { createPlanTasks } from './nodes/plan-tasks.ts';
import { createProposeHypotheses } from './nodes/propose-hypotheses.ts';
import { createProposeRemediation } from './nodes/propose-remediation.ts';
import { createRequestApproval } from './nodes/request-approval.ts';
import { createRunAction, type KeepEffect } from './nodes/run-action.ts';
import { createScopeIncident } from './nodes/scope-incident.ts';
import { createWriteReport } from './nodes/write-report.ts';
import { routeDecision, routeRemediation, routeTasks, routeVerdict } from './routing.ts';

/** @param keep is shown what must be waited for, whoever has given up */
export function buildInvestigationGraph(parts: RunParts, keep: KeepEffect) {
  return new StateGraph(investigationChannels)
    .addNode('scope-incident', createScopeIncident(parts))
    .addNode('plan-tasks', createPlanTasks(parts))
    .addNode('gather-findings', createGatherFindings(parts))
    .addNode('propose-hypotheses', createProposeHypotheses(parts))
    .addNode('cast-votes', createCastVotes(parts))
    .addNode('decide-verdict', createDecideVerdict(parts))
    .addNode('propose-remediation', createProposeRemediation(parts))
    .addNode('request-approval', createRequestApproval(parts))
    .addNode('run-action', createRunAction(parts, keep))
    .addNode('write-report', createWriteReport(parts))
    .addEdge(START, 'scope-incident')
    .addEdge('scope-incident', 'plan-tasks')
    .addConditionalEdges('plan-tasks', routeTasks, ['gather-findings', 'propose-hypotheses'])
    .addEdge('gather-findings', 'propose-hypotheses')
    .addEdge('propose-hypotheses', 'cast-votes')
    .addEdge('cast-votes', 'decide-verdict')
    .addConditionalEdges('decide-verdict', routeVerdict, ['plan-tasks', 'propose-remediation'])
    .addConditionalEdges('propose-remediation', routeRemediation, ['request-approval', 'run-action', 'write-report'])
    .addConditionalEdges('request-approval', routeDecision, ['run-action', 'write-report'])
    .addEdge('run-action', 'write-report')
    .addEdge('write-report', END)
    .compile({ checkpointer: createCheckpointer(parts.checkpoints, parts.fence) });
}
