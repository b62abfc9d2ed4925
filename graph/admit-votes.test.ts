/** A reason counts only when it cites what everybody can look up. */
import { expect, it } from 'vitest';
import type { Vote } from '../domain/hypothesis.ts';
import { admitVotes } from './admit-votes.ts';

const HYPOTHESIS = {
  hypothesisId: 'h1',
  service: 'cart',
  causeType: 'errors' as const,
  statement: 'cart fails.',
  findingIds: [],
  proposedRank: 1,
  round: 2,
};
const EVIDENCE = {
  evidenceId: 'ev_000000000001',
  tool: 'probe',
  input: {},
  queries: [],
  window: { startMs: 1, endMs: 2 },
  takenAtMs: 1,
  summary: '',
};

const admit = (...votes: Vote[]) =>
  admitVotes(votes, { agent: 'log-agent', round: 2, hypotheses: [HYPOTHESIS] }, { evidence: [EVIDENCE] });

const vote = (evidenceIds: string[], members: Partial<Vote> = {}, strength = 0.5): Vote => ({
  agent: 'log-agent',
  hypothesisId: 'h1',
  round: 2,
  reasons: [{ observation: 'logs:cart', stance: 'for', strength, evidenceIds, sentence: '' }],
  ...members,
});

it('admits reasons whose evidence is on the board', () => {
  const good = vote(['ev_000000000001']);
  expect(admit(good)).toEqual([good]);
});

it('drops reasons that cite something unknown, and leaves an abstention', () => {
  expect(admit(vote(['ev_000000000001', 'ev_made_up']))).toEqual([{ ...vote([]), reasons: [] }]);
});

it('drops votes on unknown hypotheses and votes that are malformed', () => {
  const good = ['ev_000000000001'];
  expect(admit(vote(good, { hypothesisId: 'h2' }), vote(good, {}, Number.NaN), vote([]), vote(good, {}, 2))).toEqual(
    [],
  );
});

it('lets nobody vote under another name or in another round', () => {
  const [cast] = admit(vote(['ev_000000000001'], { agent: 'trace-agent', round: 1 }));
  expect(cast).toMatchObject({ agent: 'log-agent', round: 2 });
});
