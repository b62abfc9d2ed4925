import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Prediction, predictionSchema } from '../prediction.ts';
import { type CommitCase, type CommitTruth, nameCommits } from './name-commits.ts';

const CULPRIT = 'c0ffee1'.padEnd(40, '0');
const DECOY = 'dec0ded'.padEnd(40, '1');
const OTHER = 'abcdef0'.padEnd(40, '2');

const TRUTH: CommitTruth = {
  caseId: 'a',
  difficulty: 'hard',
  commit: CULPRIT,
  firstFailingService: 'orders',
  blastRadius: ['web', 'mail'],
  remediation: 'rollback',
  decoys: [DECOY],
};

function answer(commit: string | undefined, words: Partial<Prediction> = {}): Prediction {
  return predictionSchema.parse({
    case_id: 'a',
    abstained: false,
    confidence: 0.6,
    onset_utc: '2024-05-06T08:43:30.000Z',
    suspects: [{ service: 'orders', ...(commit === undefined ? {} : { commit }), score: 0.6 }],
    seconds: 1,
    ...words,
  });
}

function scoreOne(prediction: Prediction, truth: CommitTruth = TRUTH): CommitCase {
  const [only] = nameCommits([prediction], [truth]).cases;
  return only ?? expect.unreachable();
}

describe('nameCommits', () => {
  test.each([
    ['the whole hash', CULPRIT, true],
    ['seven digits of it', 'c0ffee1', true],
    ['the same in capitals', 'C0FFEE1', true],
    ['six digits', 'c0ffee', false],
    ['more than the hash', `${CULPRIT}0`, false],
    ['another commit', OTHER, false],
    ['no commit', undefined, false],
    ['an empty one', '', false],
  ])('%s', (_, commit, isPass) => {
    expect(scoreOne(answer(commit)).isPass).toBe(isPass);
  });

  test('no commit is the right answer where none did it, whether claimed or abstained', () => {
    const truth = { ...TRUTH, commit: 'none' };
    expect(scoreOne(answer(undefined), truth)).toMatchObject({ isPass: true, answer: 'none', reward: 1 });
    expect(scoreOne(answer(undefined, { abstained: true, suspects: [] }), truth).isPass).toBe(true);
    expect(scoreOne(answer(OTHER), truth)).toMatchObject({ isPass: false, isDecoy: false });
    expect(scoreOne(answer(DECOY), truth)).toMatchObject({ isDecoy: true, reward: 0 });
  });

  test('what the first suspect says counts, not the others', () => {
    const suspects = [OTHER, CULPRIT].map((commit) => ({ service: 'orders', commit, score: 0.5 }));
    expect(scoreOne(answer(undefined, { suspects })).isPass).toBe(false);
  });

  test('a decoy earns nothing however right the rest; other mistakes earn up to a half', () => {
    const rest = { first_failing_service: 'orders', blast_radius: ['mail', 'web'], remediation: 'Rollback' };
    expect(scoreOne(answer(DECOY.slice(0, 8), rest))).toMatchObject({ isDecoy: true, reward: 0 });
    expect(scoreOne(answer(OTHER, rest)).reward).toBeCloseTo(0.5);
    expect(scoreOne(answer(undefined, { ...rest, blast_radius: ['web'] })).reward).toBeCloseTo(
      0.5 * (0.5 + 0.15 + 0.2),
    );
    expect(scoreOne(answer(OTHER, { ...rest, first_failing_service: 'web' })).reward).toBeCloseTo(0.25);
    expect(scoreOne(answer(OTHER)).reward).toBe(0);
    expect(scoreOne(answer(OTHER), { ...TRUTH, blastRadius: [] }).blastRadius).toBe(1);
  });

  test('counts over the cases that have a truth', () => {
    const truths = ['a', 'b', 'c'].map((caseId) => ({ ...TRUTH, caseId }));
    const predictions = [
      answer(CULPRIT),
      answer(DECOY, { case_id: 'b' }),
      answer(OTHER, { case_id: 'c', first_failing_service: 'orders' }),
      answer(CULPRIT, { case_id: 'unknown' }),
    ];
    expect(nameCommits(predictions, truths)).toMatchObject({ passed: 1, decoysBlamed: 1, reward: (1 + 0 + 0.25) / 3 });
    expect(nameCommits([], truths)).toMatchObject({ passed: 0, decoysBlamed: 0, reward: 0, cases: [] });
  });

  test('for any answer: the reward lies in 0..1, is 1 for a pass alone, and at most a half otherwise', () => {
    const services = fc.array(fc.constantFrom('web', 'mail', 'orders', 'stock'), { maxLength: 5 });
    const anyAnswer = fc.record({
      commit: fc.constantFrom(CULPRIT, DECOY, OTHER, undefined, 'none', ''),
      truth: fc.constantFrom(CULPRIT, 'none'),
      blast_radius: services,
      blastRadius: services,
      remediation: fc.constantFrom('rollback', 'scale', ''),
    });
    fc.assert(
      fc.property(anyAnswer, ({ commit, truth, blastRadius, ...words }) => {
        const one = scoreOne(answer(commit, words), { ...TRUTH, commit: truth, blastRadius });
        expect(one.reward === 1).toBe(one.isPass);
        if (!one.isPass) expect(one.reward).toBeLessThanOrEqual(0.5);
        if (one.isDecoy) expect(one.reward).toBe(0);
      }),
    );
  });
});
