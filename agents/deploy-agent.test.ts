import { describe, expect, test } from 'vitest';
import { tallyVotes } from '../domain/tally-votes.ts';
import { deployAgent } from './deploy-agent.ts';
import { changeOf, findingOf, scopeOf } from './jury.fixture.ts';
import { logAgent } from './log-agent.ts';
import { supervisor } from './supervisor.ts';

const { calls } = scopeOf('web>stock');
/** stock fails; web shows the echo of it. */
const TROUBLE = [
  findingOf({ service: 'stock', signal: 'logs', strength: 0.5, causeType: 'errors', onsetMs: 3_000_000 }),
  findingOf({ service: 'web', signal: 'logs', strength: 0.4, causeType: 'errors', canEcho: true, onsetMs: 3_000_000 }),
];
const HYPOTHESES = supervisor.propose(TROUBLE, 1);

function strengthsFor(service: string, ...changes: readonly ReturnType<typeof changeOf>[]): number[] {
  const votes = deployAgent.vote({ hypotheses: HYPOTHESES, findings: [...TROUBLE, ...changes], calls, round: 1 });
  const hypothesisId = HYPOTHESES.find((one) => one.service === service)?.hypothesisId;
  const own = votes.filter((vote) => vote.hypothesisId === hypothesisId);
  expect(own).toHaveLength(1);
  return own.flatMap(({ reasons }) => reasons.map(({ strength }) => strength));
}

describe('a change weighs as much as the trouble of its service', () => {
  test('on the guilty', () => {
    expect(strengthsFor('stock', changeOf('stock', 2_990_000))).toEqual([expect.closeTo(0.6 * 0.5, 12)]);
  });

  test('on a service that only echoes another: by what is left of its trouble', () => {
    // stock is accused by 0.5, so half of what web shows is its echo.
    expect(strengthsFor('web', changeOf('web', 2_990_000))).toEqual([expect.closeTo(0.6 * 0.4 * 0.5, 12)]);
  });

  test('not at all on an innocent one, which is not even proposed', () => {
    const decoy = changeOf('ads', 2_999_000);
    expect(supervisor.propose([...TROUBLE, decoy], 1).map(({ service }) => service)).toEqual(['stock', 'web']);
    const [anyone] = HYPOTHESES;
    if (!anyone) return expect.unreachable();
    const accused = { ...anyone, hypothesisId: 'hyp_ads', service: 'ads' };
    const votes = deployAgent.vote({ hypotheses: [accused], findings: [...TROUBLE, decoy], calls, round: 1 });
    expect(votes.flatMap(({ reasons }) => reasons.map(({ strength }) => strength))).toEqual([0]);
  });

  test('and not when it came after the trouble', () => {
    expect(strengthsFor('stock', changeOf('stock', 3_120_000))).toEqual([]);
    expect(strengthsFor('stock', changeOf('stock', 3_030_000))).toHaveLength(1);
  });
});

test('no change, no opinion: one empty vote for each hypothesis', () => {
  const votes = deployAgent.vote({ hypotheses: HYPOTHESES, findings: TROUBLE, calls, round: 4 });
  expect(votes).toEqual(
    HYPOTHESES.map(({ hypothesisId }) => ({ agent: 'deploy-agent', hypothesisId, round: 4, reasons: [] })),
  );
});

test('a change decides between two services in like trouble, and cannot turn an echo into the cause', () => {
  const scoresWith = (change: ReturnType<typeof changeOf>) => {
    const ballot = { hypotheses: HYPOTHESES, findings: [...TROUBLE, change], calls: [], round: 1 };
    const { ranked } = tallyVotes(HYPOTHESES, [...logAgent.vote(ballot), ...deployAgent.vote(ballot)]);
    return new Map(
      ranked.map(({ hypothesisId, score }) => [
        HYPOTHESES.find((one) => one.hypothesisId === hypothesisId)?.service,
        score,
      ]),
    );
  };
  const guilty = scoresWith(changeOf('stock', 2_990_000));
  expect(guilty.get('stock')).toBeCloseTo(1 - 0.5 * (1 - 0.3), 12);
  expect(guilty.get('web')).toBeCloseTo(0.4, 12);
  const decoy = scoresWith(changeOf('ads', 2_999_000));
  expect(decoy.get('stock')).toBeCloseTo(0.5, 12);
  expect(decoy.get('web')).toBeCloseTo(0.4, 12);
});
