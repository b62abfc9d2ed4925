/** Counts the votes: a decision or the last round ends in a verdict, otherwise another round looks closer at who leads. */
import { tallyVotes } from '../../domain/tally-votes.ts';
import { InvariantError } from '../../platform/errors.ts';
import type { InvestigationParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { leadingServices } from '../next-round.ts';
import { announceStep, auditStep } from '../record-step.ts';
import { openBoard } from '../restore-board.ts';

export function createDecideVerdict(parts: InvestigationParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, incident, scope, round } = state;
    const signal = signalOf(config);
    if (!scope) throw new InvariantError(`Investigation ${investigationId} decides without a scope.`);
    const hypotheses = state.hypotheses.filter((hypothesis) => hypothesis.round === round);
    const tally = tallyVotes(
      hypotheses,
      state.votes.filter((vote) => vote.round === round),
    );
    const confidence = Number(tally.confidence.toFixed(3));

    if (tally.outcome === 'undecided' && round < parts.limits.maxRounds) {
      const focus = leadingServices(tally, hypotheses);
      const details = { round, confidence, focus };
      await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'round.undecided', details }, signal);
      const message = `undecided after round ${round} (confidence ${confidence}): looks closer${focus.length > 0 ? ` at ${focus.join(', ')}` : ''}`;
      await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'verdict', message });
      return { tally, round: round + 1, focus };
    }

    const board = await openBoard(parts.contextStore, state, signal);
    const verdict = parts.supervisor.conclude({ incident, scope, board, tally, gaps: board.gaps, round });
    const first = verdict.suspects[0];
    const details = {
      round,
      outcome: verdict.outcome,
      confidence: verdict.confidence,
      first: first?.hypothesisId ?? '',
    };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'verdict.reached', details }, signal);
    const message = verdict.outcome === 'root-cause' && first ? first.statement : 'not enough evidence for a verdict';
    await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'verdict', message });
    return { tally, verdict };
  };
}
