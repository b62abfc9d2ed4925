/** The promise of the jury, kept by the real agents: whoever shows most is proposed first, and votes can overturn that. */
import { expect, test } from 'vitest';
import type { AgentName } from '../domain/signal.ts';
import { tallyVotes } from '../domain/tally-votes.ts';
import type { Agent, Ballot } from './agent.ts';
import { deployAgent } from './deploy-agent.ts';
import { changeOf, findingOf, scopeOf } from './jury.fixture.ts';
import { logAgent } from './log-agent.ts';
import { metricsAgent } from './metrics-agent.ts';
import { supervisor } from './supervisor.ts';
import { traceAgent } from './trace-agent.ts';

const AGENTS: readonly Agent[] = [metricsAgent, logAgent, traceAgent, deployAgent];

/** The frontend shows trouble everywhere, and was deployed just now; all of it echoes that payment fails. */
const FINDINGS = [
  findingOf({ service: 'frontend', signal: 'traces', causeType: 'slow-processing', strength: 0.7, canEcho: true }),
  findingOf({ service: 'frontend', signal: 'logs', causeType: 'errors', strength: 0.7, canEcho: true }),
  findingOf({ service: 'frontend', signal: 'logs', causeType: 'code-path-change', strength: 0.6, canEcho: true }),
  changeOf('frontend', 2_990_000),
  findingOf({ service: 'payment', signal: 'traces', causeType: 'errors', strength: 0.8 }),
  findingOf({ service: 'payment', signal: 'logs', causeType: 'errors', strength: 0.4, canEcho: true }),
];
const { calls } = scopeOf('frontend>checkout', 'frontend>payment');

function ballotOf(findings = FINDINGS): Ballot {
  return { hypotheses: supervisor.propose(findings, 1), findings, calls, round: 1 };
}

function rankingBy(agents: readonly Agent[], ballot = ballotOf()) {
  const tally = tallyVotes(
    ballot.hypotheses,
    agents.flatMap((agent) => agent.vote(ballot)),
  );
  const serviceOf = new Map(ballot.hypotheses.map(({ hypothesisId, service }) => [hypothesisId, service]));
  return { tally, services: tally.ranked.map(({ hypothesisId }) => serviceOf.get(hypothesisId)) };
}

test("the proposer's first choice loses to the service it calls once the trace agent votes", () => {
  expect(ballotOf().hypotheses.map(({ service }) => service)).toEqual(['frontend', 'payment']);
  const without = AGENTS.filter(({ name }) => name !== 'trace-agent');
  expect(rankingBy(without).services).toEqual(['frontend', 'payment']);

  const { services, tally } = rankingBy(AGENTS);
  expect(services).toEqual(['payment', 'frontend']);
  expect(tally.outcome).toBe('decided');
  expect(tally.ranked[1]).toMatchObject({
    agentsFor: ['deploy-agent', 'log-agent', 'trace-agent'] satisfies AgentName[],
    agentsAgainst: ['trace-agent'] satisfies AgentName[],
  });
});

test('the dissent is shown with the evidence of the callee', () => {
  const against = traceAgent
    .vote(ballotOf())
    .flatMap(({ reasons }) => reasons)
    .filter(({ stance }) => stance === 'against');
  expect(against).toEqual([
    {
      observation: 'traces:echo:frontend',
      stance: 'against',
      strength: expect.any(Number),
      evidenceIds: ['ev:traces:errors:payment'],
      sentence: 'What frontend shows, payment, which it calls, explains.',
    },
  ]);
});

test('what only a caller can have done stays its own: short of CPU, it is not excused by its callees', () => {
  const starved = [
    ...FINDINGS,
    findingOf({ service: 'frontend', signal: 'metrics', causeType: 'cpu-saturation', strength: 0.95 }),
  ];
  expect(rankingBy(AGENTS, ballotOf(starved)).services).toEqual(['frontend', 'payment']);
});

test('the same findings twice, as a second round brings them, change nothing', () => {
  const again = FINDINGS.map((finding) => ({
    ...finding,
    findingId: `${finding.findingId}:2`,
    taskId: 'task:round:2',
  }));
  const once = rankingBy(AGENTS).tally;
  const twice = rankingBy(AGENTS, ballotOf([...FINDINGS, ...again])).tally;
  expect(twice.confidence).toBeCloseTo(once.confidence, 12);
  expect(twice.ranked.map(({ hypothesisId }) => hypothesisId)).toEqual(
    once.ranked.map(({ hypothesisId }) => hypothesisId),
  );
  for (const [index, { score }] of twice.ranked.entries())
    expect(score).toBeCloseTo(once.ranked[index]?.score ?? 2, 12);
});
