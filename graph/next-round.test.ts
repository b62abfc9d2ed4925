/** What a further round looks at. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Tally } from '../domain/hypothesis.ts';
import { timeWindowSchema } from '../domain/time-window.ts';
import { leadingServices, scopeOfRound } from './next-round.ts';

it('focuses on the services that have any score, best first, each once, five at the most', () => {
  const ranked = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g'].map((service, index) => ({
    hypothesisId: `${service}${index}`,
    rank: index + 1,
    score: service === 'c' ? 0 : 1 - index / 10,
    support: 1,
    opposition: 0,
    agentsFor: [],
    agentsAgainst: [],
  }));
  const tally: Tally = { outcome: 'undecided', confidence: 0.4, ranked };
  const hypotheses = ranked.map(({ hypothesisId }) => ({
    hypothesisId,
    service: hypothesisId.slice(0, 1),
    causeType: 'unknown' as const,
    statement: '-',
    findingIds: [],
    proposedRank: 1,
    round: 1,
  }));
  expect(leadingServices(tally, hypotheses)).toEqual(['a', 'b', 'd', 'e', 'f']);
});

const located = {
  onsetMs: 700,
  onsetGrid: { firstMs: 1, stepSeconds: 20, count: 1 },
  calls: [],
  onsetReason: 'seen',
  evidenceIds: ['ev_1'],
  window: { startMs: 700, endMs: 900 },
};

it('looks at the located scope first, then half a window earlier and to the end of the search', () => {
  const scope = { ...located, baseline: { startMs: 100, endMs: 700 } };
  const search = { startMs: 0, endMs: 1_000 };
  expect(scopeOfRound(scope, search, 1)).toBe(scope);
  expect(scopeOfRound(scope, search, 2)).toEqual({
    ...scope,
    window: { startMs: 600, endMs: 1_000 },
    baseline: { startMs: 100, endMs: 600 },
  });
});

it('never narrows the window, never leaves the search, and keeps a baseline before it', () => {
  const anyScope = fc
    .uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 4, maxLength: 4 })
    .map((times) => times.sort((left, right) => left - right))
    .map(([searchStart = 0, baselineStart = 0, onset = 0, end = 0]) => ({
      search: { startMs: searchStart, endMs: end },
      scope: {
        ...located,
        onsetMs: onset,
        window: { startMs: onset, endMs: end },
        baseline: { startMs: baselineStart, endMs: onset },
      },
    }));
  fc.assert(
    fc.property(anyScope, fc.integer({ min: 1, max: 5 }), ({ search, scope }, round) => {
      const { window, baseline } = scopeOfRound(scope, search, round);
      expect(window.startMs).toBeLessThanOrEqual(scope.window.startMs);
      expect(window.startMs).toBeGreaterThanOrEqual(search.startMs);
      expect(window.endMs).toBeGreaterThanOrEqual(scope.window.endMs);
      expect(timeWindowSchema.parse(baseline).endMs).toBeLessThanOrEqual(window.startMs);
    }),
  );
});
