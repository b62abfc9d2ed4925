import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import { createManualClock } from '../platform/clock.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { createIngestCounts } from './ingest-counts.ts';
import { jsonToProto } from './otlp/json-to-proto.ts';
import { OTLP_RESPONSES, RPC_STATUS } from './otlp/otlp-schema.ts';
import { createOtlpHttpReceiver } from './otlp-http-receiver.ts';
import { createOtlpIntake, type OtlpIntakeOptions } from './otlp-intake.ts';

const MAX_BODY_BYTES = 64 * 1024;

const span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'GET /',
  startTimeUnixNano: '1767225600000000000',
  endTimeUnixNano: '1767225600000000001',
};
const requestOf = (...spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

function open(options: Partial<OtlpIntakeOptions> = {}) {
  const written: TelemetryRows[] = [];
  const counts = createIngestCounts();
  const intake = createOtlpIntake({
    store: async ({ rows }) => {
      written.push(rows);
    },
    maxBodyBytes: MAX_BODY_BYTES,
    clock: createManualClock(1_767_225_600_000),
    logger: silentLogger,
    counts,
    ...options,
  });
  const receive = createOtlpHttpReceiver(intake);
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}, path = '/v1/traces') =>
    receive(
      new Request(`http://localhost${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: body as BodyInit,
      }),
    );
  const postProto = (body: Uint8Array, headers: Record<string, string> = {}) =>
    post(body, { 'content-type': 'application/x-protobuf', ...headers });
  return { receive, post, postProto, written, counts };
}

async function statusOf(response: Response) {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const isJson = response.headers.get('content-type') === 'application/json';
  const status: unknown = isJson ? JSON.parse(new TextDecoder().decode(bytes)) : RPC_STATUS.decode(bytes).toJSON();
  return status as { code: number; message: string };
}

describe('what is stored', () => {
  it('is answered with an empty response in the encoding of the request', async () => {
    const { post, postProto, written, counts } = open();
    const json = await post(JSON.stringify(requestOf(span)), { 'content-type': 'application/json; charset=utf-8' });
    expect([json.status, json.headers.get('content-type'), await json.text()]).toEqual([200, 'application/json', '{}']);
    const proto = await postProto(jsonToProto('traces', requestOf(span)));
    expect([proto.status, proto.headers.get('content-type')]).toEqual([200, 'application/x-protobuf']);
    expect((await proto.arrayBuffer()).byteLength).toBe(0);
    expect(written).toHaveLength(2);
    expect(counts.traces).toEqual({ received: 2, late: 0, rejected: 0, refused: 0 });
  });

  it('may come gzipped', async () => {
    const { post, written } = open();
    const response = await post(gzipSync(JSON.stringify(requestOf(span))), { 'content-encoding': 'gzip' });
    expect(response.status).toBe(200);
    expect(written).toHaveLength(1);
  });

  it('is acknowledged only when the write has returned', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const order: string[] = [];
    const { post } = open({
      store: () => {
        started.resolve();
        return gate.promise;
      },
    });
    const answered = post(JSON.stringify(requestOf(span))).then(() => order.push('answered'));
    await started.promise;
    order.push('stored');
    gate.resolve();
    await answered;
    expect(order).toEqual(['stored', 'answered']);
  });

  it('says what of it was rejected, and why', async () => {
    const { post, postProto, written, counts } = open();
    const request = requestOf(span, { ...span, traceId: '' }, { ...span, endTimeUnixNano: '0' });
    const errorMessage = '1 x trace id is not 16 bytes, or all zero; 1 x end time is missing';
    const json = await post(JSON.stringify(request));
    expect([json.status, await json.json()]).toEqual([200, { partialSuccess: { rejectedSpans: '2', errorMessage } }]);
    const proto = await postProto(jsonToProto('traces', request));
    const decoded = OTLP_RESPONSES.traces.decode(new Uint8Array(await proto.arrayBuffer()));
    expect(decoded.toJSON()).toEqual({ partialSuccess: { rejectedSpans: '2', errorMessage } });
    expect(written.map((rows) => rows.otel_traces?.length)).toEqual([1, 1]);
    expect(counts.traces).toEqual({ received: 2, late: 0, rejected: 4, refused: 0 });
  });

  it('names the rejected by signal', async () => {
    const { post } = open();
    const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: '1' }] }] }] };
    const logsAnswer = await post(JSON.stringify(logs), {}, '/v1/logs');
    expect(await logsAnswer.json()).toMatchObject({ partialSuccess: { rejectedLogRecords: '1' } });
    const metrics = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm' }] }] }] };
    const metricsAnswer = await post(JSON.stringify(metrics), {}, '/v1/metrics');
    expect(await metricsAnswer.json()).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } });
  });

  it('may be nothing: an empty request writes nothing', async () => {
    const { post, postProto, written } = open();
    expect((await post('{}')).status).toBe(200);
    expect((await postProto(new Uint8Array())).status).toBe(200);
    expect(written).toEqual([]);
  });
});

describe('what is refused', () => {
  it.each([
    ['cut-off JSON', '{"resourceSpans":[', {}, 400, 3],
    ['an empty body', '', {}, 400, 3],
    ['JSON of another shape', '{"resourceSpans":{}}', {}, 400, 3],
    [
      'cut-off protobuf',
      jsonToProto('traces', requestOf(span)).subarray(0, 20),
      { 'content-type': 'application/x-protobuf' },
      400,
      3,
    ],
    ['cut-off gzip', gzipSync('{}').subarray(0, 12), { 'content-encoding': 'gzip' }, 400, 3],
    ['what is no gzip', '{}', { 'content-encoding': 'gzip' }, 400, 3],
    ['an unknown type', '{}', { 'content-type': 'text/plain' }, 415, 3],
    ['an unknown coding', '{}', { 'content-encoding': 'br' }, 415, 3],
    ['a large body', 'x'.repeat(MAX_BODY_BYTES + 1), {}, 413, 8],
    ['a body that unzips large', gzipSync(' '.repeat(50 * MAX_BODY_BYTES)), { 'content-encoding': 'gzip' }, 413, 8],
  ])('%s', async (_what, body, headers, status, code) => {
    const { post, written, counts } = open();
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    const sent: Record<string, string> = headers;
    const isProto = sent['content-type'] === 'application/x-protobuf';
    expect(response.headers.get('content-type')).toBe(isProto ? 'application/x-protobuf' : 'application/json');
    expect(await statusOf(response)).toMatchObject({ code, message: expect.stringMatching(/.{10}/) });
    expect(written).toEqual([]);
    expect(counts.traces).toEqual({ received: 0, late: 0, rejected: 0, refused: 1 });
  });

  it('a stream longer than the limit, although it does not say so', async () => {
    const { receive } = open();
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls += 1;
        controller.enqueue(new Uint8Array(16 * 1024));
      },
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' };
    const response = await receive(new Request('http://localhost/v1/traces', init as RequestInit));
    expect(response.status).toBe(413);
    expect(pulls).toBeLessThan(10);
  });

  it('other methods and paths', async () => {
    const { receive } = open();
    const get = await receive(new Request('http://localhost/v1/logs'));
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await receive(new Request('http://localhost/v1/profiles', { method: 'POST' }))).status).toBe(404);
  });
});

describe('when the store fails', () => {
  const body = JSON.stringify(requestOf(span));

  it('for a while, the sender is asked to retry', async () => {
    const { post, counts } = open({ store: () => Promise.reject(new UnavailableError('the engine is restarting')) });
    const response = await post(body);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await statusOf(response)).toEqual({ code: 14, message: 'the engine is restarting' });
    expect(counts.traces).toEqual({ received: 0, late: 0, rejected: 0, refused: 1 });
  });

  it('by not answering, the write is aborted and the sender asked to retry', async () => {
    const { post } = open({
      writeTimeoutMs: 10,
      store: (_batch, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    });
    expect((await post(body)).status).toBe(503);
  });

  it.each([new TypeError('secret detail'), new InputError('the engine dislikes a row')])(
    'for good (%s), the sender learns no detail and the log all',
    async (failure) => {
      const logged: unknown[] = [];
      const logger = { ...silentLogger, error: (fields: unknown) => logged.push(fields) } as typeof silentLogger;
      const { post } = open({ store: () => Promise.reject(failure), logger });
      const response = await post(body);
      expect(response.status).toBe(500);
      expect(await statusOf(response)).toEqual({ code: 13, message: 'Storing the request failed.' });
      expect(logged).toMatchObject([{ err: { cause: failure }, signal: 'traces' }]);
    },
  );
});

it('a full receiver refuses more until a write returns', async () => {
  const body = JSON.stringify(requestOf(span));
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { post } = open({
    maxInFlightBytes: body.length + 10,
    store: () => {
      started.resolve();
      return gate.promise;
    },
  });
  const first = post(body);
  await started.promise;
  const second = await post(body);
  expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await statusOf(second)).toMatchObject({ code: 8 });
  gate.resolve();
  expect((await first).status).toBe(200);
  expect((await post(body)).status).toBe(200);
});

it('a refused or broken request takes nothing from the budget for good', async () => {
  const body = JSON.stringify(requestOf(span));
  const { post } = open({ maxInFlightBytes: body.length + 100 });
  for (let attempt = 0; attempt < 5; attempt++) {
    await post(gzipSync(' '.repeat(body.length)).subarray(0, 15), { 'content-encoding': 'gzip' });
    await post(`${body} `.slice(0, -5));
    await post('x'.repeat(MAX_BODY_BYTES + 1));
  }
  expect((await post(body)).status).toBe(200);
});
