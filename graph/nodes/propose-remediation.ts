/**
 * What could be done about it, and the request for consent. Everything about the request that has an effect happens here,
 * because the step that waits for the answer is taken again when the answer comes.
 */
import { type Approval, type Decision, INFO_POLICY, planEscalations } from '../../domain/approval.ts';
import { actionDigest, type Remediation, riskOf } from '../../domain/remediation.ts';
import { InvariantError } from '../../platform/errors.ts';
import { contentId } from '../../platform/ids.ts';
import { assembleInvestigation } from '../assemble-investigation.ts';
import type { RunParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';
import { openBoard } from '../restore-board.ts';

export function createProposeRemediation(parts: RunParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, scope, verdict } = state;
    const signal = signalOf(config);
    if (!scope || !verdict) throw new InvariantError(`Investigation ${investigationId} remediates without a verdict.`);
    const changes = await parts.readChanges(scope, signal);
    const { evidence } = await openBoard(parts, state, signal);
    const remediation = parts.supervisor.remediate(verdict, changes, evidence);
    if (!remediation) return { changes };

    const approval = requestFor(parts, state, remediation);
    const { approvalId, actionDigest: digest } = approval;
    const { action, service } = remediation;
    const tier = riskOf(remediation);
    const details = { approvalId, actionDigest: digest, action, service, tier };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'approval.requested', details }, signal);
    if (approval.decision) {
      const entry = {
        actor: approval.decision.decidedBy,
        kind: 'approval.decided',
        details: { approvalId, actionDigest: digest, outcome: 'approved' },
      };
      await auditStep(parts, investigationId, entry, signal);
    } else {
      const waiting = assembleInvestigation({ ...state, changes, remediation, approval }, 'awaiting-approval');
      await parts.archive.saveInvestigation(waiting, parts.fence.nextVersion(), signal);
      await parts.archive.saveIncident(waiting.incident, parts.fence.nextVersion(), signal);
    }
    const need = approval.decision ? 'needs nobody' : `needs approval (${tier} risk)`;
    const message = `${action} on ${service} ${need}`;
    await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'approval', message });
    return { changes, remediation, approval };
  };
}

/** The same investigation asks for the same action under the same id, also when a crash makes it ask again. */
function requestFor(parts: RunParts, state: InvestigationState, remediation: Remediation): Approval {
  const digest = actionDigest(remediation);
  const requestedAtMs = parts.clock.nowMs();
  const byPolicy: Decision = {
    outcome: 'approved',
    decidedBy: INFO_POLICY,
    reason: 'Actions of tier info need no approval.',
    decidedAtMs: requestedAtMs,
    actionDigest: digest,
  };
  const times = { requestedAtMs, expiresAtMs: requestedAtMs + parts.limits.approvalTtlMs };
  const isGranted = riskOf(remediation) === 'info';
  return {
    approvalId: contentId('apr', { investigationId: state.investigationId, digest }),
    incidentId: state.incident.incidentId,
    investigationId: state.investigationId,
    remediation,
    actionDigest: digest,
    ...times,
    ...(isGranted
      ? { decision: byPolicy }
      : { escalations: planEscalations(remediation, times, parts.limits.escalateAfterMs) }),
  };
}
