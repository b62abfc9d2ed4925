/** Which votes count: those on hypotheses that exist, with reasons that cite evidence on the board. Pure. */
import type { Board } from '../context-store/context-store.ts';
import { type Hypothesis, type Vote, voteSchema } from '../domain/hypothesis.ts';
import type { AgentName } from '../domain/signal.ts';

/**
 * The agent's votes as they may be cast: under its own name, for this round, without malformed votes, votes on unknown
 * hypotheses, and reasons that cite nothing known. A vote that loses all its reasons stays, as an abstention.
 */
export function admitVotes(
  votes: readonly Vote[],
  ballot: { readonly agent: AgentName; readonly round: number; readonly hypotheses: readonly Hypothesis[] },
  board: Pick<Board, 'evidence'>,
): Vote[] {
  const known = new Set(ballot.hypotheses.map((hypothesis) => hypothesis.hypothesisId));
  const evidence = new Set(board.evidence.map((one) => one.evidenceId));
  return votes
    .filter((vote) => voteSchema.safeParse(vote).success && known.has(vote.hypothesisId))
    .map((vote) => ({
      ...vote,
      agent: ballot.agent,
      round: ballot.round,
      reasons: vote.reasons.filter((reason) => reason.evidenceIds.every((evidenceId) => evidence.has(evidenceId))),
    }));
}
