/** Every agent scores every hypothesis of the round on the evidence on the board. An agent that fails abstains. */
import type { Agent, Ballot } from '../../agents/agent.ts';
import type { Board } from '../../context-store/context-store.ts';
import type { Vote } from '../../domain/hypothesis.ts';
import { admitVotes } from '../admit-votes.ts';
import type { RunParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';
import { openBoard } from '../restore-board.ts';

export function createCastVotes(parts: RunParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, round, scope } = state;
    const signal = signalOf(config);
    const board = await openBoard(parts, state, signal);
    for (const agent of parts.agents) {
      const hypotheses = board.hypotheses.filter((hypothesis) => hypothesis.round === round);
      const ballot = { hypotheses, findings: board.findings, calls: scope?.calls ?? [], round };
      const votes = askAgent(parts, agent, ballot, board);
      await parts.contextStore.castVotes(investigationId, agent.name, votes, parts.fence.token, signal);
      await announceStep(parts, investigationId, { actor: agent.name, kind: 'vote', message: describeVotes(votes) });
    }
    const { votes } = await parts.contextStore.readBoard(investigationId, signal);
    const cast = votes.filter((vote) => vote.round === round);
    const details = { round, votes: cast.length, reasons: cast.flatMap((vote) => vote.reasons).length };
    await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'votes.cast', details }, signal);
    return { votes: cast };
  };
}

function askAgent(parts: RunParts, agent: Agent, ballot: Ballot, board: Board): Vote[] {
  try {
    return admitVotes(agent.vote(ballot), { agent: agent.name, ...ballot }, board);
  } catch (error) {
    parts.logger.error({ agent: agent.name, round: ballot.round, err: error }, 'an agent could not vote');
    return [];
  }
}

function describeVotes(votes: readonly Vote[]): string {
  const reasons = votes.flatMap((vote) => vote.reasons);
  const against = reasons.filter((reason) => reason.stance === 'against').length;
  return `${reasons.length - against} reasons for, ${against} against, on ${votes.length} hypotheses`;
}
