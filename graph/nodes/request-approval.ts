/**
 * Waits for a person, for days if need be and across processes. The interrupt comes first, because LangGraph takes this
 * step again from its beginning when the decision arrives: nothing with an effect may stand before it.
 */
import { interrupt } from '@langchain/langgraph';
import { decisionSchema } from '../../domain/approval.ts';
import { InvariantError } from '../../platform/errors.ts';
import type { InvestigationParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';

export function createRequestApproval(parts: InvestigationParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, approval } = state;
    if (!approval) throw new InvariantError(`Investigation ${investigationId} waits for no approval.`);
    const { approvalId } = approval;
    const decision = decisionSchema.parse(interrupt({ approvalId }));

    const { outcome, decidedBy, reason } = decision;
    const entry = { actor: decidedBy, kind: 'approval.decided', details: { approvalId, outcome, reason } };
    await auditStep(parts, investigationId, entry, signalOf(config));
    await announceStep(parts, investigationId, {
      actor: decidedBy,
      kind: 'approval',
      message: `${outcome}: ${reason}`,
    });
    const refusal = {
      status: 'not-run' as const,
      detail: `${decidedBy} rejected it: ${reason}`,
      atMs: decision.decidedAtMs,
    };
    return {
      approval: { ...approval, decision },
      ...(outcome === 'rejected' ? { actionOutcome: refusal } : {}),
    };
  };
}
