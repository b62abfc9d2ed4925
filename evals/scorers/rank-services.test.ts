import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Prediction, predictionSchema } from '../prediction.ts';
import { rankServices, type ServiceTruth } from './rank-services.ts';

const INJECTED_MS = Date.UTC(2024, 4, 6, 8, 43);

const truth = (caseId: string, service: string): ServiceTruth => ({
  caseId,
  service,
  faultType: 'delay',
  injectMs: INJECTED_MS,
});

function prediction(caseId: string, services: readonly string[], words: Partial<Prediction> = {}): Prediction {
  return predictionSchema.parse({
    case_id: caseId,
    abstained: false,
    confidence: 0.7,
    onset_utc: '2024-05-06T08:43:30.000Z',
    suspects: services.map((service) => ({ service, score: 0.5 })),
    seconds: 2,
    ...words,
  });
}

describe('rankServices', () => {
  test('counts the cases whose true service stands among the first k', () => {
    const score = rankServices(
      [
        prediction('a', ['x', 'y']),
        prediction('b', ['y', 'x']),
        prediction('c', ['1', '2', '3', 'x']),
        prediction('d', ['1', '2', '3', '4', '5', 'x']),
        prediction('e', []),
      ],
      ['a', 'b', 'c', 'd', 'e'].map((caseId) => truth(caseId, 'x')),
    );
    expect(score.hits).toEqual({ 1: 20, 3: 40, 5: 60 });
    expect(score.cases.map(({ rank, first }) => [rank, first])).toEqual([
      [1, 'x'],
      [2, 'y'],
      [4, '1'],
      [6, '1'],
      [undefined, ''],
    ]);
    expect(score.cases[0]).toMatchObject({ onsetErrorSeconds: 30, faultType: 'delay', truth: 'x', confidence: 0.7 });
  });

  test('shares no rank: equal scores keep the order they were given in', () => {
    const [first] = rankServices([prediction('a', ['y', 'z', 'x'])], [truth('a', 'x')]).cases;
    expect(first?.rank).toBe(3);
  });

  test('gives a service that is named twice, for two pods, one rank', () => {
    const [first] = rankServices([prediction('a', ['y', 'y', 'y', 'x'])], [truth('a', 'x')]).cases;
    expect(first?.rank).toBe(2);
  });

  test('leaves out predictions without a truth, and truths without a prediction', () => {
    const score = rankServices(
      [prediction('a', ['x']), prediction('quiet', ['x'])],
      [truth('a', 'x'), truth('b', 'x')],
    );
    expect(score.cases.map(({ caseId }) => caseId)).toEqual(['a']);
    expect(score.hits[1]).toBe(100);
    expect(rankServices([], [truth('a', 'x')])).toMatchObject({
      cases: [],
      hits: { 1: 0, 3: 0, 5: 0 },
      medianSeconds: 0,
    });
  });

  test('ranks the leads of an abstention, counts it, and does not call it a false accusation', () => {
    const score = rankServices(
      [
        prediction('a', ['x'], { abstained: true }),
        prediction('b', ['y'], { abstained: true }),
        prediction('c', ['y']),
        prediction('d', ['x']),
      ],
      ['a', 'b', 'c', 'd'].map((caseId) => truth(caseId, 'x')),
    );
    expect(score).toMatchObject({ abstained: 2, falseAccusations: 25 });
    expect(score.hits[1]).toBe(50);
  });

  test('tells the median of the seconds, also of an even number of cases', () => {
    const secondsOf = (...seconds: readonly number[]) =>
      rankServices(
        seconds.map((value, index) => prediction(`${index}`, ['x'], { seconds: value })),
        seconds.map((_, index) => truth(`${index}`, 'x')),
      ).medianSeconds;
    expect(secondsOf(9, 1, 2)).toBe(2);
    expect(secondsOf(10, 1, 2, 4)).toBe(3);
  });

  test('for any predictions: ranks are unique, shares grow with k, everything lies in 0..100', () => {
    const service = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const anyCase = fc.record({
      services: fc.array(service, { maxLength: 8 }),
      truth: service,
      abstained: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyCase, { maxLength: 10 }), (cases) => {
        const score = rankServices(
          cases.map(({ services, abstained }, index) => prediction(`${index}`, services, { abstained })),
          cases.map((one, index) => truth(`${index}`, one.truth)),
        );
        const { hits } = score;
        expect(hits[1]).toBeLessThanOrEqual(hits[3]);
        expect(hits[3]).toBeLessThanOrEqual(hits[5]);
        for (const share of [...Object.values(hits), score.falseAccusations]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(100);
        }
        for (const [index, { rank }] of score.cases.entries()) {
          const distinct = new Set(cases[index]?.services).size;
          if (rank !== undefined) expect(rank).toBeLessThanOrEqual(distinct);
        }
      }),
    );
  });
});
