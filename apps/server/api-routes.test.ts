/** Every route by who asks and what is asked: roles, queries, lists, and refusals in the words of each protocol. */
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { ALL_ROUTES, createOpenApi } from '../../api/openapi.ts';
import { rolesWith } from '../../api/permissions.ts';
import type { ProtocolRoute } from '../../api/protocol-routes.ts';
import { createEvidence } from '../../domain/evidence.ts';
import { type Identity, type Role, roleSchema, tokenDigest } from '../../domain/identity.ts';
import { RPC_STATUS } from '../../ingest/otlp/otlp-schema.ts';
import { UnavailableError } from '../../platform/errors.ts';
import { createApp } from './app.ts';
import { AUDIT, approvalOf, createMemoryHost, type MemoryHost, TOKEN, WINDOW } from './fixture.contract.ts';
import type { HostApp } from './host.ts';
import { listen } from './http-listener.ts';

const tokenOf = (role: Role) => `the-token-of-a-${role}`;
const IDENTITIES: Identity[] = roleSchema.options.map((role) => ({
  name: `a-${role}`,
  role,
  tokenSha256: tokenDigest(tokenOf(role)),
}));
const JSON_TYPE = { 'content-type': 'application/json' };
const afar = { incoming: { socket: { remoteAddress: '192.0.2.7' } } as IncomingMessage };
const evidence = createEvidence({
  tool: 'probe',
  input: {},
  queries: [{ sql: 'SELECT 1', parameters: {}, rowCount: 1, digest: '0'.repeat(64) }],
  window: WINDOW,
  takenAtMs: 1,
  summary: 'one',
});

