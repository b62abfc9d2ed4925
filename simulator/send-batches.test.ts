/** Sending over real HTTP to a small server that answers as told: what arrives, what is counted, which error is thrown. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { sendBatch } from './send-batches.ts';
import { simulateShop } from './simulate-shop.ts';

const START_MS = Date.UTC(2026, 0, 14, 10);
const fault = { kind: 'bad-deploy', onsetMs: START_MS + 300_000 } as const;
const [batch] = simulateShop({
  seed: 4,
  startMs: START_MS,
  endMs: START_MS + 300_000,
  requestsPerSecond: 2,
  fault,
  batchSeconds: 300,
});
if (!batch) throw new InputError('The simulation gave no batch.');
const BATCH = batch;

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown[]>;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

let server: Server | undefined;
const signal = new AbortController().signal;

async function listen(answer: (path: string) => Answer): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const started = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const raw = Buffer.concat(parts);
    const body = JSON.parse((request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString());
    received.push({ path: request.url ?? '', headers: request.headers, body });
    const { status = 200, headers = {}, body: text = '{}' } = answer(request.url ?? '');
    response.writeHead(status, headers).end(text);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(started.address() as AddressInfo).port}`, received };
}

afterEach(async () => {
  const closing = server;
  server = undefined;
  closing?.closeAllConnections();
  if (closing) await new Promise((resolve) => closing.close(resolve));
});

describe('sendBatch', () => {
  it.each([false, true])('posts changes and the three signals in parts (gzip %s)', async (gzip) => {
    const { url, received } = await listen(() => ({}));
    const report = await sendBatch(BATCH, { url, signal, gzip, maxRecordsPerRequest: 1_000, token: 'abc' });
    const { spanCount, logCount, pointCount, changes } = BATCH;
    // The deploy and its commit.
    expect(changes.length).toBe(2);
    expect(report.accepted).toEqual({ spans: spanCount, logRecords: logCount, dataPoints: pointCount, changes: 2 });
    expect(report.rejected).toEqual({ spans: 0, logRecords: 0, dataPoints: 0, changes: 0 });
    expect(received[0]?.body).toEqual({ changes: JSON.parse(JSON.stringify(changes)) });
    expect(received[0]?.headers['authorization']).toBe('Bearer abc');
    const traces = received.filter(({ path }) => path === '/v1/traces');
    expect(traces.length).toBeGreaterThan(1);
    expect(traces.flatMap(({ body }) => body['resourceSpans'])).toEqual(
      JSON.parse(JSON.stringify(BATCH.traces?.resourceSpans)),
    );
    expect(new Set(received.map(({ path }) => path))).toEqual(
      new Set(['/v1/changes', '/v1/traces', '/v1/logs', '/v1/metrics']),
    );
  });

  it('takes partial success into account', async () => {
    const partial = { partialSuccess: { rejectedSpans: '3', errorMessage: 'three spans without an id' } };
    const { url } = await listen((path) => {
      if (path === '/v1/traces') return { body: JSON.stringify(partial) };
      return path === '/v1/changes' ? { body: '{"rejected":[{"index":0,"problem":"at: too old"}]}' } : {};
    });
    const report = await sendBatch(BATCH, { url, signal, maxRecordsPerRequest: 1e6 });
    expect(report.rejected).toEqual({ spans: 3, logRecords: 0, dataPoints: 0, changes: 1 });
    expect(report.accepted.spans).toBe(BATCH.spanCount - 3);
    expect(report.accepted.changes).toBe(1);
    expect(report.reasons).toEqual(['at: too old', 'three spans without an id']);
  });

  it('says who must act on a refusal', async () => {
    const full = await listen(() => ({ status: 503, headers: { 'retry-after': '7' }, body: 'full' }));
    const refused = await sendBatch(BATCH, { url: full.url, signal }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UnavailableError);
    expect(refused).toMatchObject({ retryable: true, details: { status: 503, retryAfterSeconds: 7 } });
    server?.closeAllConnections();
    server?.close();
    const picky = await listen(() => ({ status: 413, body: 'too large' }));
    await expect(sendBatch(BATCH, { url: picky.url, signal })).rejects.toThrow(InputError);
  });

  it('sends again what a busy host turned away, not before it asked for, and nothing else', async () => {
    let busy = 2;
    const { url, received } = await listen((path) =>
      path === '/v1/logs' && busy-- > 0 ? { status: 429, headers: { 'retry-after': '0' } } : {},
    );
    const reasons: string[] = [];
    const onRetry = (reason: string) => reasons.push(reason);
    const report = await sendBatch(BATCH, { url, signal, patient: true, onRetry, maxRecordsPerRequest: 1e6 });
    expect(received.map(({ path }) => path)).toEqual([
      '/v1/changes',
      '/v1/traces',
      ...['/v1/logs', '/v1/logs', '/v1/logs'],
      '/v1/metrics',
    ]);
    expect(report.requests).toEqual({ accepted: 4, refused: 0 });
    expect(reasons).toEqual([1, 2].map(() => expect.stringContaining('/v1/logs answered 429')));
  });

  it('counts refused requests when asked to, but not those that show that all will be refused', async () => {
    const { url } = await listen((path) => (path === '/v1/traces' ? { status: 413, body: 'too large' } : {}));
    const report = await sendBatch(BATCH, { url, signal, countRefusals: true, maxRecordsPerRequest: 1e6 });
    expect(report).toMatchObject({ requests: { accepted: 3, refused: 1 }, accepted: { spans: 0 } });
    expect(report.rejected).toEqual({ spans: BATCH.spanCount, logRecords: 0, dataPoints: 0, changes: 0 });
    server?.closeAllConnections();
    server?.close();
    const locked = await listen(() => ({ status: 401, body: 'no token' }));
    await expect(sendBatch(BATCH, { url: locked.url, signal, countRefusals: true })).rejects.toThrow(InputError);
    expect(locked.received.length).toBe(1);
  });

  it('has as many requests under way as it is allowed', async () => {
    let open = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const fetchSlowly: typeof fetch = async () => {
      most = Math.max(most, ++open);
      await new Promise<void>((resolve) => {
        gates.push(resolve);
        // All that may be under way is: let the oldest one go.
        setImmediate(() => gates.shift()?.());
      });
      open -= 1;
      return new Response('{}');
    };
    const options = { url: 'http://127.0.0.1', signal, fetch: fetchSlowly, maxRecordsPerRequest: 200, connections: 3 };
    const report = await sendBatch(BATCH, options);
    expect(most).toBe(3);
    expect(report.accepted.spans).toBe(BATCH.spanCount);
  });

  it('calls an unreachable host unavailable, and an abort an abort', async () => {
    const { url } = await listen(() => ({}));
    server?.close();
    server?.closeAllConnections();
    server = undefined;
    await expect(sendBatch(BATCH, { url, signal })).rejects.toThrow(UnavailableError);
    const stopping = AbortSignal.abort(new InputError('stopped by the test'));
    await expect(sendBatch(BATCH, { url, signal: stopping })).rejects.toThrow('stopped by the test');
  });
});
