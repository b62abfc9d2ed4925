import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../domain/change.ts';
import { createEvidence } from '../domain/evidence.ts';
import { type CauseType, causeTypeSchema } from '../domain/finding.ts';
import { hypothesisSchema } from '../domain/hypothesis.ts';
import { taskSchema, type Verdict } from '../domain/investigation.ts';
import { AGENT_NAMES } from '../domain/signal.ts';
import { changeOf, type FindingWords, findingOf, INCIDENT, scopeOf } from './jury.fixture.ts';
import { supervisor } from './supervisor.ts';

const SCOPE = scopeOf('web>stock');

describe('plan', () => {
  test('asks each agent one question', () => {
    const tasks = supervisor.plan(INCIDENT, SCOPE, 1);
    expect(tasks.map(({ agent }) => agent)).toEqual(AGENT_NAMES);
    for (const task of tasks) {
      expect(taskSchema.parse(task)).toMatchObject({ investigationId: 'inv_1', round: 1, scope: SCOPE });
    }
    expect(new Set(tasks.map(({ question }) => question)).size).toBe(AGENT_NAMES.length);
  });

  test('gives ids that are functions of the investigation, the agent and the round', () => {
    const ids = (investigationId: string, round: number) =>
      supervisor.plan({ ...INCIDENT, investigationId }, SCOPE, round).map(({ taskId }) => taskId);
    expect(ids('inv_1', 1)).toEqual(ids('inv_1', 1));
    const all = [...ids('inv_1', 1), ...ids('inv_1', 2), ...ids('inv_2', 1)];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('propose', () => {
  const propose = (...findings: readonly FindingWords[]) => supervisor.propose(findings.map(findingOf), 1);

  test('puts the most accused service first, and equals by their names', () => {
    const hypotheses = propose(
      { service: 'c', signal: 'logs', strength: 0.5 },
      { service: 'b', signal: 'logs', strength: 0.5 },
      { service: 'a', signal: 'logs', strength: 0.4 },
      { service: 'd', signal: 'logs', strength: 0.3 },
      { service: 'd', signal: 'traces', strength: 0.5 },
    );
    expect(hypotheses.map(({ service, proposedRank }) => [service, proposedRank])).toEqual([
      ['d', 1],
      ['b', 2],
      ['c', 3],
      ['a', 4],
    ]);
    for (const hypothesis of hypotheses) hypothesisSchema.parse(hypothesis);
  });

  test('depends on the findings only, not on their order; a service keeps its id', () => {
    const words = fc.record({
      service: fc.constantFrom('a', 'b', 'c'),
      signal: fc.constantFrom('metrics' as const, 'logs' as const, 'traces' as const),
      strength: fc.constantFrom(0.2, 0.5, 0.9),
      causeType: fc.constantFrom('errors' as const, 'cpu-saturation' as const),
    });
    const unique = fc.uniqueArray(words, { selector: ({ service, signal }) => `${service} ${signal}`, maxLength: 9 });
    fc.assert(
      fc.property(unique, (some) => {
        const order = (hypotheses: ReturnType<typeof propose>) =>
          hypotheses.map(({ hypothesisId, service, causeType }) => [hypothesisId, service, causeType]);
        expect(order(propose(...some.toReversed()))).toEqual(order(propose(...some)));
        const later = supervisor.propose(some.map(findingOf), 2);
        expect(order(later)).toEqual(order(propose(...some)));
      }),
    );
  });

  test('names the cause, pod, operation and onset of the strongest symptom, and cites all that accuses', () => {
    const findings = [
      findingOf({ service: 'web', signal: 'logs', strength: 0.4, causeType: 'code-path-change', operation: 'GET /' }),
      findingOf({
        service: 'web',
        signal: 'metrics',
        strength: 0.6,
        causeType: 'cpu-saturation',
        pod: 'web-1',
        onsetMs: 7,
      }),
      findingOf({ service: 'web', signal: 'traces', strength: 0.9, causeType: 'errors', stance: 'against' }),
    ];
    expect(supervisor.propose(findings, 3)).toEqual([
      {
        hypothesisId: expect.stringMatching(/^hyp_[0-9a-f]{12}$/),
        service: 'web',
        causeType: 'cpu-saturation',
        pod: 'web-1',
        statement: 'web ran out of CPU',
        onsetMs: 7,
        findingIds: [findings[0]?.findingId, findings[1]?.findingId],
        proposedRank: 1,
        round: 3,
      },
    ]);
  });

  test('says something of every cause, and proposes a dozen at the most', () => {
    const many = causeTypeSchema.options.map((causeType, index) =>
      findingOf({ service: `s${String(index).padStart(2, '0')}`, signal: 'logs', strength: 0.5, causeType }),
    );
    const hypotheses = supervisor.propose(many, 1);
    expect(hypotheses.map(({ service }) => service)).toEqual(many.slice(0, 12).map(({ service }) => service));
    for (const { service, statement } of hypotheses) expect(statement).toMatch(new RegExp(`^${service} \\w+ \\w+`));
  });
});

describe('a change', () => {
  const symptom = (causeType: CauseType) =>
    findingOf({ service: 'web', signal: 'traces', strength: 0.8, causeType, onsetMs: 3_000_000 });
  const EXPLAINED: readonly CauseType[] = ['errors', 'code-path-change', 'slow-processing', 'lost-calls'];

  test.each(EXPLAINED)('before %s is the cause', (causeType) => {
    const [hypothesis] = supervisor.propose([symptom(causeType), changeOf('web', 2_990_000)], 1);
    expect(hypothesis).toMatchObject({ causeType: 'bad-change', changeId: 'chg_web' });
    expect(hypothesis?.statement).toMatch(/^web went wrong after a change: it \w+/);
  });

  const OTHERS = causeTypeSchema.options.filter((one) => one !== 'bad-change' && !EXPLAINED.includes(one));
  test.each(OTHERS)('does not explain %s: it stays named as such', (causeType) => {
    const [hypothesis] = supervisor.propose([symptom(causeType), changeOf('web', 2_990_000)], 1);
    expect(hypothesis).toMatchObject({ causeType });
    expect(hypothesis).not.toHaveProperty('changeId');
  });

  test('alone accuses nobody', () => {
    expect(supervisor.propose([changeOf('web', 2_990_000)], 1)).toEqual([]);
  });

  test('on another service is no cause here', () => {
    const [hypothesis] = supervisor.propose([symptom('errors'), changeOf('stock', 2_990_000)], 1);
    expect(hypothesis).toMatchObject({ service: 'web', causeType: 'errors' });
  });

  test('that came minutes after the trouble did not bring it; one within the onset’s uncertainty may have', () => {
    const [late] = supervisor.propose([symptom('errors'), changeOf('web', 3_120_000)], 1);
    expect(late).toMatchObject({ causeType: 'errors' });
    expect(late).not.toHaveProperty('changeId');
    const [near] = supervisor.propose([symptom('errors'), changeOf('web', 3_030_000)], 1);
    expect(near).toMatchObject({ causeType: 'bad-change', changeId: 'chg_web' });
  });
});

describe('remediate', () => {
  const evidence = createEvidence({
    tool: 'search_logs',
    input: {},
    queries: [{ sql: 'SELECT 1', parameters: {}, rowCount: 1, digest: '0'.repeat(64) }],
    window: { startMs: 0, endMs: 1 },
    takenAtMs: 1,
    summary: '',
  });
  const verdict: Verdict = {
    outcome: 'root-cause',
    confidence: 0.9,
    onsetMs: 3_000_000,
    suspects: [
      {
        rank: 1,
        hypothesisId: 'hyp_1',
        service: 'web',
        causeType: 'bad-change',
        changeId: 'chg_web',
        statement: 'web went wrong after a change',
        score: 0.9,
        normal: { errorRatio: 0.01 },
        evidenceIds: ['ev_unknown', evidence.evidenceId],
      },
    ],
    blastRadius: [],
    propagation: [],
    ruledOut: [],
    gaps: [],
  };
  const change: Change = {
    changeId: 'chg_web',
    kind: 'deploy',
    service: 'web',
    atMs: 2_990_000,
    version: '2.0.0',
    summary: 'web 2.0.0',
    author: '',
    url: '',
    attributes: {},
    diff: '',
    source: 'webhook',
  };

  test('proposes to undo the change that is blamed, on evidence that exists', () => {
    expect(supervisor.remediate(verdict, [change], [evidence])).toMatchObject({
      action: 'rollback-deploy',
      service: 'web',
      parameters: { changeId: 'chg_web', version: '2.0.0' },
      evidenceIds: [evidence.evidenceId],
      predictedEffect: { measure: 'error rate', target: 0.01 },
    });
  });

  test('proposes nothing on an abstention, and a ticket where nothing safer is known', () => {
    expect(supervisor.remediate({ ...verdict, outcome: 'abstained' }, [change], [evidence])).toBeUndefined();
    expect(supervisor.remediate({ ...verdict, suspects: [] }, [change], [evidence])).toBeUndefined();
    expect(supervisor.remediate(verdict, [], [evidence])).toMatchObject({ action: 'open-ticket', tier: 'info' });
  });
});