let memory: MemoryHost;
let app: HostApp;
beforeEach(() => {
  memory = createMemoryHost({ identities: IDENTITIES });
  app = createApp(memory.host);
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const get = async (path: string, token = tokenOf('viewer')) => {
  const response = await app.request(path, { headers: bearer(token) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const post = (path: string, body: unknown, token: string) =>
  app.request(path, { method: 'POST', headers: { ...JSON_TYPE, ...bearer(token) }, body: JSON.stringify(body) }, afar);
const messageOf = async (path: string) => {
  const { status, body } = await get(path);
  return [status, (body['error'] as { message: string }).message];
};

async function openIncidents(count: number) {
  const opened: { incidentId: string; investigationId: string }[] = [];
  for (let index = 0; index < count; index++) {
    const response = await post('/api/incidents', { searchWindow: WINDOW }, tokenOf('member'));
    const { incident, investigationId } = (await response.json()) as {
      incident: { incidentId: string };
      investigationId: string;
    };
    opened.push({ incidentId: incident.incidentId, investigationId });
  }
  return opened;
}

function ask({ method, path, input, example }: ProtocolRoute, token: string | undefined): Promise<Response> | Response {
  const headers = { ...(input ? JSON_TYPE : {}), ...(token ? bearer(token) : {}) };
  const body = input ? { body: JSON.stringify(example ?? {}) } : {};
  return app.request(path.replace(':id', 'nothing_x'), { method, headers, ...body }, afar);
}

describe('roles', () => {
  const guarded = Object.entries(ALL_ROUTES).filter(([, { needs }]) => needs !== 'nobody');

  it.each(guarded)('%s lets in whom its permission names, and nobody else', async (_name, route) => {
    const allowed = new Set<Role>(rolesWith(route.needs));
    expect(allowed.size).toBeGreaterThan(0);
    for (const role of roleSchema.options) {
      const { status } = await ask(route, tokenOf(role));
      expect([role, [401, 403].includes(status)]).toEqual([role, !allowed.has(role)]);
    }
    for (const token of [undefined, 'unknown']) {
      const refused = await ask(route, token);
      expect(refused.status).toBe(401);
      const challenge = refused.headers.get('www-authenticate');
      expect(challenge).toBe(`Bearer realm="inquest"${token ? ', error="invalid_token"' : ''}`);
    }
  });

  it('are named to whoever does not have them', async () => {
    const refused = await post('/api/incidents', {}, tokenOf('viewer'));
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { error: { code: 'forbidden', message: 'a-viewer is a viewer: this takes the role member, lead or manager.' } },
    ]);
  });

  it('reach for decisions as far as the risk of the action', async () => {
    const [opened] = await openIncidents(1);
    const approval = approvalOf(opened?.investigationId ?? '');
    await memory.runtime.step(approval.investigationId, 'approval', { status: 'awaiting-approval', approval });
    const decide = (token: string) =>
      post('/api/approvals/apr_1/decision', { outcome: 'rejected', decidedBy: 'mallory', reason: 'no' }, token);
    for (const role of ['sender', 'viewer', 'member'] as const) expect((await decide(tokenOf(role))).status).toBe(403);
    // Once people are known by name, the token that every process on this machine can read decides on nothing.
    expect((await decide(TOKEN)).status).toBe(403);
    expect((await decide(tokenOf('lead'))).status).toBe(200);
    const { body } = await get('/api/approvals/apr_1');
    expect(body['decision']).toMatchObject({ decidedBy: 'a-lead', outcome: 'rejected', reason: 'no' });
  });

  it('leave the probes and the description to everybody', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) expect((await app.request(path)).status).toBe(200);
    const described = await (await app.request('/openapi.json')).json();
    expect(described).toEqual(JSON.parse(JSON.stringify(createOpenApi('0.0.0-test'))));
  });
});

describe('a query', () => {
  it('is refused with the name of what is wrong in it', async () => {
    const wrong = [
      ['/api/incidents?limit=0', 'limit'],
      ['/api/incidents?limit=1e1', 'limit: not a whole number'],
      ['/api/incidents?limit=', 'limit'],
      ['/api/incidents?limit=1&limit=2', 'limit: given more than once'],
      ['/api/incidents?status=great', 'status'],
      ['/api/incidents?cursor=%27', 'cursor'],
      ['/api/incidents?cursor=bm8', 'cursor: not a nextCursor'],
      ['/api/incidents?colour=red', 'colour'],
      ['/api/status?x=1', 'x'],
      ['/api/investigations/x/progress?x=1', 'x'],
      ['/api/changes?since=yesterday', 'since: "yesterday" is not a time'],
      ['/api/changes?since=5m&until=10m', 'since: 5m is not before until'],
      ['/api/audit?fromSequence=-1', 'fromSequence'],
    ] as const;
    for (const [path, part] of wrong) {
      expect([path, ...(await messageOf(path))]).toEqual([path, 400, expect.stringContaining(part)]);
    }
  });

  it('with an id that can be none is answered with 404', async () => {
    for (const id of ['%00', "inc_'--", 'a%2Fb', 'x'.repeat(200), 'ä']) {
      for (const path of ['incidents', 'investigations', 'evidence', 'approvals']) {
        expect((await get(`/api/${path}/${id}`)).status).toBe(404);
      }
    }
  });
});

describe('lists', () => {
  it('go on where the part before ended', async () => {
    const opened = await openIncidents(5);
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { body } = await get(`/api/incidents?limit=2${cursor}`);
      seen.push(...(body['incidents'] as { incidentId: string }[]).map(({ incidentId }) => incidentId));
      cursor = body['nextCursor'] ? `&cursor=${body['nextCursor']}` : '';
    } while (cursor !== '');
    expect(seen.toSorted()).toEqual(opened.map(({ incidentId }) => incidentId).toSorted());
  });

  it('hold what has the status that was asked for', async () => {
    const [first, second] = await openIncidents(2);
    const approval = approvalOf(second?.investigationId ?? '');
    const change = { status: 'finished' as const, evidence: [evidence], approval };
    await memory.runtime.step(approval.investigationId, 'finished', change);
    const { body } = await get('/api/investigations?status=finished');
    expect(body).toEqual({
      investigations: [
        {
          investigationId: second?.investigationId,
          incidentId: second?.incidentId,
          title: 'Opened by hand',
          status: 'finished',
          startedAtMs: 1,
          approvalId: 'apr_1',
        },
      ],
    });
    expect((await get('/api/incidents?status=resolved')).body).toEqual({ incidents: [] });
    expect((await get(`/api/incidents/${first?.incidentId}`)).body).toMatchObject({ status: 'investigating' });
    expect((await get('/api/approvals')).body).toEqual({ approvals: [approval] });
    expect((await get('/api/approvals?status=approved')).body).toEqual({ approvals: [] });
    expect((await get(`/api/evidence/${evidence.evidenceId}`)).body).toEqual(evidence);
    expect((await get('/api/evidence/ev_none')).status).toBe(404);
  });

  it('of audit entries begin where one says, and the chain is verified', async () => {
    const { body: newest } = await get('/api/audit?limit=1');
    expect(newest).toEqual({ entries: [AUDIT.at(-1)] });
    const { body: part } = await get('/api/audit?fromSequence=1&limit=2');
    expect(part).toEqual({ entries: AUDIT.slice(0, 2), nextSequence: 3 });
    expect((await get('/api/audit?fromSequence=3&limit=2')).body).toEqual({ entries: AUDIT.slice(2) });
    expect((await get('/api/audit/verification')).body).toMatchObject({ whole: true, entries: 3 });
  });

  it('of changes have a window in the words of people', async () => {
    await get('/api/changes?since=2026-01-01T00:00:00Z&until=1767226000000&service=cart&limit=3');
    expect(memory.runtime.questions).toEqual([
      { window: { startMs: Date.UTC(2026, 0, 1), endMs: 1_767_226_000_000 }, service: 'cart', limit: 3 },
    ]);
  });
});

