import { expect, test } from 'vitest';
import { type Change, changeSchema } from '../domain/change.ts';
import { findingSchema } from '../domain/finding.ts';
import { type Investigation, investigationSchema } from '../domain/investigation.ts';
import { type ActionKind, TIER_OF } from '../domain/remediation.ts';
import { type Prediction, predictionOf } from './prediction.ts';
import { nameRemediation, rootCauseBenchSuite } from './rootcausebench-suite.ts';

const SHA = 'c0ffee12'.repeat(5);
const AT_MS = Date.UTC(2024, 4, 6, 8, 43);

function commitOf(...paths: readonly string[]): Change {
  const attributes = { files_changed: paths.join('\n') };
  return changeSchema.parse({
    changeId: SHA,
    kind: 'commit',
    service: '',
    atMs: AT_MS,
    version: '',
    summary: 'tidy up',
    author: '',
    url: '',
    attributes,
    diff: '',
    source: 'webhook',
  });
}

/** Ended with this proposal; orders is blamed, by a commit unless `commit` is empty. */
function investigation(action: ActionKind | undefined, changes: readonly Change[] = [], commit = SHA): Investigation {
  const searchWindow = { startMs: AT_MS - 1, endMs: AT_MS };
  const remediation = { action, service: 'orders', parameters: {}, rationale: '', preconditions: [], undo: '' };
  const suspect = { rank: 1, hypothesisId: 'h', service: 'orders', causeType: 'bad-change', statement: '', score: 0.5 };
  return investigationSchema.parse({
    investigationId: 'inv',
    incident: {
      incidentId: 'inc',
      title: '',
      status: 'open',
      source: 'manual',
      service: '',
      openedAtMs: AT_MS,
      searchWindow,
      severity: 'high',
      anomalies: [],
    },
    status: 'finished',
    startedAtMs: AT_MS,
    rounds: 1,
    tasks: [],
    findings: [],
    evidence: [],
    hypotheses: [],
    votes: [],
    changes,
    verdict: {
      outcome: 'root-cause',
      confidence: 0.5,
      onsetMs: AT_MS,
      suspects: [{ ...suspect, ...(commit ? { commit } : {}), changeId: 'deploy-1', normal: {}, evidenceIds: [] }],
      blastRadius: ['orders', 'web'],
      propagation: [],
      ruledOut: [],
      gaps: [],
    },
    ...(action ? { remediation: { ...remediation, action, tier: TIER_OF[action], evidenceIds: [] } } : {}),
  });
}

test('names a remediation as the labels do; undoing configuration is a word of its own', () => {
  const rollback = (...paths: readonly string[]) =>
    nameRemediation(investigation('rollback-deploy', [commitOf(...paths)]));
  expect(rollback('a.go', 'deploy/values.yaml')).toBe('rollback');
  expect(rollback('config/agent.yaml')).toBe('config-revert');
  expect(nameRemediation(investigation('rollback-deploy'))).toBe('rollback');
  expect(nameRemediation(investigation('disable-flag'))).toBe('feature-flag-disable');
  expect(nameRemediation(investigation('scale-out'))).toBe('scale');
  expect(nameRemediation(investigation(undefined))).toBe('');
});

test('where no commit did it, a ticket is named after what is wrong outside', () => {
  const outside = (subject: string, action: ActionKind | undefined = 'open-ticket') => {
    const finding = {
      findingId: 'f',
      agent: 'deploy-agent',
      taskId: 't',
      signal: 'changes',
      observation: `changes:outside:${subject}:orders`,
      service: 'orders',
      subject,
      window: { startMs: AT_MS - 1, endMs: AT_MS },
      sentence: 'no commit is blamed',
      evidenceIds: ['ev'],
      implications: [],
      figures: {},
    };
    return nameRemediation({ ...investigation(action, [], ''), findings: [findingSchema.parse(finding)] });
  };
  expect(outside('bad-record')).toBe('purge-bad-data');
  expect(outside('provider')).toBe('escalate-upstream');
  expect(outside('certificate', undefined)).toBe('rotate-cert');
  expect(outside('surge', 'shed-load')).toBe('scale');
  expect(outside('something else')).toBe('open-ticket');
  expect(nameRemediation(investigation('open-ticket', [], ''))).toBe('open-ticket');
  // With a commit the ticket is about the commit.
  expect(nameRemediation(investigation('open-ticket'))).toBe('open-ticket');
});

