/** The API of a whole host with its engine: every list and document of one investigation, by people with tokens of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiClient, createApiClient } from '../../api/api-client.ts';
import { tokenDigest } from '../../domain/identity.ts';
import { openRealHost, postOtlp, type RealHost, requestOf } from './bad-input.fixture.ts';

const MINUTE_MS = 60_000;
const PEOPLE = [
  ['vera', 'viewer'],
  ['mia', 'member'],
  ['sam', 'sender'],
] as const;

let host: RealHost;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'inquest-people-'));
  const identities = join(directory, 'identities.json');
  const entries = PEOPLE.map(([name, role]) => ({ name, role, tokenSha256: tokenDigest(`token-of-${name}`) }));
  writeFileSync(identities, JSON.stringify(entries), { mode: 0o600 });
  host = await openRealHost({ INQUEST_IDENTITIES: identities, INQUEST_SCAN_SECONDS: '86400' });
});
afterAll(async () => {
  await host?.close();
  rmSync(directory, { recursive: true, force: true });
});

const as = (name: (typeof PEOPLE)[number][0]): ApiClient =>
  createApiClient({ url: host.url, token: `token-of-${name}` });

it('answers what people ask about an investigation and what it rests on', async () => {
  const nowMs = Date.now();
  const change = { kind: 'deploy', service: 'cart', version: '2', summary: "cart 2'; DROP TABLE inquest_changes --" };
  const told = await fetch(`${host.url}/v1/changes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer token-of-sam' },
    body: JSON.stringify(change),
  });
  expect(told.status).toBe(200);
  const records = Array.from({ length: 30 }, (_, minute) => ({
    timeUnixNano: `${nowMs - minute * MINUTE_MS}000000`,
    severityText: minute < 5 ? 'ERROR' : 'INFO',
    body: { stringValue: minute < 5 ? 'pool exhausted' : 'served' },
  }));
  const body = JSON.stringify(requestOf('logs', 'cart', records));
  expect(await postOtlp(host.url, 'logs', 'json', body)).toMatchObject({ status: 200, rejected: 0 });

  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traced = requestOf('logs', 'cart', [
    { timeUnixNano: `${nowMs}000000`, traceId, body: { stringValue: 'paid' } },
  ]);
  expect(await postOtlp(host.url, 'logs', 'json', JSON.stringify(traced))).toMatchObject({ status: 200 });
  const trace = await as('vera').getTrace(traceId);
  expect(trace).toMatchObject({ totalSpans: 0, totalLogs: 1, logs: [{ service: 'cart', body: 'paid' }] });
  await expect(as('vera').getTrace('f'.repeat(32))).rejects.toMatchObject({ code: 'not-found' });
  await expect(as('vera').getTrace('nonsense')).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(as('sam').getTrace(traceId)).rejects.toMatchObject({ code: 'forbidden' });

  const asked = await as('vera').runTool('search_logs', {
    window: { startMs: nowMs - 60 * MINUTE_MS, endMs: nowMs + 1 },
    text: 'POOL',
    minSeverity: 'error',
  });
  expect(asked.output).toMatchObject({
    totalRows: 5,
    lines: Array(5).fill({ service: 'cart', body: 'pool exhausted' }),
  });
  expect(await as('vera').getEvidence(asked.evidence.evidenceId)).toEqual(asked.evidence);
  const wrong = { window: { startMs: 2, endMs: 1 } };
  await expect(as('vera').runTool('search_logs', wrong)).rejects.toThrow(/window: endMs must be after startMs/);
  await expect(as('vera').runTool('drop_tables', {})).rejects.toMatchObject({ code: 'not-found' });
  await expect(as('vera').runTool('rank_slowdowns', {})).rejects.toThrow(/there are get_service_overview, /);
  await expect(as('sam').runTool('search_logs', {})).rejects.toMatchObject({ code: 'forbidden' });

  const answer = await as('vera').ask({ question: 'how many error lines did cart log in the last hour?' });
  expect(answer).toMatchObject({ kind: 'answered', text: '5 error lines of cart.' });
  const [evidenceId = ''] = answer.evidenceIds;
  expect((await as('vera').verify(evidenceId)).verifications).toMatchObject([{ status: 'holds' }]);
  const goesOn = { question: 'and in the last 3 minutes?', conversationId: answer.conversationId };
  expect(await as('vera').ask(goesOn)).toMatchObject({ text: '3 error lines of cart.' });
  await expect(as('vera').ask({ question: 'why is cart failing?' })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(as('vera').ask({ question: ' ' })).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(as('sam').ask({ question: 'p95 of cart' })).rejects.toMatchObject({ code: 'forbidden' });

  const { changes } = await as('vera').listChanges({ since: '10m', service: 'cart' });
  expect(changes).toMatchObject([change]);
  await expect(as('sam').listChanges()).rejects.toMatchObject({ code: 'forbidden' });
  const searchWindow = { startMs: nowMs - 30 * MINUTE_MS, endMs: nowMs };
  await expect(as('vera').openIncident({ searchWindow })).rejects.toMatchObject({ code: 'forbidden' });

  await as('mia').openIncident({ title: 'first', service: 'cart', searchWindow });
  const { incident, investigationId } = await as('mia').openIncident({
    title: 'second',
    service: 'cart',
    searchWindow,
  });
  const listed: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await as('vera').listIncidents({ limit: 1, cursor });
    listed.push(...page.incidents.map(({ title }) => title));
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  expect(listed).toEqual(['second', 'first']);

  const { incidentId } = incident;
  expect(await as('vera').getIncident(incidentId)).toMatchObject({ title: 'second', investigationId });
  for await (const { kind } of as('vera').watchInvestigation(incidentId)) expect(kind).not.toBe('failed');
  const { evidence } = await as('vera').getInvestigation(investigationId);
  const { investigations } = await as('vera').listInvestigations({ limit: 2 });
  const summary = { incidentId, investigationId, status: 'finished', outcome: 'abstained' };
  expect(investigations).toContainEqual(expect.objectContaining(summary));
  const [first] = evidence;
  expect(await as('vera').getEvidence(first?.evidenceId ?? '')).toEqual(first);
  const { verifications } = await as('vera').verify(first?.evidenceId ?? '');
  expect(verifications).toMatchObject([{ evidenceId: first?.evidenceId, status: 'holds' }]);
  expect((await as('vera').listApprovals({ status: 'approved' })).approvals).toEqual([]);
  await expect(as('vera').getApproval('apr_none')).rejects.toMatchObject({ code: 'not-found' });

  const { entries, nextSequence } = await as('vera').listAudit({ fromSequence: 1, limit: 2 });
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(nextSequence).toBe(3);
  expect(await as('vera').verifyAudit()).toMatchObject({ whole: true, problems: [] });
  const ready = await fetch(`${host.url}/readyz`);
  expect(await ready.json()).toMatchObject({ state: 'ready', engineVersion: expect.stringMatching(/^\d+\./) });
});