describe('telemetry that is refused before its receiver sees it', () => {
  const sendAs = (token: string | undefined, type: string) =>
    app.request(
      '/v1/logs',
      { method: 'POST', headers: { 'content-type': type, ...(token ? bearer(token) : {}) } },
      afar,
    );

  it('is answered with a Status in the encoding of the request', async () => {
    const refusals = [
      [undefined, 401, 16],
      [tokenOf('viewer'), 403, 7],
    ] as const;
    for (const [token, status, code] of refusals) {
      const json = await sendAs(token, 'application/json');
      expect([json.status, await json.json()]).toMatchObject([status, { code, message: expect.any(String) }]);
      const proto = await sendAs(token, 'application/x-protobuf');
      const decoded = RPC_STATUS.decode(new Uint8Array(await proto.arrayBuffer())).toJSON();
      expect([proto.status, proto.headers.get('content-type'), decoded]).toMatchObject([
        status,
        'application/x-protobuf',
        { code },
      ]);
      expect(json.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer realm="inquest"' : null);
    }
    memory.enter('starting');
    const early = await sendAs(TOKEN, 'application/json');
    expect([early.status, early.headers.get('retry-after'), await early.json()]).toMatchObject([
      503,
      '1',
      { code: 14 },
    ]);
  });

  it('is taken from senders that may do nothing else', async () => {
    const change = { kind: 'deploy', service: 'cart', summary: 'v2' };
    expect((await post('/v1/changes', change, tokenOf('sender'))).status).toBe(200);
    expect((await post('/v1/logs', {}, tokenOf('sender'))).status).toBe(200);
    expect((await post('/v1/changes', change, tokenOf('viewer'))).status).toBe(403);
  });
});

describe('an engine that is away', () => {
  it('makes the host unready, and the answer says why', async () => {
    memory.runtime.failWith(new UnavailableError('The engine restarts.'));
    const response = await app.request('/readyz');
    expect([response.status, await response.json()]).toEqual([
      503,
      { error: { code: 'unavailable', message: 'The engine does not answer. The engine restarts.' } },
    ]);
    memory.runtime.failWith(new TypeError('secret'));
    expect(await (await app.request('/readyz')).text()).not.toContain('secret');
    expect((await app.request('/healthz')).status).toBe(200);
  });

  it('does not keep strangers in doubt', async () => {
    memory.runtime.failWith(new UnavailableError('The engine restarts.'));
    expect((await get('/api/status')).status).toBe(503);
    expect((await get('/api/status', 'unknown')).status).toBe(401);
  });
});

describe('a body', () => {
  const text = JSON.stringify({ searchWindow: WINDOW });
  const postBody = (body: string | Buffer, headers: Record<string, string> = {}) =>
    app.request('/api/incidents', {
      method: 'POST',
      headers: { ...JSON_TYPE, ...bearer(tokenOf('member')), ...headers },
      body: new Uint8Array(Buffer.from(body)),
    });

  it('may be zipped, and is refused when it is a bomb, coded otherwise or no UTF-8', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    expect((await postBody(gzipSync(text), gzip)).status).toBe(200);
    expect((await postBody(gzipSync(Buffer.alloc(50_000_000)), gzip)).status).toBe(413);
    expect((await postBody(text, gzip)).status).toBe(400);
    expect((await postBody(text, { 'content-encoding': 'br' })).status).toBe(415);
    expect((await postBody(Buffer.concat([Buffer.from(text), Buffer.from([0xff])]))).status).toBe(400);
  });

  it('may come in chunks, or not at all, over a real socket', async () => {
    const listener = await listen({ fetch: app.fetch, host: '127.0.0.1', port: 0 });
    /** As written, and the status that came back. */
    const exchange = async (head: readonly string[], body = '') => {
      const { port } = new URL(listener.url);
      const socket = connect(Number(port), '127.0.0.1');
      const lines = [...head, 'Host: localhost', `Authorization: Bearer ${tokenOf('member')}`, 'Connection: close'];
      socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
      return /^HTTP\/1.1 (\d+)/.exec(await readText(socket))?.[1];
    };
    try {
      const chunked = ['POST /api/incidents HTTP/1.1', 'Content-Type: application/json', 'Transfer-Encoding: chunked'];
      const chunksOf = (content: string) => `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;
      expect(await exchange(chunked, chunksOf(text))).toBe('200');
      expect(await exchange(chunked, chunksOf(`${text}${' '.repeat(2_000_000)}`))).toBe('413');
      expect(await exchange(['POST /api/scan HTTP/1.1'])).toBe('200');
      expect(await exchange(['DELETE /api/incidents HTTP/1.1'])).toBe('405');
    } finally {
      await listener.close();
    }
  });
});
