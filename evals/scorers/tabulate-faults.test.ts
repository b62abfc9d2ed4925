import { expect, test } from 'vitest';
import { type Prediction, predictionSchema } from '../prediction.ts';
import { describeFaults, type FaultTruth, tabulateFaults } from './tabulate-faults.ts';

const truth = (faultType: string, seed: number, words: Partial<FaultTruth> = {}): FaultTruth => ({
  caseId: `${faultType}-${seed}`,
  service: 'orders',
  faultType,
  seed,
  causeType: 'errors',
  injectMs: 0,
  ...words,
});

function said(
  caseId: string,
  service: string | undefined,
  words: { abstained?: boolean; type?: string } = {},
): Prediction {
  const { abstained = false, type } = words;
  return predictionSchema.parse({
    case_id: caseId,
    abstained,
    confidence: 0.5,
    onset_utc: '2024-05-06T08:43:30.000Z',
    suspects: service === undefined ? [] : [{ service, ...(type ? { cause_type: type } : {}), score: 0.5 }],
    seconds: 1,
  });
}

const OUTAGE = { service: 'payments.example', causeType: 'external-dependency' } as const;
const TRUTHS = [
  ...[1, 2, 3].map((seed) => truth('burst', seed)),
  ...[1, 2, 3].map((seed) => truth('outage', seed, OUTAGE)),
  truth('never-run', 1),
];
const CELLS = tabulateFaults(
  [
    said('burst-1', 'orders', { type: 'errors' }),
    said('burst-2', 'web', { type: 'errors' }),
    said('burst-3', 'orders', { abstained: true }),
    said('outage-1', 'payments.example', { type: 'external-dependency' }),
    said('outage-2', undefined, { abstained: true }),
    said('outage-3', 'orders'),
    said('quiet-1', 'web'),
  ],
  TRUTHS,
);

test('sorts each verdict into right, wrong or abstained, and its cause type apart', () => {
  expect(CELLS.map(({ caseId, verdict, isCauseTypeRight }) => [caseId, verdict, isCauseTypeRight])).toEqual([
    ['burst-1', 'right', true],
    ['burst-2', 'wrong', true],
    ['burst-3', 'abstained', false],
    ['outage-1', 'right', true],
    ['outage-2', 'abstained', false],
    ['outage-3', 'wrong', false],
  ]);
});

test('prints a line for each kind and a column for each seed; an outage outside has two right answers', () => {
  const [head, ...lines] = describeFaults(CELLS).split('\n');
  expect(head).toMatch(/seed 1 +seed 2 +seed 3 +cause type right/);
  expect(lines.map((line) => line.replace(/ +/g, ' '))).toEqual([
    'burst right wrong abstained 2/3',
    'outage right abstained wrong 1/3',
    'right 2, wrong 2, abstained 2 of 6; cause type right 3',
    'of 3 outages outside: 1 named the provider, 1 abstained (right answers both), 1 wrong',
  ]);
});

test('says nothing about nothing, and nothing of outages where there were none', () => {
  expect(describeFaults(tabulateFaults([said('quiet-1', 'web')], TRUTHS))).toBe('');
  expect(describeFaults(CELLS.slice(0, 1))).not.toContain('outside');
});
