/**
 * The rule by which votes become a ranking. Pure: the same votes in any order give the same tally, and an observation counts
 * once however many agents repeat it, so that a crowd echoing one fact never outweighs two facts.
 */
import type { Hypothesis, TalliedHypothesis, Tally, Vote, VoteReason } from './hypothesis.ts';
import type { AgentName } from './signal.ts';
import { combineStrengths } from './statistics/shift.ts';

/** From this confidence on the jury has decided; below it another round, or an abstention, is the honest answer. */
export const DECISION_CONFIDENCE = 0.5;

/** Scores above this do not occur in quiet time: the best of quiet simulated shops reached 0.3, of fault-free minutes 0.53. */
const ENOUGH = 0.6;

/** Weight of the cause that nobody can see: even a single suspect with a full score is not certain. */
const UNSEEN = 0.1;

interface Weighed {
  readonly hypothesis: Hypothesis;
  readonly score: number;
  readonly support: number;
  readonly opposition: number;
  /** How many independent observations speak for it. */
  readonly grounds: number;
  readonly agentsFor: AgentName[];
  readonly agentsAgainst: AgentName[];
}

/**
 * Ranks the hypotheses of one round by the votes of that round.
 *
 * For each hypothesis the strengths of independent observations combine as a noisy-or (Pearl 1988, section 4.3.2):
 * support = 1 - prod(1 - s), opposition the same, score = support * (1 - opposition), all 0..1. An observation has one
 * strength for each stance, the greatest anybody gave it. Ties go to the greater support, then to more independent
 * observations for it, then to the proposer's order, then to the id.
 *
 * confidence = first / (first + rival + UNSEEN) * min(1, first / ENOUGH), where first is the best score and rival the best score of a
 * hypothesis that accuses another service (two readings of one service's trouble do not doubt each other). The share says how
 * far it stands above the next and above a cause that no telemetry shows, so that a tie never decides and nothing is certain;
 * the second factor doubts what is no stronger than what quiet time shows.
 */
export function tallyVotes(hypotheses: readonly Hypothesis[], votes: readonly Vote[]): Tally {
  const weighed = hypotheses.map((hypothesis) => weigh(hypothesis, votes)).sort(compareWeighed);
  const confidence = confidenceOf(weighed);
  return {
    outcome: confidence >= DECISION_CONFIDENCE ? 'decided' : 'undecided',
    confidence,
    ranked: weighed.map(
      ({ hypothesis, score, support, opposition, agentsFor, agentsAgainst }, index): TalliedHypothesis => ({
        hypothesisId: hypothesis.hypothesisId,
        rank: index + 1,
        score,
        support,
        opposition,
        agentsFor,
        agentsAgainst,
      }),
    ),
  };
}

function weigh(hypothesis: Hypothesis, votes: readonly Vote[]): Weighed {
  const own = votes.filter((vote) => vote.hypothesisId === hypothesis.hypothesisId);
  const grounds = strengthsOf(own, 'for');
  const support = combineStrengths(grounds);
  const opposition = combineStrengths(strengthsOf(own, 'against'));
  return {
    hypothesis,
    score: support * (1 - opposition),
    support,
    opposition,
    grounds: grounds.length,
    agentsFor: agentsOf(own, 'for'),
    agentsAgainst: agentsOf(own, 'against'),
  };
}

/** One strength for each independent observation of that stance; what weighs nothing is no observation. */
function strengthsOf(votes: readonly Vote[], stance: VoteReason['stance']): number[] {
  const strongest = new Map<string, number>();
  for (const reason of votes.flatMap((vote) => vote.reasons)) {
    if (reason.stance !== stance || reason.strength === 0) continue;
    strongest.set(reason.observation, Math.max(reason.strength, strongest.get(reason.observation) ?? 0));
  }
  // In the order of names: the last bit of a floating-point product depends on the order of its factors.
  return [...strongest].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, strength]) => strength);
}

function agentsOf(votes: readonly Vote[], stance: VoteReason['stance']): AgentName[] {
  const speaking = votes.filter((vote) =>
    vote.reasons.some((reason) => reason.stance === stance && reason.strength > 0),
  );
  return [...new Set(speaking.map((vote) => vote.agent))].sort();
}

function compareWeighed(left: Weighed, right: Weighed): number {
  return (
    right.score - left.score ||
    right.support - left.support ||
    right.grounds - left.grounds ||
    left.hypothesis.proposedRank - right.hypothesis.proposedRank ||
    (left.hypothesis.hypothesisId < right.hypothesis.hypothesisId ? -1 : 1)
  );
}

function confidenceOf(ranked: readonly Weighed[]): number {
  const first = ranked[0];
  if (!first || first.score === 0) return 0;
  const rival = ranked.find((other) => other.hypothesis.service !== first.hypothesis.service)?.score ?? 0;
  return (first.score / (first.score + rival + UNSEEN)) * Math.min(1, first.score / ENOUGH);
}
