/** Every way an exchange can end, over real sockets on loopback. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type Grant, grant } from '../../domain/approval.ts';
import { actionDigest, type Remediation } from '../../domain/remediation.ts';
import { createManualClock } from '../../platform/clock.ts';
import { Secret } from '../../platform/config.ts';
import { createActionExecutor } from './execute-action.ts';
import { createWebhook, signWebhook } from './send-webhook.ts';

const restart: Remediation = {
  action: 'restart-service',
  service: 'payment',
  parameters: { pod: 'payment-1' },
  tier: 'medium',
  rationale: 'it leaks',
  preconditions: [],
  undo: 'none',
  evidenceIds: [],
};
const granted: Grant = grant(
  {
    approvalId: 'apr_1',
    incidentId: 'inc_1',
    investigationId: 'inv_1',
    remediation: restart,
    actionDigest: actionDigest(restart),
    requestedAtMs: 0,
    expiresAtMs: 1_000,
    decision: { outcome: 'approved', decidedBy: 'alice', reason: '', decidedAtMs: 500 },
  },
  restart,
);
const secret = new Secret('sixteen characters');
const clock = createManualClock(1_767_225_600_900);

let server: Server | undefined;
afterEach(async () => {
  const closing = server;
  server = undefined;
  if (closing && 'closeAllConnections' in closing) (closing as ReturnType<typeof createServer>).closeAllConnections();
  if (closing) await new Promise((resolve) => closing.close(resolve));
});

async function listen(one: Server): Promise<string> {
  server = one;
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}/act`;
}

type Received = { method: string | undefined; path: string | undefined; headers: IncomingHttpHeaders; body: string };

/** A receiver that has read the whole request before it answers; what it received. */
async function receive(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const received: Received[] = [];
  const url = await listen(
    createServer(async (request, response) => {
      const { method, url: path, headers } = request;
      received.push({ method, path, headers, body: await text(request) });
      answer(response, request);
    }),
  );
  return { url, received };
}

const send = (url: string, timeoutMs?: number) =>
  createWebhook({ url, secret, clock, ...(timeoutMs ? { timeoutMs } : {}) })(restart, granted, 'apr_1');

describe('what is sent', () => {
  it('is the action and its grant, once, signed over time and body, with its digest as idempotency key', async () => {
    const { url, received } = await receive((response) => response.end('restarted'));
    const execute = createActionExecutor({ ticketDir: '/nowhere', webhook: { url, secret, clock } });
    expect(await execute(restart, granted, 'apr_1', new AbortController().signal)).toEqual({
      status: 'done',
      detail: 'the webhook answered 200: restarted',
    });
    expect(received).toHaveLength(1);
    const [{ method, path, headers, body }] = received as [Received];
    expect([method, path, headers['content-type']]).toEqual(['POST', '/act', 'application/json']);
    expect(JSON.parse(body)).toEqual({
      action: 'restart-service',
      service: 'payment',
      parameters: { pod: 'payment-1' },
      approvalId: 'apr_1',
      actionDigest: actionDigest(restart),
      grantedBy: 'alice',
    });
    expect(headers['idempotency-key']).toBe(`${actionDigest(restart)}.apr_1`);
    const signature = signWebhook('sixteen characters', 1_767_225_600, body);
    expect(headers['inquest-signature']).toBe(`t=1767225600,v1=${signature}`);
    expect(signWebhook('sixteen characters', 1_767_225_600, `${body} `)).not.toBe(signature);
    expect(signWebhook('another secret....', 1_767_225_600, body)).not.toBe(signature);
  });
});

describe('what came of it', () => {
  it.each<[number, string]>([
    [200, 'done'],
    [202, 'done'],
    [204, 'done'],
    [400, 'failed'],
    [409, 'failed'],
    [429, 'failed'],
    [302, 'unknown'],
    [500, 'unknown'],
    [503, 'unknown'],
  ])('is, after a %i, %s, and it is sent no second time', async (status, expected) => {
    const { url, received } = await receive((response) => {
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect((await send(url)).status).toBe(expected);
    expect(received.map(({ path }) => path)).toEqual(['/act']);
  });

  it('is unknown when no answer comes in time', async () => {
    const { url, received } = await receive(() => undefined);
    expect(await send(url, 100)).toEqual({
      status: 'unknown',
      detail: expect.stringContaining('no answer within 100 ms. It may have taken effect'),
    });
    expect(received).toHaveLength(1);
  });

  it('is unknown when the connection breaks after the request was sent', async () => {
    const { url, received } = await receive((_, request) => request.socket.resetAndDestroy());
    expect(await send(url)).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining('may have taken effect'),
    });
    expect(received).toHaveLength(1);
  });

  it('is failed when nobody listens: nothing was sent', async () => {
    const { url } = await receive(() => undefined);
    const gone = server;
    await new Promise((resolve) => gone?.close(resolve));
    server = undefined;
    const { status, detail } = await send(url);
    expect(status).toBe('failed');
    expect(detail).toMatch(/^nothing was sent: .*ECONNREFUSED/);
  });

  it('is failed when no secure connection came about: nothing was sent', async () => {
    const url = await listen(createTcpServer((socket) => socket.resume().end('this is no TLS')));
    expect(await send(url.replace('http:', 'https:'))).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('nothing was sent'),
    });
  });

  it('does not depend on how long the answer is, or whether it ends', async () => {
    const { url } = await receive((response) => {
      response.writeHead(200);
      response.write('x'.repeat(100_000));
    });
    const { status, detail } = await send(url);
    expect(status).toBe('done');
    expect(detail.length).toBeLessThan(300);
  });

  it('is what the status said when the answer breaks off', async () => {
    const { url } = await receive((response, request) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('restar', () => request.socket.destroy());
    });
    expect((await send(url)).status).toBe('done');
  });
});
