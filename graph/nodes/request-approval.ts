/**
 * Waits for a person, for days if need be and across processes. The interrupt comes first, because LangGraph takes this
 * step again from its beginning when the decision arrives: nothing with an effect may stand before it.
 */
import { interrupt } from '@langchain/langgraph';
import { decisionSchema, EXPIRY_POLICY } from '../../domain/approval.ts';
import { InvariantError } from '../../platform/errors.ts';
import type { InvestigationParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';

export function createRequestApproval(parts: InvestigationParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, approval } = state;
    if (!approval) throw new InvariantError(`Investigation ${investigationId} waits for no approval.`);
    const { approvalId, actionDigest } = approval;
    const decision = decisionSchema.parse(interrupt({ approvalId }));

    const { outcome, decidedBy, reason } = decision;
    const isExpired = decidedBy === EXPIRY_POLICY;
    const details = { approvalId, actionDigest: decision.actionDigest ?? actionDigest, outcome, reason };
    const entry = { actor: decidedBy, kind: isExpired ? 'approval.expired' : 'approval.decided', details };
    await auditStep(parts, investigationId, entry, signalOf(config));
    const message = isExpired ? reason : `${outcome}${reason === '' ? '' : `: ${reason}`}`;
    await announceStep(parts, investigationId, { actor: decidedBy, kind: 'approval', message });
    const detail = isExpired ? reason : `${decidedBy} rejected it: ${reason}`;
    return {
      approval: { ...approval, decision },
      ...(outcome === 'rejected'
        ? { actionOutcome: { status: 'not-run' as const, detail, atMs: decision.decidedAtMs } }
        : {}),
    };
  };
}
