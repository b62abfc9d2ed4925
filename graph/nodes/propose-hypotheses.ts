/** The supervisor turns all findings so far into candidate causes. */
import type { RunParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';
import { openBoard } from '../restore-board.ts';

export function createProposeHypotheses(parts: RunParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, round } = state;
    const signal = signalOf(config);
    const { findings } = await openBoard(parts, state, signal);
    const hypotheses = parts.supervisor.propose(findings, round).map((hypothesis) => ({ ...hypothesis, round }));
    await parts.contextStore.postHypotheses(investigationId, round, hypotheses, parts.fence.token, signal);
    const details = { round, hypotheses: hypotheses.map((one) => one.hypothesisId) };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'hypotheses.proposed', details }, signal);
    for (const { statement } of hypotheses) {
      await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'hypothesis', message: statement });
    }
    const isFirst = hypotheses.length > 0 && state.firstSuspectsMs === undefined;
    return {
      hypotheses,
      ...(isFirst ? { firstSuspectsMs: Math.max(0, parts.clock.nowMs() - state.startedAtMs) } : {}),
    };
  };
}
