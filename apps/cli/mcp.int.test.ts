/** An IDE's day against a real host: a cold start over stdio, an investigation, a person's click, and the same over HTTP. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST_LOCK_FILE, hostRecordSchema } from '../../api/host-lock.ts';
import { type CalledTool, createCaller } from '../../mcp/connected-client.fixture.ts';
import { describeTruth } from '../../simulator/ground-truth.ts';
import { sendBatch } from '../../simulator/send-batches.ts';
import { simulateShop } from '../../simulator/simulate-shop.ts';

const BIN = fileURLToPath(new URL('../../bin/inquest.js', import.meta.url));
const MINUTE_MS = 60_000;
const TIMEOUT_MS = 90_000;
const MAX_CHARACTERS = 16_000;
const END_MS = Date.UTC(2026, 0, 14, 12); // a fixed time: the shop has seasons
const SHOP = {
  ...{ seed: 2, startMs: END_MS - 7 * MINUTE_MS, endMs: END_MS, requestsPerSecond: 2, batchSeconds: 420 },
  fault: { kind: 'bad-deploy' as const, onsetMs: END_MS - 3 * MINUTE_MS },
};
const SPAN = { since: '2026-01-14T11:57:00Z', until: '2026-01-14T12:00:00Z' };
const ENV = { INQUEST_SCAN_SECONDS: '86400', INQUEST_RETENTION_DAYS: '0' };

let dataDir: string;
let client: Client;
const problems: unknown[] = [];
const forms: string[] = [];

const readRecord = () => hostRecordSchema.parse(JSON.parse(readFileSync(join(dataDir, HOST_LOCK_FILE), 'utf8')));
const approveForms = () =>
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    forms.push(params.message);
    return { action: 'accept' as const, content: { decision: 'approve', reason: 'known bad' } };
  });

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-mcp-'));
  client = new Client({ name: 'ide', version: '1' }, { capabilities: { elicitation: { form: {} } } });
  client.onerror = (error) => problems.push(error);
  const args = [BIN, 'mcp', '--data-dir', dataDir];
  const env = { ...(process.env as Record<string, string>), ...ENV };
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'inherit' }));
}, TIMEOUT_MS);

afterAll(async () => {
  await client.close();
  const { pid } = readRecord();
  process.kill(pid, 'SIGTERM');
  while (existsSync(join(dataDir, HOST_LOCK_FILE))) await new Promise((resolve) => setImmediate(resolve));
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

describe('an IDE', () => {
  it('lists before there is a host, and its first question starts one', { timeout: TIMEOUT_MS }, async () => {
    expect((await client.listTools()).tools.length).toBeGreaterThan(8);
    expect(existsSync(join(dataDir, HOST_LOCK_FILE))).toBe(false);
    const { data } = await createCaller(client)('overview');
    expect(data).toMatchObject({ telemetry: { incidents: [], services: [] }, note: expect.stringContaining('4318') });
    expect(readRecord().pid).toBeGreaterThan(0);
  });

  it('finds the cause, and lets the person decide', { timeout: TIMEOUT_MS }, async () => {
    const { url, token } = readRecord();
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    for (const batch of simulateShop(SHOP)) await sendBatch(batch, { url, token, signal });
    const call = createCaller(client);
    const heard: string[] = [];
    const found = await call(
      'investigate',
      { service: 'checkout', ...SPAN, title: 'checkout is slow' },
      { onprogress: ({ message }: { message?: string }) => heard.push(message ?? '') },
    );
    const truth = describeTruth(SHOP);
    expect(found.data).toMatchObject({ status: 'awaiting-approval', outcome: 'root-cause' });
    expect(found.text).toContain(`1. "${truth.service}"`);
    expect(heard.some((message) => message.startsWith('trace-agent:'))).toBe(true);

    const id = String(found.data['incidentId']);
    approveForms();
    const decided = await call('request_decision', { id });
    expect(forms).toEqual([expect.stringContaining(`rollback-deploy of "${truth.service}"`)]);
    expect(decided.data).toMatchObject({ decision: 'approved', action: { status: 'done' } });
  });

  it('asks every kind of question, over both transports with equal answers', { timeout: TIMEOUT_MS }, async () => {
    const { url, token } = readRecord();
    const other = new Client({ name: 'agent', version: '1' });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit });
    await other.connect(transport as Parameters<Client['connect']>[0]);
    expect(await other.listTools()).toEqual(await client.listTools());

    const questions: [string, object][] = [
      ...['services', 'timeline', 'dependencies', 'operations', 'errors', 'traces', 'attributes', 'metrics'].map(
        (about): [string, object] => ['query_telemetry', { about, ...SPAN }],
      ),
      ...['metric_shifts', 'log_patterns', 'coverage'].map((about): [string, object] => [
        'query_telemetry',
        { about, ...SPAN },
      ]),
      ['query_telemetry', { about: 'usual', service: 'checkout', ...SPAN }],
      ['query_telemetry', { about: 'series', metric: 'container.cpu.utilization', service: 'checkout', ...SPAN }],
      [
        'query_telemetry',
        { about: 'figures', figures: { from: 'requests', measures: ['errorRatio'], by: ['service'] }, ...SPAN },
      ],
      ['ask', { question: `which service has the most errors between ${SPAN.since} and ${SPAN.until}?` }],
      ['search_logs', { minSeverity: 'error', ...SPAN }],
      ['list_changes', { since: '2026-01-14T11:00:00Z', until: SPAN.until }],
      ['list_anomalies', SPAN],
      ['list_incidents', {}],
      ['propose', {}],
    ];
    const [ours, theirs] = [createCaller(client), createCaller(other)];
    const answers = new Map<string, CalledTool>();
    for (const [index, [name, given]] of questions.entries()) {
      const one = await ours(name, given);
      expect([given, one.isError, one.text.slice(0, 200)]).toEqual([given, false, expect.any(String)]);
      expect(one.size).toBeLessThanOrEqual(MAX_CHARACTERS);
      // Each names its own command for decisions, and every conversation has a name of its own.
      if (index % 3 === 0 && name !== 'propose' && name !== 'ask') expect(await theirs(name, given)).toEqual(one);
      answers.set(JSON.stringify([name, 'about' in given ? given.about : '']), one);
    }
    expect(answers.get('["ask",""]')).toMatchObject({
      data: { kind: 'answered', evidenceIds: [expect.stringMatching(/^ev_/)] },
      text: expect.stringContaining('has the most'),
    });
    const traces = answers.get('["query_telemetry","traces"]')?.data['telemetry'] as { traceId: string }[];
    const trace = await theirs('get_trace', { traceId: traces[0]?.traceId });
    expect(trace.data['telemetry']).toMatchObject([
      { depth: 0 },
      ...Array((trace.data['telemetry'] as []).length - 1).fill({}),
    ]);

    // What a single question rests on can be verified, too.
    const evidenceId = String(answers.get('["search_logs",""]')?.data['evidenceId']);
    const verified = await fetch(`${url}/api/verify/${evidenceId}`, { method: 'POST', ...requestInit });
    expect(await verified.json()).toMatchObject({ verifications: [{ evidenceId, status: 'holds' }] });
    await other.close();
  });

  it('was sent nothing but the protocol', () => {
    expect(problems).toEqual([]);
  });
});

describe('inquest mcp', () => {
  it('ends with its client, having written only messages and started nothing', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'inquest-mcp-'));
    const child = spawn(process.execPath, [BIN, 'mcp', '--data-dir', elsewhere], { stdio: 'pipe' });
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' })}\n`);
    child.stdin.write('this is no message\n');
    const said = readText(child.stdout);
    await once(child.stdout, 'data');
    child.stdin.end();
    const [code] = await once(child, 'close');
    const lines = (await said)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string });
    expect(lines.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
    expect([code, existsSync(join(elsewhere, HOST_LOCK_FILE))]).toEqual([0, false]);
    rmSync(elsewhere, { recursive: true });
  });
});
