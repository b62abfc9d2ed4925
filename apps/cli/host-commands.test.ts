/** Commands against a host that answers over real HTTP: what goes to stdout, what to stderr, and the exit status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Investigation, Progress } from '../../domain/investigation.ts';
import { abstained, decided, EV_CPU, pending } from './investigations.fixture.ts';
import { type FinishedInquest, startInquest } from './run-inquest.fixture.ts';
import { openStubHost, type StubHost, type StubHostOptions } from './stub-host.fixture.ts';

const { incidentId, investigationId } = { ...pending, incidentId: pending.incident.incidentId };
const steps: Progress[] = ['Errors begin in payment.', 'A new log template appeared.'].map((message, index) => ({
  investigationId,
  atMs: pending.startedAtMs + index,
  actor: 'trace-agent',
  kind: 'finding',
  message,
}));
const query = pending.evidence[0]?.queries[0];
const verifications = [
  { evidenceId: EV_CPU, status: 'holds', tool: 'series', summary: 'CPU', queries: [{ before: query, after: query }] },
  {
    evidenceId: 'ev_9a1b2c3d4e5f',
    status: 'drifted',
    tool: 'compare_windows',
    summary: 'every service in the window',
    queries: [{ before: query, after: { ...query, digest: 'b'.repeat(64), rowCount: 13 } }],
  },
];

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACE = {
  startMs: Date.UTC(2026, 2, 4, 10),
  spans: [],
  totalSpans: 0,
  logs: [{ offsetMs: 0, service: 'job', spanId: '', severity: 'WARN', body: 'sampled out' }],
  totalLogs: 1,
  exemplars: [],
  totalExemplars: 0,
  orphans: 0,
  truncated: false,
};

let dataDir: string;
let host: StubHost;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-cli-'));
});
afterEach(async () => {
  await host.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function openHost(options: Partial<StubHostOptions> = {}): Promise<void> {
  host = await openStubHost({
    dataDir,
    progress: steps,
    ...options,
    answers: {
      listIncidents: () => [200, { incidents: [pending.incident] }],
      openIncident: () => [200, { incident: pending.incident, investigationId }],
      getInvestigation: (id) => archived(id, pending),
      listApprovals: () => [200, { approvals: [pending.approval] }],
      decide: () => [200, decided],
      verify: () => [200, { verifications }],
      getTrace: () => [200, TRACE],
      ...options.answers,
    },
  });
}

function archived(id: string, investigation: Investigation): [number, unknown] {
  const known = [incidentId, investigationId].includes(id);
  return known ? [200, investigation] : [404, { error: { code: 'not-found', message: `There is no ${id}.` } }];
}

function inquest(...words: string[]): Promise<FinishedInquest> {
  return startInquest([...words, '--data-dir', dataDir]).finished;
}

describe('--json', () => {
  it.each([
    [['incidents'], 'incidents', 0],
    [['show', incidentId], 'verdict', 0],
    [['investigate', incidentId], 'verdict', 4],
    [['investigate', '--service', 'checkout', '--since', '15m'], 'verdict', 4],
    [['approve', incidentId], 'actionOutcome', 0],
    [['verify', incidentId], 'verifications', 5],
    [['trace', TRACE_ID.toUpperCase()], 'spans', 0],
    [['show', 'inc_unknown'], 'error', 6],
  ])('%j prints exactly one document', async (words, member, status) => {
    await openHost();
    const { code, stdout } = await inquest(...words, '--json');
    expect(code).toBe(status);
    expect(JSON.parse(stdout)).toHaveProperty(member);
  });
});

describe('without a terminal', () => {
  it('a report is plain text on stdout, the live progress plain lines on stderr', async () => {
    await openHost();
    const { code, stdout, stderr } = await inquest('investigate', incidentId, '--width', '60');
    expect(code).toBe(4);
    expect(stdout).toContain('payment is the root cause');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(stderr).toMatch(/10:13:21 {2}trace-agent {4}found {5}Errors begin in payment\.\n/);
    expect(stdout + stderr).not.toContain('\u001b');
  });

  it('commands in a report carry the data directory that they need', async () => {
    await openHost();
    const { stdout } = await inquest('show', incidentId, '--width', '200');
    expect(stdout).toContain(`--data-dir ${dataDir} approve ${incidentId}`);
  });

  it('incidents are a table, and none is an answer too', async () => {
    await openHost();
    expect((await inquest('incidents')).stdout).toMatch(
      /inc_06bq3s9x0e2k7m +2026-01-31 10:13 +waits for approval +high\n {2}checkout and payment fail/,
    );
    await host.close();
    await openHost({ answers: { listIncidents: () => [200, { incidents: [] }] } });
    expect((await inquest('incidents')).stdout).toContain('No incidents.');
  });

  it('verify puts first what changed, and how', async () => {
    await openHost();
    const { code, stdout } = await inquest('verify', incidentId);
    expect(code).toBe(5);
    expect(stdout.indexOf('drifted ev_9a1b2c3d4e5f')).toBeLessThan(stdout.indexOf(`holds   ${EV_CPU}`));
    expect(stdout).toMatch(/14 rows then \(aaaaaaaa\), 13 rows now \(bbbbbbbb\)/);
  });
});

describe('watch', () => {
  it('prints each step as it comes; with --json a document a line', async () => {
    await openHost();
    const { code, stdout } = await inquest('watch', incidentId);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^10:13:21 {2}trace-agent {4}found {5}Errors begin in payment\.$/m);
    const lines = (await inquest('watch', '--json')).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ actor: 'trace-agent', kind: 'finding', message: 'Errors begin in payment.' }),
    );
  });

  it('has nothing to follow where there is no incident', async () => {
    await openHost({ answers: { listIncidents: () => [200, { incidents: [] }] } });
    const { code, stderr } = await inquest('watch');
    expect(code).toBe(2);
    expect(stderr).toContain('There is no incident to watch yet');
  });
});

describe('exit status', () => {
  it('an abstention is 3', async () => {
    await openHost({ answers: { getInvestigation: (id) => archived(id, abstained) } });
    expect((await inquest('investigate', incidentId)).code).toBe(3);
  });

  it('evidence that holds is 0', async () => {
    await openHost({ answers: { verify: () => [200, { verifications: verifications.slice(0, 1) }] } });
    const { code, stdout } = await inquest('verify', incidentId);
    expect(code).toBe(0);
    expect(stdout).toContain('All 1 piece of evidence hold');
  });

  it('a second decision is refused with the first one', async () => {
    const answers = {
      listApprovals: () => [200, { approvals: [] }] as const,
      getInvestigation: (id: string) => archived(id, decided),
    };
    await openHost({ answers });
    const { code, stderr } = await inquest('reject', incidentId, '--reason', 'no');
    expect(code).toBe(1);
    expect(stderr).toContain('Already decided. Approved by mira');
    expect(host.requests.some((request) => request.includes('decision'))).toBe(false);
  });

  it('Ctrl-C while watching is 130, leaves the investigation alone and says how to see it', async () => {
    await openHost({ hangs: true });
    const running = startInquest(['investigate', incidentId, '--data-dir', dataDir]);
    await running.said('A new log template appeared.');
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr.replace(/ \\\n\s*/g, ' ')).toContain(`show ${incidentId}`);
    expect(host.requests.every((request) => !request.includes('shutdown'))).toBe(true);
  });
});

