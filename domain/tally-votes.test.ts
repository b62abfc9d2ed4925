/** The algebra of the tally, and the two promises made to users: votes can overturn the proposer, echoes cannot. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hypothesis, Tally, Vote, VoteReason } from './hypothesis.ts';
import { AGENT_NAMES, type AgentName } from './signal.ts';
import { DECISION_CONFIDENCE, tallyVotes } from './tally-votes.ts';

const hypothesis = (hypothesisId: string, proposedRank: number, service = hypothesisId): Hypothesis => ({
  hypothesisId,
  service,
  causeType: 'unknown',
  statement: `${service} is the cause.`,
  findingIds: [],
  proposedRank,
  round: 1,
});

const reason = (observation: string, stance: VoteReason['stance'], strength: number): VoteReason => ({
  observation,
  stance,
  strength,
  evidenceIds: ['ev_000000000000'],
  sentence: observation,
});

const vote = (agent: AgentName, hypothesisId: string, ...reasons: VoteReason[]): Vote => ({
  agent,
  hypothesisId,
  round: 1,
  reasons,
});

const order = (tally: Tally) => tally.ranked.map((one) => one.hypothesisId);
const figures = (tally: Tally) =>
  tally.ranked.map(({ hypothesisId, rank, score, support, opposition }) => ({
    hypothesisId,
    rank,
    score,
    support,
    opposition,
  }));

const HYPOTHESES = [hypothesis('a', 1), hypothesis('b', 2), hypothesis('c', 3), hypothesis('d', 4, 'c')];
const anyReason: fc.Arbitrary<VoteReason> = fc.record({
  observation: fc.constantFrom<string[]>(
    'metrics:cpu',
    'logs:errors',
    'traces:origin',
    'changes:deploy',
    'metrics:memory',
  ),
  stance: fc.constantFrom('for' as const, 'against' as const),
  // Few values on purpose, so that ties are common.
  strength: fc.oneof(fc.constantFrom(0, 0.25, 0.5, 0.9, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  evidenceIds: fc.constant<string[]>(['ev_000000000000']),
  sentence: fc.constant<string>(''),
});
const anyVote: fc.Arbitrary<Vote> = fc.record({
  agent: fc.constantFrom(...AGENT_NAMES),
  hypothesisId: fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'unknown'),
  round: fc.constant<number>(1),
  reasons: fc.array(anyReason, { maxLength: 4 }),
});
const anyVotes = fc.array(anyVote, { maxLength: 16 });

describe('tallyVotes', () => {
  it("lets votes overturn the proposer's first choice", () => {
    const proposed = [hypothesis('frontend', 1), hypothesis('payment', 2)];
    const tally = tallyVotes(proposed, [
      vote('metrics-agent', 'frontend', reason('metrics:frontend:duration', 'for', 0.8)),
      vote('trace-agent', 'frontend', reason('traces:payment:error-origin', 'against', 0.9)),
      vote('trace-agent', 'payment', reason('traces:payment:error-origin', 'for', 0.9)),
      vote('log-agent', 'payment', reason('logs:payment:new-template', 'for', 0.6)),
    ]);
    expect(order(tally)).toEqual(['payment', 'frontend']);
    expect(tally.outcome).toBe('decided');
    expect(tally.ranked[1]).toMatchObject({ agentsFor: ['metrics-agent'], agentsAgainst: ['trace-agent'] });
  });

  it('counts the same evidence once, also when it is given twice', () => {
    const proposed = [hypothesis('cart', 1), hypothesis('payment', 2)];
    const once = [
      vote('metrics-agent', 'cart', reason('metrics:cart:cpu', 'for', 0.7)),
      vote('log-agent', 'payment', reason('logs:payment:errors', 'for', 0.8)),
    ];
    expect(tallyVotes(proposed, [...once, ...once])).toEqual(tallyVotes(proposed, once));
    const echoed = [...once, vote('trace-agent', 'cart', reason('metrics:cart:cpu', 'for', 0.7))];
    expect(figures(tallyVotes(proposed, echoed))).toEqual(figures(tallyVotes(proposed, once)));
    const independent = [...once, vote('trace-agent', 'cart', reason('traces:cart:self-time', 'for', 0.7))];
    expect(order(tallyVotes(proposed, independent))).toEqual(['cart', 'payment']);
  });

  it('combines independent observations and subtracts opposition', () => {
    const tally = tallyVotes(HYPOTHESES, [
      vote('metrics-agent', 'b', reason('metrics:cpu', 'for', 0.5), reason('metrics:memory', 'for', 0.5)),
      vote('log-agent', 'b', reason('logs:quiet', 'against', 0.2), reason('metrics:cpu', 'for', 0.4)),
    ]);
    expect(tally.ranked[0]).toMatchObject({
      hypothesisId: 'b',
      rank: 1,
      support: 0.75,
      opposition: expect.closeTo(0.2),
    });
    expect(tally.ranked[0]?.score).toBeCloseTo(0.6);
    expect(tally.confidence).toBeCloseTo(0.6 / 0.7);
  });

  it('is undecided between equals, on nothing, and without hypotheses', () => {
    const equal = [
      vote('log-agent', 'a', reason('logs:errors', 'for', 0.9)),
      vote('log-agent', 'b', reason('metrics:cpu', 'for', 0.9)),
    ];
    expect(tallyVotes(HYPOTHESES, equal)).toMatchObject({
      outcome: 'undecided',
      confidence: expect.closeTo(0.9 / 1.9),
    });
    expect(tallyVotes(HYPOTHESES, [])).toMatchObject({ outcome: 'undecided', confidence: 0 });
    expect(tallyVotes([], equal)).toEqual({ outcome: 'undecided', confidence: 0, ranked: [] });
  });

  it('does not let two readings of one service doubt each other', () => {
    const tally = tallyVotes(HYPOTHESES, [
      vote('metrics-agent', 'c', reason('metrics:cpu', 'for', 0.8)),
      vote('log-agent', 'd', reason('logs:errors', 'for', 0.8)),
    ]);
    expect(tally.confidence).toBeCloseTo(0.8 / 0.9);
  });

  it('breaks ties by support, then grounds, then the proposer, then the id', () => {
    const bySupport = [
      vote('log-agent', 'b', reason('logs:errors', 'for', 1), reason('logs:quiet', 'against', 0.5)),
      vote('log-agent', 'a', reason('metrics:cpu', 'for', 0.5)),
    ];
    expect(order(tallyVotes(HYPOTHESES, bySupport)).slice(0, 2)).toEqual(['b', 'a']);
    const byGrounds = [
      vote('log-agent', 'a', reason('metrics:cpu', 'for', 0.75)),
      vote('log-agent', 'b', reason('logs:errors', 'for', 0.5), reason('traces:origin', 'for', 0.5)),
    ];
    expect(order(tallyVotes(HYPOTHESES, byGrounds)).slice(0, 2)).toEqual(['b', 'a']);
    expect(order(tallyVotes([hypothesis('z', 2), hypothesis('y', 1)], []))).toEqual(['y', 'z']);
    expect(order(tallyVotes([hypothesis('z', 1), hypothesis('y', 1)], []))).toEqual(['y', 'z']);
  });

  it('does not depend on any order', () => {
    const shuffled = anyVotes.chain((votes) =>
      fc.tuple(
        fc.constant(votes),
        fc.shuffledSubarray(votes, { minLength: votes.length, maxLength: votes.length }),
        fc.shuffledSubarray(HYPOTHESES, { minLength: HYPOTHESES.length, maxLength: HYPOTHESES.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([votes, otherVotes, otherHypotheses]) => {
        const reversed = otherVotes.map((one) => ({ ...one, reasons: one.reasons.toReversed() }));
        expect(tallyVotes(otherHypotheses, reversed)).toEqual(tallyVotes(HYPOTHESES, votes));
      }),
    );
  });

  it('does not change when votes are repeated, by the same agent or as an echo by another', () => {
    fc.assert(
      fc.property(anyVotes, fc.constantFrom(...AGENT_NAMES), (votes, echoing) => {
        const tally = tallyVotes(HYPOTHESES, votes);
        expect(tallyVotes(HYPOTHESES, [...votes, ...votes])).toEqual(tally);
        const echoed = tallyVotes(HYPOTHESES, [...votes, ...votes.map((one) => ({ ...one, agent: echoing }))]);
        expect(figures(echoed)).toEqual(figures(tally));
        expect([echoed.outcome, echoed.confidence]).toEqual([tally.outcome, tally.confidence]);
      }),
    );
  });

  it('never lowers a hypothesis by adding support for it', () => {
    fc.assert(
      fc.property(anyVotes, anyReason, fc.constantFrom('a', 'b', 'c', 'd'), (votes, added, hypothesisId) => {
        const more = [...votes, vote('log-agent', hypothesisId, { ...added, stance: 'for' })];
        const [before, after] = [votes, more].map((cast) =>
          tallyVotes(HYPOTHESES, cast).ranked.find((one) => one.hypothesisId === hypothesisId),
        );
        expect(after?.score).toBeGreaterThanOrEqual(before?.score ?? Number.NaN);
        expect(after?.rank).toBeLessThanOrEqual(before?.rank ?? Number.NaN);
      }),
    );
  });

  it('keeps every figure in 0..1, and decides exactly from the threshold on, never on a tie', () => {
    fc.assert(
      fc.property(anyVotes, (votes) => {
        const { ranked, confidence, outcome } = tallyVotes(HYPOTHESES, votes);
        const values = [
          confidence,
          ...ranked.flatMap(({ score, support, opposition }) => [score, support, opposition]),
        ];
        expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(ranked.map((one) => one.rank)).toEqual([1, 2, 3, 4]);
        expect(outcome).toBe(confidence >= DECISION_CONFIDENCE ? 'decided' : 'undecided');
        expect(confidence).toBeLessThan(1);
        const serviceOf = new Map(HYPOTHESES.map(({ hypothesisId, service }) => [hypothesisId, service]));
        const [first, ...others] = ranked;
        const firstService = serviceOf.get(first?.hypothesisId ?? '');
        const rival = others.find(({ hypothesisId }) => serviceOf.get(hypothesisId) !== firstService);
        if (first && rival && rival.score === first.score) expect(outcome).toBe('undecided');
      }),
    );
  });
});
