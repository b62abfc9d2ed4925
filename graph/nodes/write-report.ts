/** Last step: the investigation is archived whole, and its incident closed. */
import { assembleInvestigation } from '../assemble-investigation.ts';
import type { RunParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';

export function createWriteReport(parts: RunParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId } = state;
    const signal = signalOf(config);
    const finishedAtMs = Math.max(parts.clock.nowMs(), state.startedAtMs);
    const investigation = assembleInvestigation({ ...state, finishedAtMs }, 'finished');
    await parts.archive.saveInvestigation(investigation, parts.fence.nextVersion(), signal);
    await parts.archive.saveIncident(investigation.incident, parts.fence.nextVersion(), signal);
    const details = {
      outcome: investigation.verdict?.outcome ?? 'none',
      action: investigation.actionOutcome?.status ?? 'none',
      findings: investigation.findings.length,
      evidence: investigation.evidence.length,
    };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'investigation.finished', details }, signal);
    const message = `finished in round ${state.round} with ${details.findings} findings`;
    await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'finished', message });
    return { finishedAtMs };
  };
}
