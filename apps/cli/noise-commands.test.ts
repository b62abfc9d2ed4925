/** `inquest anomalies`, `feedback`, `rules` and `status` as processes and as pages, over a host that answers over real HTTP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Anomaly } from '../../domain/anomaly.ts';
import type { AnomalyRecord } from '../../domain/anomaly-record.ts';
import type { FalsePositiveRate } from '../../domain/false-positive-rate.ts';
import type { Feedback } from '../../domain/feedback.ts';
import type { ExplainedAnomaly, Lesson, ListedRule } from '../../domain/noise-lesson.ts';
import { describeRate } from './commands/status.ts';
import { plainPalette } from './palette.ts';
import { renderAnomalies, renderExplainedAnomaly } from './render-anomalies.ts';
import { renderLesson, renderRules } from './render-rules.ts';
import { startInquest } from './run-inquest.fixture.ts';
import { openStubHost, type StubHost, type StubHostOptions } from './stub-host.fixture.ts';

const AT_MS = Date.UTC(2026, 0, 31, 10, 2, 10);
const anomaly: Anomaly = {
  anomalyId: 'anom_0123456789ab',
  signal: 'traces',
  service: 'cart',
  series: { kind: 'duration', service: 'cart', name: 'GET /cart', detail: 'Server' },
  subject: 'p95 duration of GET /cart',
  aspect: 'latency',
  detector: 'requests',
  window: { startMs: AT_MS + 60_000, endMs: AT_MS + 70_000 },
  sinceMs: AT_MS,
  observed: 412.345,
  expected: 38,
  range: [31, 52],
  deviation: 2.345,
  unit: 'ms',
  hurtsUsers: true,
  sentence: 'cart: p95 duration of GET /cart 412 ms since 10:02:10 UTC, normally 38 ms (31 to 52 ms)',
  correlated: [],
};
const recordOf = (change: Partial<Anomaly> = {}, more: Partial<AnomalyRecord> = {}): AnomalyRecord => ({
  anomaly: { ...anomaly, ...change },
  incidentId: '',
  ...more,
});
const rule: ListedRule = {
  ruleId: 'rule_06drw1t601pm21k780',
  scope: {
    service: 'cart',
    aspect: 'latency',
    subject: 'p95 duration of GET /cart',
    series: 'x',
    hours: { from: 1, to: 4 },
    maxDeviation: 3.5,
  },
  backTest: { days: 30, anomalies: 14, realIncidents: [], realAnomalies: [], otherIncidents: [] },
  reason: 'nightly \u001b[31mimport',
  proposedFrom: anomaly.anomalyId,
  proposedAtMs: AT_MS,
  expiresAtMs: AT_MS + 30 * 86_400_000,
  status: 'proposed',
  hidden: 0,
};
const feedback: Feedback = {
  feedbackId: 'fb_1',
  atMs: AT_MS,
  by: 'mira (local)',
  judgement: 'noise',
  reason: 'again',
  about: anomaly.anomalyId,
  incidentId: '',
  series: [],
};
const bars = [{ subject: 'cart: p95 duration of GET /cart', factor: 2.58, endsMs: AT_MS + 30 * 86_400_000 }];
const lesson: Lesson = { feedback, bars, proposed: [rule], notProposed: [], revoked: [] };
const rate: FalsePositiveRate = {
  days: 30,
  targetPercent: 5,
  noise: 1,
  real: 26,
  undecided: 2,
  percent: 100 / 27,
  interval: { low: 0.66, high: 18.28 },
  objective: 'likely-met',
};
const status = {
  version: '0.1.0',
  nodeVersion: 'v24',
  pid: 1,
  startedAtMs: AT_MS,
  dataDir: '/nowhere',
  clickhouse: { kind: 'embedded', database: 'inquest', engineVersion: '26.7', restarts: 0 },
  rows: { otel_logs: 12_000 },
  newest: { logs: AT_MS },
  ingest: {},
};
const accepted: ListedRule = { ...rule, status: 'accepted', accepted: { by: 'lea', atMs: AT_MS, reason: '' } };
const page = { width: 80, palette: plainPalette, command: ['inquest'] };
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('a page of 80 columns', () => {
  it('lists anomalies with a sentence each, and what became of them', () => {
    const records = [
      recordOf(),
      recordOf({}, { incidentId: 'inc_06bq3s9x0e2k7mabcd' }),
      recordOf({ hiddenBy: rule.ruleId }, { endedAtMs: AT_MS + 600_000 }),
      recordOf({ deviation: 0.82, tolerance: 2.5 }),
      recordOf({ deviation: 23.9, service: 'a-service-with-quite-a-long-name' }, { endedAtMs: AT_MS + 1 }),
    ];
    const text = renderAnomalies(records, page, { since: '1h', isCut: false, withHidden: true });
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^anomaly +since \(UTC\) +service +deviation +state$/m);
    expect(text).toMatch(/^anom_0123456789ab {2}2026-01-31 10:02 {2}cart +2\.3x the bar {2}alone$/m);
    expect(text).toMatch(/in incident\n.*\n.*\n {2}In inc_06bq3s9x0e2k7mabcd\.$/m);
    expect(text).toMatch(/hidden\n.*\n.*\n {2}Hidden by rule_06drw1t601pm21k780; over since 10:12:10\.$/m);
    expect(text).toMatch(/0\.8x the bar {2}below\n.*\n.*\n {2}Its bar is raised 2\.5x, since it was called noise\.$/m);
    expect(text).toMatch(/24x the bar {3}over$/m);
  });

  it('says that there is nothing, and where more may be', () => {
    const none = renderAnomalies([], page, { since: '2h', isCut: false, withHidden: false });
    expect(none).toBe('  Nothing abnormal since 2h that is shown: --all also lists what rules hide.');
  });

  it('explains one', () => {
    const correlated = [{ ...anomaly, anomalyId: 'anom_2', sentence: 'cart: error rate 12 % since 10:02:20 UTC.' }];
    const explained: ExplainedAnomaly = { record: recordOf({ tolerance: 2 }), rule, correlated, feedback: [feedback] };
    const text = renderExplainedAnomaly(explained, page);
    expect(widest(text)).toBeLessThanOrEqual(80);
    const share = { observed: 0.382, range: [0, 0.116] as [number, number], unit: '1', aspect: 'errors' as const };
    expect(renderExplainedAnomaly({ ...explained, record: recordOf(share) }, page)).toMatch(
      / observed +38\.2 %, 10[\s\S]*range +0 % to 11\.6 %/,
    );
    for (const line of [
      /^ {2}observed +412 ms, 10:03:10 to 10:03:20 UTC$/m,
      /^ {2}baseline +38 ms$/m,
      /^ {2}range +31 ms to 52 ms$/m,
      /^ {2}deviation +2\.3x the bar of its own past, which feedback raised 2x for now$/m,
      /^ {2}state +hidden by rule_06drw1t601pm21k780: cart: p95 duration/m,
      /^ {2}- 2\.3x the bar: cart: error rate 12 % since 10:02:20 UTC\.$/m,
      /^ {2}- noise, said mira \(local\) on 2026-01-31 10:02 UTC: again$/m,
    ]) {
      expect(text).toMatch(line);
    }
  });

  it('shows what follows from feedback, and how rules stand', () => {
    const real = { ...feedback, judgement: 'real' as const };
    const not = { subject: 'cart: latency', reason: 'The narrowest rule for it would have hidden 1 real incident' };
    const texts = [
      renderLesson(lesson, page),
      renderLesson({ ...lesson, feedback: real, proposed: [], notProposed: [not], revoked: [accepted] }, page),
      renderRules([rule, { ...accepted, hidden: 3 }], page),
    ];
    for (const text of texts) {
      expect(widest(text)).toBeLessThanOrEqual(80);
      expect(text).not.toContain('\u001b');
    }
    const [noise = '', , listed = ''] = texts.map((text) => text.replace(/\s+/g, ' '));
    expect(noise).toContain(
      'cart: p95 duration of GET /cart: its bar is raised 2.58x, and comes down again until 2026-03-02',
    );
    expect(noise).toContain(
      'tried would have hidden 14 anomalies and 0 real incidents in 30 days because nightly import',
    );
    expect(noise).toContain('inquest rules accept rule_06drw1t601pm21k780');
    expect(listed).toContain('accepted 3 anomalies 2026-03-02');
    expect(renderRules([], page)).toContain('inquest feedback ID --noise');
  });

  it('gives the false-positive rate with its counts and its interval', () => {
    expect(describeRate(rate)).toBe(
      '1 of 27 incidents in 30 days was noise: 3.7 % (95 %: 0.7 to 18.3 %); target under 5 %: met as it looks, but too few incidents to be sure; 2 others nobody knows about',
    );
    const { percent: _, ...unknown } = { ...rate, noise: 0, real: 0, undecided: 0 };
    expect(describeRate({ ...unknown, objective: 'unknown' })).toBe(
      'no incident of the last 30 days is known to be noise or real; target: under 5 % noise',
    );
  });
});

describe('the commands', () => {
  let dataDir: string;
  let host: StubHost;
  const sent: unknown[] = [];
  const open = async (answers: StubHostOptions['answers'] = {}) => {
    host = await openStubHost({
      dataDir,
      answers: {
        listAnomalies: () => [200, { anomalies: [recordOf()] }],
        getAnomaly: () => [200, { record: recordOf(), correlated: [], feedback: [] }],
        giveFeedback: (id, input) => {
          sent.push([id, input]);
          return [200, lesson];
        },
        listRules: () => [200, { rules: [rule] }],
        acceptRule: (id, input) => {
          sent.push([id, input]);
          return [200, accepted];
        },
        revokeRule: () => [409, { error: { code: 'conflict', message: 'Rule r is revoked.' } }],
        getFalsePositives: () => [200, rate],
        status: () => [200, status],
        ...answers,
      },
    });
  };
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'inquest-cli-'));
    sent.length = 0;
  });
  afterEach(async () => {
    await host.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const inquest = (...words: string[]) => startInquest([...words, '--data-dir', dataDir]).finished;

  it('print one document for machines', async () => {
    await open();
    const documents = await Promise.all(
      [['anomalies', '--all'], ['anomalies', anomaly.anomalyId], ['rules'], ['status']].map((words) =>
        inquest(...words, '--json'),
      ),
    );
    const parsed = documents.map(({ code, stdout }) => [code, Object.keys(JSON.parse(stdout))[0]]);
    expect(parsed).toEqual([
      [0, 'anomalies'],
      [0, 'record'],
      [0, 'rules'],
      [0, 'version'],
    ]);
  });

  it('send who says what, and why', async () => {
    await open();
    const [noise, accepts] = await Promise.all([
      inquest('feedback', 'inc_1', '--noise', '--reason', 'import', '--as', 'mira'),
      inquest('rules', 'accept', rule.ruleId, '--as', 'lea'),
    ]);
    expect([noise.code, accepts.code]).toEqual([0, 0]);
    expect(noise.stdout).toContain('PROPOSED');
    expect(accepts.stdout).toContain('in force until 2026-03-02');
    expect(sent).toEqual(
      expect.arrayContaining([
        ['inc_1', { judgement: 'noise', reason: 'import', by: 'mira' }],
        [rule.ruleId, { reason: '', by: 'lea' }],
      ]),
    );
  });

  it('end with the status that says why not', async () => {
    await open({ getAnomaly: () => [404, { error: { code: 'not-found', message: 'There is no anomaly x.' } }] });
    const [unknown, refused, shown] = await Promise.all([
      inquest('anomalies', 'x'),
      inquest('rules', 'revoke', 'r'),
      inquest('status'),
    ]);
    expect([unknown.code, refused.code, shown.code]).toEqual([6, 1, 0]);
    expect(refused.stderr).toContain('Rule r is revoked.');
    expect(shown.stdout.replace(/\s+/g, ' ')).toContain('noise 1 of 27 incidents in 30 days was noise: 3.7 %');
  });
});
