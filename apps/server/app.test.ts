/** The app by its requests: who is let in, what is refused how, and the order of a stream. */
import type { IncomingMessage } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import { proveHost } from '../../api/host-lock.ts';
import { ConfigError, InputError, InvariantError, LimitError, UnavailableError } from '../../platform/errors.ts';
import { createApp } from './app.ts';
import { approvalOf, createMemoryHost, type MemoryHost, TOKEN, WINDOW } from './fixture.contract.ts';
import type { HostApp } from './host.ts';
import { isLoopbackAddress } from './request-guards.ts';

let memory: MemoryHost;
let app: HostApp;

beforeEach(() => {
  memory = createMemoryHost({ maxBodyBytes: 10_000 });
  app = createApp(memory.host);
});

const JSON_TYPE = { 'content-type': 'application/json' };
const near = { incoming: { socket: { remoteAddress: '127.0.0.1' } } as IncomingMessage };
const afar = { incoming: { socket: { remoteAddress: '192.0.2.7' } } as IncomingMessage };

const withToken = (headers: Record<string, string> = {}) => ({ authorization: `Bearer ${TOKEN}`, ...headers });
const get = (path: string, headers = withToken()) => app.request(path, { headers });
const post = (path: string, body: unknown, headers: Record<string, string> = JSON_TYPE) =>
  app.request(path, {
    method: 'POST',
    headers: withToken(headers),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

async function openInvestigation(): Promise<string> {
  const response = await post('/api/incidents', { searchWindow: WINDOW });
  return ((await response.json()) as { investigationId: string }).investigationId;
}

describe('who is let in', () => {
  it('lets nobody to the API without the token', async () => {
    const refused = ['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`];
    for (const authorization of refused) {
      for (const path of ['/api/status', '/api/nothing', '/api/investigations/x/progress']) {
        const response = await get(path, { authorization });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="inquest"(, error="invalid_token")?$/);
      }
    }
    expect((await get('/api/status', { authorization: `bearer ${TOKEN}` })).status).toBe(200);
  });

  it('takes telemetry without a token from this machine only', async () => {
    const send = (env: object, headers = {}) =>
      app.request('/v1/traces', { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: '{}' }, env);
    expect((await send(near)).status).toBe(200);
    expect((await send(afar)).status).toBe(401);
    expect((await send(afar, withToken())).status).toBe(200);
    expect((await send({})).status).toBe(401);
    expect(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'].every(isLoopbackAddress)).toBe(true);
    expect(['10.0.0.1', '::', '::ffff:10.0.0.1', '1.127.0.0', undefined].some(isLoopbackAddress)).toBe(false);
  });

  it('refuses names that a page could have rebound, and pages of other sites', async () => {
    for (const name of ['localhost:4318', '127.0.0.1', '[::1]:80', 'my.localhost', '192.0.2.7:4318']) {
      expect((await get('/api/status', withToken({ host: name }))).status).toBe(200);
    }
    for (const name of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:4318']) {
      expect((await get('/api/status', withToken({ host: name }))).status).toBe(403);
    }
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example', 'http://192.0.2.7']) {
      expect((await get('/api/status', withToken({ origin }))).status).toBe(403);
      const change = { method: 'POST', headers: { ...JSON_TYPE, origin }, body: '{}' };
      expect((await app.request('/v1/changes', change, near)).status).toBe(403);
    }
    expect((await get('/api/status', withToken({ origin: 'http://localhost:3000' }))).status).toBe(200);
  });
});

describe('what is refused, and how', () => {
  it('answers 404 for what is not there', async () => {
    for (const path of [
      '/',
      '/api',
      '/api/nothing',
      '/api/investigations/inv_none',
      '/api/investigations/x/progress',
    ]) {
      const response = await get(path);
      expect([path, response.status, await codeOf(response)]).toEqual([path, 404, 'not-found']);
    }
    expect((await post('/api/verify/ev_none', '')).status).toBe(404);
    expect(await (await get('/api/nothing')).text()).toContain('/openapi.json');
  });

  it('answers 405 with what is allowed', async () => {
    const wrong = [
      ['DELETE', '/api/incidents', 'GET, POST'],
      ['GET', '/api/scan', 'POST'],
      ['POST', '/api/investigations/x/progress', 'GET'],
      ['PUT', '/healthz', 'GET'],
    ] as const;
    for (const [method, path, allowed] of wrong) {
      const response = await app.request(path, { method, headers: withToken() });
      expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
    }
    expect((await app.request('/v1/traces', { headers: JSON_TYPE }, near)).status).toBe(405);
  });

  it('answers 409 to the second decision', async () => {
    const investigationId = await openInvestigation();
    const approval = approvalOf(investigationId);
    await memory.runtime.step(investigationId, 'approval', { status: 'awaiting-approval', approval });
    const decide = () => post('/api/approvals/apr_1/decision', { outcome: 'rejected', decidedBy: 'alice' });
    expect((await decide()).status).toBe(200);
    const second = await decide();
    expect([second.status, await codeOf(second)]).toEqual([409, 'conflict']);
  });

  it('answers 400 to what is not valid, naming where', async () => {
    const bodies = [
      '{',
      '[]',
      '{"searchWindow":{"startMs":2,"endMs":1}}',
      JSON.stringify({ searchWindow: WINDOW, x: 1 }),
    ];
    for (const body of bodies) expect((await post('/api/incidents', body)).status).toBe(400);
    const response = await post('/api/incidents', { searchWindow: WINDOW, onsetMs: -1 });
    expect(await response.text()).toContain('onsetMs');
  });

  it('answers 413 to what is too large, its length told or not', async () => {
    const large = JSON.stringify({ title: 'x'.repeat(2_000_000), searchWindow: WINDOW });
    const told = await post('/api/incidents', large, { ...JSON_TYPE, 'content-length': String(large.length) });
    const untold = await post('/api/incidents', large);
    for (const response of [told, untold]) {
      expect([response.status, await codeOf(response)]).toEqual([413, 'payload-too-large']);
    }
    const telemetry = { method: 'POST', headers: JSON_TYPE, body: large };
    for (const path of ['/v1/logs', '/v1/changes']) expect((await app.request(path, telemetry, near)).status).toBe(413);
  });

  it('answers 415 to what is not JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      expect((await post('/api/incidents', '{}', { 'content-type': type })).status).toBe(415);
      const telemetry = { method: 'POST', headers: { 'content-type': type }, body: '{}' };
      for (const path of ['/v1/logs', '/v1/changes'])
        expect((await app.request(path, telemetry, near)).status).toBe(415);
    }
    const charset = await post(
      '/api/incidents',
      { searchWindow: WINDOW },
      { 'content-type': 'Application/JSON; charset=utf-8' },
    );
    expect(charset.status).toBe(200);
  });

  it('has one status for each kind of error, and keeps unexpected texts to itself', async () => {
    const table = [
      [new InputError('x'), 400],
      [new InputError('x', { code: 'not-found' }), 404],
      [new InputError('x', { code: 'conflict' }), 409],
      [new LimitError('x'), 422],
      [new UnavailableError('x'), 503],
      [new DOMException('x', 'AbortError'), 503],
      [new ConfigError('x'), 500],
      [new InvariantError('x'), 500],
      [new TypeError('secret'), 500],
    ] as const;
    for (const [error, status] of table) {
      memory.runtime.failWith(error);
      const response = await get('/api/incidents');
      expect(response.status).toBe(status);
      expect(response.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
      expect(await response.text()).not.toContain('secret');
    }
  });
});

describe('a host that is not ready', () => {
  it('is alive, proves who it is, and asks to come back', async () => {
    for (const state of ['starting', 'stopping'] as const) {
      memory.enter(state);
      const alive = await app.request('/healthz?challenge=abc');
      expect(await alive.json()).toEqual({ state, version: '0.0.0-test', proof: proveHost(TOKEN, 'abc') });
      const otlp = { method: 'POST', headers: JSON_TYPE, body: '{}' };
      const answers = [
        await get('/api/status'),
        await app.request('/v1/logs', otlp, near),
        await app.request('/readyz'),
      ];
      for (const answer of answers) {
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      }
    }
  });

  it('proves nothing unasked, and is ready when its engine answers', async () => {
    expect(await (await app.request('/healthz')).json()).toEqual({ state: 'ready', version: '0.0.0-test' });
    expect((await app.request('/readyz')).status).toBe(200);
    memory.runtime.failWith(new UnavailableError('engine away'));
    expect((await app.request('/readyz')).status).toBe(503);
  });
});

describe('activity', () => {
  it('counts requests and open streams, not probes', async () => {
    const { activity } = memory.host;
    const investigationId = await openInvestigation();
    const stream = await get(`/api/investigations/${investigationId}/progress`);
    expect(activity.idleMs()).toBe(0);
    await stream.body?.cancel();
    await activity.drained(5_000);
    const quietMs = activity.idleMs();
    await app.request('/healthz');
    await app.request('/readyz');
    expect(activity.idleMs()).toBeGreaterThanOrEqual(quietMs);
  });
});

describe('the stream of progress', () => {
  it('tells the past, then the present, then the end, in order', async () => {
    const investigationId = await openInvestigation();
    const response = await get(`/api/investigations/${investigationId}/progress`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const text = response.text();
    for (const kind of ['scoped', 'task-posted', 'finding', 'hypothesis', 'vote', 'verdict'] as const) {
      await memory.runtime.step(investigationId, kind);
    }
    await memory.runtime.step(investigationId, 'finished', { status: 'finished' });
    const events = (await text).split('\n\n').filter((block) => block.startsWith('event: '));
    const kinds = events.map((block) => /"kind":"([\w-]+)"/.exec(block)?.[1] ?? block.split('\n')[0]);
    const expected = [
      'started',
      'scoped',
      'task-posted',
      'finding',
      'hypothesis',
      'vote',
      'verdict',
      'finished',
      'event: end',
    ];
    expect(kinds).toEqual(expected);
  });

  it('ends with the error that stopped it', async () => {
    const investigationId = await openInvestigation();
    const response = await get(`/api/investigations/${investigationId}/progress`);
    memory.runtime.failWith(new UnavailableError('engine away'));
    await memory.runtime.step(investigationId, 'finished');
    const text = await response.text();
    expect(text).toContain('event: error\ndata: {"error":{"code":"unavailable","message":"engine away"}}');
    expect(text).not.toContain('event: end');
  });
});