describe('ingest', () => {
  it('sends each line of a file where it belongs and names what was not stored', async () => {
    const received: string[] = [];
    await openHost({
      receive: (path) => {
        received.push(path);
        if (path === '/v1/metrics') return [400, { message: 'bad \u001b[31mpoint' }];
        return path === '/v1/logs'
          ? [200, { partialSuccess: { rejectedLogRecords: '2', errorMessage: 'too old' } }]
          : [200, {}];
      },
    });
    const file = join(dataDir, 'otlp.jsonl');
    writeFileSync(file, '{"resourceSpans":[]}\n{"resourceLogs":[]}\nnonsense\n{"resourceMetrics":[]}\n');
    const { code, stdout } = await inquest('ingest', file);
    expect(received).toEqual(['/v1/traces', '/v1/logs', '/v1/metrics']);
    expect(code).toBe(1);
    const flat = stdout.replace(/\s+/g, ' ');
    expect(flat).toContain('stored 2 requests');
    expect(flat).toContain('2 records refused; 2 lines not stored');
    expect(flat).toContain('line 2: 2 records refused: too old');
    expect(flat).toContain('line 4: 400: bad point');
    expect(stdout).not.toContain('\u001b');
  });

  it('a file that is not there is wrong usage', async () => {
    await openHost();
    expect((await inquest('ingest', join(dataDir, 'nowhere'))).code).toBe(2);
  });
});
