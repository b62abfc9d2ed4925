/** What watchers would have heard so far, told again from the investigation's document. Pure. */
import type { Investigation, Progress } from '../../domain/investigation.ts';

type Step = Pick<Progress, 'actor' | 'kind' | 'message'> & { readonly atMs?: number | undefined };

/** In the order of the work; steps whose time the document does not keep have the time of the step before them. */
export function progressOf(investigation: Investigation): Progress[] {
  const { investigationId } = investigation;
  let lastMs = investigation.startedAtMs;
  return stepsOf(investigation).map(({ atMs, ...step }) => {
    lastMs = Math.max(lastMs, atMs ?? lastMs);
    return { investigationId, atMs: lastMs, ...step };
  });
}

function stepsOf(investigation: Investigation): Step[] {
  const { incident, scope, tasks, findings, hypotheses } = investigation;
  return [
    { actor: 'supervisor', kind: 'started', message: incident.title, atMs: investigation.startedAtMs },
    ...(scope ? [supervised('scoped', scope.onsetReason)] : []),
    ...tasks.map(({ agent, question }) => supervised('task-posted', `${agent}: ${question}`)),
    ...findings.map(({ agent, sentence }): Step => ({ actor: agent, kind: 'finding', message: sentence })),
    ...hypotheses.map(({ statement }) => supervised('hypothesis', statement)),
    ...closingStepsOf(investigation),
  ];
}

function closingStepsOf({ verdict, approval, actionOutcome, status, failure, finishedAtMs }: Investigation): Step[] {
  const steps: Step[] = [];
  if (verdict) steps.push(supervised('verdict', verdict.suspects[0]?.statement ?? verdict.outcome));
  if (approval) {
    steps.push(supervised('approval', approval.remediation.rationale, approval.requestedAtMs));
    const { decision } = approval;
    if (decision) {
      const message = `${decision.outcome} by ${decision.decidedBy}`;
      steps.push({ actor: decision.decidedBy, kind: 'approval', message, atMs: decision.decidedAtMs });
    }
  }
  if (actionOutcome) steps.push(supervised('action', actionOutcome.detail, actionOutcome.atMs));
  if (status === 'finished') steps.push(supervised('finished', verdict?.outcome ?? '', finishedAtMs));
  if (status === 'failed') steps.push(supervised('failed', failure ?? '', finishedAtMs));
  return steps;
}

function supervised(kind: Progress['kind'], message: string, atMs?: number): Step {
  return { actor: 'supervisor', kind, message, atMs };
}
