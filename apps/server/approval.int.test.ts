/** Consent across a crash: a real host waits for a person, is killed, and goes on exactly once when the person agrees. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ApiClient, createApiClient } from '../../api/api-client.ts';
import { HOST_LOCK_FILE, hostRecordSchema } from '../../api/host-lock.ts';
import { auditEntrySchema, findBrokenEntry } from '../../domain/audit.ts';
import { InputError, UnavailableError } from '../../platform/errors.ts';
import { describeTruth } from '../../simulator/ground-truth.ts';
import { sendBatch } from '../../simulator/send-batches.ts';
import { simulateShop } from '../../simulator/simulate-shop.ts';

const BIN = fileURLToPath(new URL('../../bin/inquest.js', import.meta.url));
const MINUTE_MS = 60_000;
const TIMEOUT_MS = 90_000;

let dataDir: string;
let hosts: ChildProcess[];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-approval-'));
  hosts = [];
});
afterEach(async () => {
  for (const host of hosts) await kill(host);
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function kill(host: ChildProcess): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const gone = once(host, 'exit');
  host.kill('SIGKILL');
  await gone;
}

/** Starts `inquest serve` and waits until it says that it is ready. It does not look for trouble by itself. */
async function startHost(): Promise<{ host: ChildProcess; client: ApiClient; url: string; token: string }> {
  const env = { ...process.env, INQUEST_SCAN_SECONDS: '86400', INQUEST_RETENTION_DAYS: '0' };
  const args = [BIN, 'serve', '--port', '0', '--data-dir', dataDir];
  const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  hosts.push(host);
  for await (const line of createInterface({ input: host.stdout })) {
    expect(line).toContain('Inquest listens on');
    const { url, token } = hostRecordSchema.parse(JSON.parse(readFileSync(join(dataDir, HOST_LOCK_FILE), 'utf8')));
    return { host, client: createApiClient({ url, token }), url, token };
  }
  throw new UnavailableError('the host ended before it was ready');
}

/** A small shop whose newest deploy is bad: twelve minutes, the last four of them with the fault. */
async function feedBadDeploy(url: string, token: string) {
  const endMs = Date.UTC(2026, 0, 14, 12); // a fixed time: the shop has seasons
  const onsetMs = endMs - 4 * MINUTE_MS;
  const options = {
    seed: 2,
    startMs: endMs - 12 * MINUTE_MS,
    endMs,
    requestsPerSecond: 4,
    fault: { kind: 'bad-deploy' as const, onsetMs },
    batchSeconds: 120,
  };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  for (const batch of simulateShop(options)) {
    const { rejected } = await sendBatch(batch, { url, token, signal });
    expect(rejected).toEqual({ spans: 0, logRecords: 0, dataPoints: 0, changes: 0 });
  }
  return { startMs: options.startMs, endMs, onsetMs, truth: describeTruth(options) };
}

/** What was announced, until the investigation ends or waits. */
async function watch(client: ApiClient, id: string): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { kind } of client.watchInvestigation(id)) kinds.push(kind);
  return kinds;
}

describe('an investigation that waits for a person', () => {
  it('outlives its host and acts once, whoever else decides later', { timeout: TIMEOUT_MS }, async () => {
    const first = await startHost();
    const { startMs, endMs, onsetMs, truth } = await feedBadDeploy(first.url, first.token);
    const { incident, investigationId } = await first.client.openIncident({
      title: 'checkout is slow',
      searchWindow: { startMs, endMs },
      onsetMs,
    });
    expect(await watch(first.client, investigationId)).toContain('approval');
    const waiting = await first.client.getInvestigation(incident.incidentId);
    expect(waiting).toMatchObject({
      status: 'awaiting-approval',
      verdict: { outcome: 'root-cause' },
      remediation: { action: 'rollback-deploy', service: truth.service, parameters: { changeId: truth.changeId } },
    });
    expect(waiting.verdict?.suspects[0]?.service).toBe(truth.service);
    expect(waiting.actionOutcome).toBeUndefined();

    await kill(first.host);
    const second = await startHost();
    const { approvals } = await second.client.listApprovals();
    expect(approvals).toMatchObject([{ investigationId, incidentId: incident.incidentId }]);
    expect((await second.client.getInvestigation(investigationId)).status).toBe('awaiting-approval');
    const approvalId = approvals[0]?.approvalId ?? '';
    const decisions = await Promise.allSettled(
      ['alice', 'bob', 'carol'].map((decidedBy) =>
        second.client.decide(approvalId, { outcome: 'approved', decidedBy }),
      ),
    );
    const [winner, ...others] = decisions.toSorted((left, right) => (left.status < right.status ? -1 : 1));
    const done = winner?.status === 'fulfilled' ? winner.value : undefined;
    expect(done).toMatchObject({
      status: 'finished',
      actionOutcome: { status: 'done' },
      incident: { status: 'resolved' },
    });
    expect(others).toHaveLength(2);
    for (const other of others) expect(other).toMatchObject({ status: 'rejected', reason: { code: 'conflict' } });

    const late = await fetch(`${second.url}/api/approvals/${approvalId}/decision`, {
      method: 'POST',
      headers: { authorization: `Bearer ${second.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ outcome: 'rejected', decidedBy: 'dave', reason: 'too late' }),
    });
    expect(late.status).toBe(409);
    expect((await second.client.listApprovals()).approvals).toEqual([]);

    await kill(second.host);
    const third = await startHost();
    expect(await third.client.getInvestigation(investigationId)).toEqual(done);
    const again = third.client.decide(approvalId, { outcome: 'approved', decidedBy: 'alice' });
    await expect(again).rejects.toBeInstanceOf(InputError);

    const entries = z.array(auditEntrySchema).parse((await third.client.listAudit({ limit: 1_000 })).entries);
    expect(findBrokenEntry(entries)).toBeUndefined();
    expect(await third.client.verifyAudit()).toMatchObject({ whole: true, entries: entries.length, problems: [] });
    const mine = entries.filter(({ subject }) => [investigationId, incident.incidentId].includes(subject));
    const kinds = mine.map(({ kind }) => kind).filter((kind) => /^(incident|approval|action)\./.test(kind));
    expect(kinds).toEqual([
      'incident.opened',
      'approval.requested',
      'approval.decided',
      'action.intended',
      'action.finished',
    ]);
    const decided = mine.find(({ kind }) => kind === 'approval.decided');
    expect(decided?.actor).toBe(done?.approval?.decision?.decidedBy);
  });
});
