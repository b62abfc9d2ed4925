/** MCP over HTTP by who calls: tokens, roles, origins, sessions that are their caller's own, and a person's click on the way. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, type ElicitResult } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Identity, type Role, roleSchema, tokenDigest } from '../../domain/identity.ts';
import { createCaller, createStubBackend } from '../../mcp/connected-client.fixture.ts';
import { createHttpSessions } from '../../mcp/http-sessions.ts';
import { createInquestCatalogue } from '../../mcp/inquest-catalogue.ts';
import { createApp } from './app.ts';
import type { Listener } from './bind-port.ts';
import { approvalOf, createMemoryHost, type MemoryHost } from './fixture.contract.ts';
import { listen } from './http-listener.ts';

const tokenOf = (role: Role) => `the-token-of-a-${role}`;
const IDENTITIES: Identity[] = roleSchema.options.map((role) => ({
  name: `a-${role}`,
  role,
  tokenSha256: tokenDigest(tokenOf(role)),
}));
const INITIALIZE = {
  ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const ACCEPT = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

let memory: MemoryHost;
let listener: Listener;
let clients: Client[];
beforeEach(async () => {
  memory = createMemoryHost({ identities: IDENTITIES });
  listener = await listen({ fetch: createApp(memory.host).fetch, host: '127.0.0.1', port: 0 });
  clients = [];
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await listener.close();
});

async function connectAs(role: Role, person?: (message: string) => Promise<ElicitResult>) {
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: person ? { elicitation: { form: {} } } : {} },
  );
  if (person) client.setRequestHandler(ElicitRequestSchema, ({ params }) => person(params.message));
  clients.push(client);
  const requestInit = { headers: { authorization: `Bearer ${tokenOf(role)}` } };
  const transport = new StreamableHTTPClientTransport(new URL(`${listener.url}/mcp`), { requestInit });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return { client, transport, call: createCaller(client) };
}

const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${listener.url}/mcp`, { method: 'POST', headers: { ...ACCEPT, ...headers }, body: JSON.stringify(body) });
const bearer = (role: Role) => ({ authorization: `Bearer ${tokenOf(role)}` });

describe('who is let in', () => {
  it('shows a token of somebody who may read', async () => {
    const stranger = await post(INITIALIZE);
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="inquest"']);
    expect((await post(INITIALIZE, { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post(INITIALIZE, bearer('sender'))).status).toBe(403);
    expect((await post(INITIALIZE, bearer('viewer'))).status).toBe(200);
  });

  it('is no web page of another site', async () => {
    for (const origin of ['https://evil.example', 'null']) {
      expect((await post(INITIALIZE, { ...bearer('viewer'), origin })).status).toBe(403);
    }
    expect((await post(INITIALIZE, { ...bearer('viewer'), origin: 'http://localhost:5173' })).status).toBe(200);
    const rebound = createApp(memory.host).request('http://evil.example/mcp', {
      method: 'POST',
      headers: bearer('viewer'),
    });
    expect((await rebound).status).toBe(403);
  });

  it('may do through tools what it may do over HTTP, and no more', async () => {
    const viewer = await connectAs('viewer');
    expect((await viewer.call('overview')).isError).toBe(false);
    const refused = await viewer.call('investigate', { service: 'cart', since: '10m', waitSeconds: 0 });
    expect(refused).toMatchObject({
      isError: true,
      text: 'a-viewer is a viewer: this takes the role member, lead or manager.',
    });
    const member = await connectAs('member');
    const opened = await member.call('investigate', { service: 'cart', since: '10m', waitSeconds: 0 });
    expect(opened.data).toMatchObject({ status: 'running' });
  });
});

describe('a long call', () => {
  it('tells on its stream how it goes on, until the verdict', async () => {
    const { call } = await connectAs('member');
    const heard: string[] = [];
    const onprogress = ({ message = '' }: { message?: string }) => {
      heard.push(message);
      const { id, kind } = steps.shift() ?? {};
      const finished = { status: 'finished' as const, finishedAtMs: 9 };
      if (id && kind) void memory.runtime.step(id, kind, kind === 'finished' ? finished : {});
    };
    const opened = await call('investigate', { service: 'cart', since: '10m', waitSeconds: 0 });
    const id = String(opened.data['investigationId']);
    const steps = (['verdict', 'finished'] as const).map((kind) => ({ id, kind }));
    const done = call('investigate', { incidentId: id, waitSeconds: 30 }, { onprogress });
    expect((await done).data).toMatchObject({ status: 'finished', investigationId: id });
    expect(heard.at(-1)).toBe('supervisor: now finished');
  });
});

describe('a session', () => {
  it('is its caller’s own', async () => {
    const { transport } = await connectAs('member');
    const session = { 'mcp-session-id': transport.sessionId ?? '' };
    expect((await post(LIST, { ...bearer('lead'), ...session })).status).toBe(404);
    const own = await post(LIST, { ...bearer('member'), ...session });
    expect(own.status).toBe(200);
    await own.body?.cancel();
  });

  it('ends when its client says so, and an unknown one is told to begin anew', async () => {
    const { transport } = await connectAs('member');
    const session = { ...bearer('member'), 'mcp-session-id': transport.sessionId ?? '' };
    await transport.terminateSession();
    expect((await post(LIST, session)).status).toBe(404);
    expect((await post(LIST, bearer('member'))).status).toBe(400);
  });

  it('ends with the host, which waits for no open stream', async () => {
    const { client } = await connectAs('member');
    const cut = new Promise((resolve) => {
      client.onerror = resolve;
    });
    memory.stopping.abort();
    await cut;
    await memory.host.activity.drained(10_000);
    expect(memory.host.activity.idleMs()).toBeGreaterThan(0);
  });

  it('is forgotten, the quietest first, when there are too many', async () => {
    const sessions = createHttpSessions({
      ...{ catalogue: createInquestCatalogue(), version: '1', nowMs: () => 0, maxSessions: 2 },
      connectAs: () => createStubBackend({}),
    });
    const ask = (body: unknown, headers: Record<string, string> = {}) =>
      sessions.handle(
        new Request('http://127.0.0.1/mcp', {
          method: 'POST',
          headers: { ...ACCEPT, ...headers },
          body: JSON.stringify(body),
        }),
        { name: 'alice', token: '' },
      );
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      ids.push((await ask(INITIALIZE)).headers.get('mcp-session-id') ?? '');
      await ask(LIST, { 'mcp-session-id': ids[0] ?? '' });
    }
    const statuses = ids.map(async (id) => (await ask(LIST, { 'mcp-session-id': id })).status);
    expect(await Promise.all(statuses)).toEqual([200, 404, 200]);
    await sessions.close();
  });
});

describe('a decision over HTTP', () => {
  async function propose(): Promise<string> {
    const { call } = await connectAs('member');
    const { data } = await call('investigate', { service: 'cart', since: '10m', waitSeconds: 0 });
    const investigationId = String(data['investigationId']);
    const approval = { ...approvalOf(investigationId), expiresAtMs: Date.now() + 60_000 };
    const { remediation } = approval;
    await memory.runtime.step(investigationId, 'approval', { status: 'awaiting-approval', approval, remediation });
    return investigationId;
  }

  it('is the click of a person whose role reaches that far, under their name', async () => {
    const id = await propose();
    const approve = async (): Promise<ElicitResult> => ({ action: 'accept', content: { decision: 'approve' } });
    const refused = await (await connectAs('member', approve)).call('request_decision', { id });
    expect(refused).toMatchObject({ isError: true, text: 'That takes a lead.' });
    const { data } = await (await connectAs('lead', approve)).call('request_decision', { id });
    expect(data).toMatchObject({ decision: 'approved' });
    const { approval } = (await memory.runtime.findInvestigation(id)) ?? {};
    expect(approval?.decision).toMatchObject({ outcome: 'approved', decidedBy: 'a-lead' });
  });

  it('is not taken for somebody who has no form', async () => {
    const id = await propose();
    const { data } = await (await connectAs('manager')).call('request_decision', { id });
    expect(data).toMatchObject({ decision: 'pending', message: expect.stringContaining('inquest approve') });
    expect((await memory.runtime.listPendingApprovals()).length).toBe(1);
  });
});