test('who abstains and suspects nobody still knows where it was noticed', () => {
  const { verdict, incident, ...rest } = investigation(undefined);
  if (!verdict) return expect.unreachable();
  const unsure = { ...verdict, outcome: 'abstained' as const, suspects: [], blastRadius: ['web', 'orders'] };
  const told = predictionOf(
    'case-1',
    { ...rest, incident: { ...incident, service: 'orders' }, verdict: unsure },
    { seconds: 1, nameRemediation },
  );
  expect(told).toMatchObject({ abstained: true, suspects: [], first_failing_service: 'orders', blast_radius: ['web'] });
  expect(told.remediation).toBe('');
});

test('a prediction tells the commit of each suspect, where it began, and who else is hurt', () => {
  const options = { seconds: 1.23456, nameRemediation };
  expect(predictionOf('case-1', investigation('rollback-deploy'), options)).toEqual({
    case_id: 'case-1',
    abstained: false,
    confidence: 0.5,
    onset_utc: '2024-05-06T08:43:00.000Z',
    suspects: [{ service: 'orders', commit: SHA, cause_type: 'bad-change', score: 0.5 }],
    first_failing_service: 'orders',
    blast_radius: ['web'],
    remediation: 'rollback',
    seconds: 1.235,
  });
  // A change that is no commit is not one; without a vocabulary of the suite's, ours is used.
  expect(predictionOf('case-1', investigation('restart-service', [], ''), { seconds: 1 })).toMatchObject({
    suspects: [{ service: 'orders' }],
    remediation: 'restart-service',
  });
  expect(predictionOf('case-1', investigation(undefined, [], ''), { seconds: 1 }).suspects[0]).not.toHaveProperty(
    'commit',
  );
});

test('a failed investigation is no prediction', () => {
  const { verdict: _none, ...failed } = investigation(undefined);
  expect(() => predictionOf('case-1', { ...failed, failure: 'it broke' }, { seconds: 1 })).toThrow('it broke');
});

test('the score is told by difficulty, with its interval, beside what others published', () => {
  const label = (case_id: string, difficulty: string, root_cause_commit: string) => ({
    case_id,
    difficulty,
    root_cause_commit,
    first_failing_service: 'orders',
    blast_radius: ['web'],
    remediation: 'rollback',
    decoy_deploy_commits: [SHA],
  });
  const predict = (caseId: string): Prediction =>
    predictionOf(caseId, investigation('rollback-deploy'), { seconds: 1, nameRemediation });
  const { text, score } = rootCauseBenchSuite.score(['case-1', 'case-2', 'case-3'].map(predict), [
    label('case-1', 'hard', SHA),
    label('case-2', 'easy', SHA),
    label('case-3', 'hard', 'none'),
  ]);
  expect(score).toMatchObject({ passed: 2, decoysBlamed: 1 });
  const lines = text.split('\n').map((line) => line.replace(/ +/g, ' '));
  expect(lines).toContain('easy pass 1/1 100.0 % [20.7, 100.0] decoy blamed 0/1 0.0 % [0.0, 79.3] reward 1.000');
  expect(lines).toContain('hard pass 1/2 50.0 % [9.5, 90.5] decoy blamed 1/2 50.0 % [9.5, 90.5] reward 0.500');
  expect(lines.find((line) => line.startsWith('all '))).toContain('2/3');
  expect(lines.findIndex((line) => line.startsWith('easy '))).toBeLessThan(
    lines.findIndex((line) => line.startsWith('hard ')),
  );
  expect(lines.find((line) => line.startsWith('case-3 '))).toContain('DECOY');
  expect(text).toContain('always none');
});
