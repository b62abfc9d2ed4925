/** First step: when is it wrong, and what is normal. The supervisor looks, the answer and its evidence are kept. */
import { retry } from '../../platform/retry.ts';
import { assembleInvestigation } from '../assemble-investigation.ts';
import type { RunParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';

export function createScopeIncident(parts: RunParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, incident } = state;
    const signal = signalOf(config);
    await parts.archive.saveInvestigation(assembleInvestigation(state, 'running'), parts.fence.nextVersion(), signal);
    await parts.archive.saveIncident(incident, parts.fence.nextVersion(), signal);
    const details = { incidentId: incident.incidentId, source: incident.source };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'investigation.started', details }, signal);
    await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'started', message: incident.title });

    const locate = () => parts.supervisor.locate(incident, parts.toolContext(signal));
    const { scope, evidence } = await retry(locate, { attempts: 3, baseDelayMs: 500, maxDelayMs: 5_000, signal });
    await parts.contextStore.postEvidence(investigationId, evidence, signal);
    const located = { onsetMs: scope.onsetMs, window: scope.window, baseline: scope.baseline };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'scope.located', details: located }, signal);
    await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'scoped', message: scope.onsetReason });
    return { scope, scopeEvidence: evidence };
  };
}
