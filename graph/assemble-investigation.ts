/** The investigation as people and machines read it, put together from the state. Pure. */
import type { Incident } from '../domain/incident.ts';
import type { Investigation } from '../domain/investigation.ts';
import type { InvestigationState } from './investigation-state.ts';

/** Evidence is listed once, the supervisor's first. */
export function assembleInvestigation(
  state: InvestigationState,
  status: Investigation['status'],
  failure?: string,
): Investigation {
  const evidence = [
    ...(state.scopeEvidence ?? []),
    ...state.answers.flatMap((answer) => answer.evidence),
    ...(state.gapEvidence ?? []),
  ];
  return {
    investigationId: state.investigationId,
    incident: { ...state.incident, status: incidentStatus(state, status) },
    status,
    startedAtMs: state.startedAtMs,
    rounds: state.round,
    tasks: [...state.tasks],
    findings: state.answers.flatMap((answer) => answer.findings),
    evidence: [...new Map(evidence.map((one) => [one.evidenceId, one])).values()],
    hypotheses: [...state.hypotheses],
    votes: [...state.votes],
    changes: [...(state.changes ?? [])],
    ...present({
      finishedAtMs: state.finishedAtMs,
      firstSuspectsMs: state.firstSuspectsMs,
      scope: state.scope,
      tally: state.tally,
      verdict: state.verdict,
      remediation: state.remediation,
      approval: state.approval,
      actionOutcome: state.actionOutcome,
      failure,
    }),
  };
}

function incidentStatus(state: InvestigationState, status: Investigation['status']): Incident['status'] {
  if (status === 'finished') return state.verdict?.outcome === 'root-cause' ? 'resolved' : 'abstained';
  return status === 'running' ? 'investigating' : status;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined. */
function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>;
}
