/** The gRPC receiver on a real socket: what is stored, what is refused and how senders are told, and bounded memory. */
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import { createManualClock } from '../platform/clock.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { createIngestCounts } from './ingest-counts.ts';
import { EXPORT_METHODS } from './otlp/export-methods.ts';
import { jsonToProto } from './otlp/json-to-proto.ts';
import { OTLP_RESPONSES, RETRY_INFO, RPC_STATUS } from './otlp/otlp-schema.ts';
import { createOtlpGrpcClient, type GrpcAnswer, type OtlpGrpcClientOptions } from './otlp-grpc-client.ts';
import { createOtlpGrpcReceiver, type OtlpGrpcReceiverOptions } from './otlp-grpc-receiver.ts';
import { createOtlpIntake, type OtlpIntakeOptions } from './otlp-intake.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;

const span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'GET /',
  startTimeUnixNano: '1767225600000000000',
  endTimeUnixNano: '1767225600000000001',
};
const requestOf = (...spans: object[]) => jsonToProto('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] });

let opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.reverse()) await close();
  opened = [];
});

async function open(options: Partial<OtlpIntakeOptions & OtlpGrpcReceiverOptions> = {}) {
  const written: TelemetryRows[] = [];
  const counts = createIngestCounts();
  const common = { maxBodyBytes: MAX_BODY_BYTES, logger: silentLogger, counts };
  const intake = createOtlpIntake({
    store: async ({ rows }) => {
      written.push(rows);
    },
    clock: createManualClock(1_767_225_600_000),
    ...common,
    ...options,
  });
  const receiver = createOtlpGrpcReceiver({ admit: () => intake, ...common, ...options });
  const server: Server = createServer((socket) => receiver.accept(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  opened.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await receiver.close(0);
    await closed;
  });
  const connectClient = (clientOptions: OtlpGrpcClientOptions = {}) => {
    const client = createOtlpGrpcClient(`127.0.0.1:${port}`, clientOptions);
    opened.push(client.close);
    return (request: Uint8Array, signal: keyof typeof EXPORT_METHODS = 'traces') =>
      client.send(signal, request, TIMEOUT_MS);
  };
  return { port, receiver, written, counts, connectClient, send: connectClient() };
}

/** Seconds of its RetryInfo; undefined when a sender is not to retry. */
function retryAfterOf({ code, message, details }: GrpcAnswer): number | undefined {
  if (details === undefined) return undefined;
  const told = RPC_STATUS.decode(details).toJSON();
  expect(told).toMatchObject({ code, message, details: [{ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo' }] });
  const [info] = (told['details'] as { value: string }[] | undefined) ?? [];
  const { retryDelay } = RETRY_INFO.decode(Buffer.from(info?.value ?? '', 'base64')).toJSON();
  return Number(retryDelay.seconds);
}

/** A call by hand: its frames as given, each part written on its own; resolves with its grpc-status. */
async function callRaw(port: number, frames: readonly Uint8Array[], headers: Record<string, string> = {}, end = true) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': EXPORT_METHODS.traces,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const ended = new Promise<unknown>((resolve) => {
    const take = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) resolve(headers['grpc-status']);
    };
    stream
      .on('response', take)
      .on('trailers', take)
      .on('error', () => undefined);
    stream.on('close', () => resolve(undefined));
  });
  for (const frame of frames) stream.write(frame);
  if (end) stream.end();
  stream.resume();
  const code = await ended;
  session.destroy();
  return Number(code);
}

function frame(message: Uint8Array, isZipped = false): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(isZipped ? 1 : 0, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

describe('what is stored', () => {
  it.each([{ gzip: false }, { gzip: true }])('is answered with an empty response ($gzip)', async (clientOptions) => {
    const { connectClient, written, counts } = await open();
    const answer = await connectClient(clientOptions)(requestOf(span));
    expect(answer).toEqual({ code: status.OK, message: '', response: Buffer.alloc(0), details: undefined });
    expect(written).toMatchObject([{ otel_traces: [{ SpanName: 'GET /' }] }]);
    expect(counts.traces).toMatchObject({ received: 1, rejected: 0, refused: 0 });
  });

  it('is acknowledged only when the write has returned', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const order: string[] = [];
    const { send } = await open({
      store: () => {
        started.resolve();
        return gate.promise;
      },
    });
    const answered = send(requestOf(span)).then(() => order.push('answered'));
    await started.promise;
    order.push('stored');
    gate.resolve();
    await answered;
    expect(order).toEqual(['stored', 'answered']);
  });

  it('comes from each of the three services, and says what of it was rejected', async () => {
    const { send, counts } = await open();
    const traces = await send(requestOf(span, { ...span, traceId: '' }));
    expect(OTLP_RESPONSES.traces.decode(traces.response).toJSON()).toEqual({
      partialSuccess: { rejectedSpans: '1', errorMessage: '1 x trace id is not 16 bytes, or all zero' },
    });
    const logs = await send(
      jsonToProto('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: '1' }] }] }] }),
      'logs',
    );
    expect(OTLP_RESPONSES.logs.decode(logs.response).toJSON()).toMatchObject({
      partialSuccess: { rejectedLogRecords: '1' },
    });
    const metrics = await send(
      jsonToProto('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm' }] }] }] }),
      'metrics',
    );
    expect(OTLP_RESPONSES.metrics.decode(metrics.response).toJSON()).toMatchObject({
      partialSuccess: { rejectedDataPoints: '1' },
    });
    expect(counts).toMatchObject({
      traces: { received: 1, rejected: 1 },
      logs: { rejected: 1 },
      metrics: { rejected: 1 },
    });
  });

  it('may be nothing: an empty request writes nothing', async () => {
    const { send, written } = await open();
    expect(await send(new Uint8Array())).toMatchObject({ code: status.OK });
    expect(written).toEqual([]);
  });
});

describe('what is refused', () => {
  it.each([
    { what: 'no protobuf', request: () => Buffer.alloc(300, 0xff), code: status.INVALID_ARGUMENT },
    { what: 'cut off', request: () => requestOf(span).subarray(0, -7), code: status.INVALID_ARGUMENT },
    { what: 'too large', request: () => Buffer.alloc(MAX_BODY_BYTES + 1), code: status.RESOURCE_EXHAUSTED },
    { what: 'a bomb', request: () => Buffer.alloc(64 * MAX_BODY_BYTES), code: status.RESOURCE_EXHAUSTED, gzip: true },
  ])('$what, and not to be sent again', async ({ request, code, gzip = false }) => {
    const { connectClient, written, counts } = await open();
    const answer = await connectClient({ gzip })(request());
    expect(answer).toMatchObject({ code, message: expect.stringMatching(/.{10}/), details: undefined });
    expect(written).toEqual([]);
    expect(counts.traces).toMatchObject({ received: 0, refused: 1 });
  });

  it.each([
    { what: 'gzip that is none', frames: [frame(Buffer.from('plain'), true)], code: status.INTERNAL },
    { what: 'cut-off gzip', frames: [frame(gzipSync('plain').subarray(0, -9), true)], code: status.INTERNAL },
    { what: 'no message', frames: [], code: status.INVALID_ARGUMENT },
    { what: 'two messages', frames: [frame(requestOf(span)), frame(requestOf(span))], code: status.INVALID_ARGUMENT },
    {
      what: 'an unknown coding',
      frames: [frame(Buffer.from('x'), true)],
      code: status.UNIMPLEMENTED,
      headers: { 'grpc-encoding': 'snappy' },
    },
    {
      what: 'an unknown method',
      frames: [frame(requestOf(span))],
      code: status.UNIMPLEMENTED,
      headers: { ':path': '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export' },
    },
  ])('$what', async ({ frames, code, headers }) => {
    const { port, send, written } = await open();
    expect(await callRaw(port, frames, { 'grpc-encoding': 'gzip', ...headers })).toBe(code);
    expect(written).toEqual([]);
    expect(await send(requestOf(span))).toMatchObject({ code: status.OK });
  });

  it('half a gigabyte out of half a megabyte, as soon as it is over the limit', async () => {
    const { port } = await open();
    // Members of a gzip file follow each other.
    const member = gzipSync(Buffer.alloc(16 * 1024 * 1024));
    const bomb = frame(Buffer.concat(Array.from({ length: 32 }, () => member)), true);
    expect(bomb.length).toBeLessThan(MAX_BODY_BYTES);
    const before = process.resourceUsage().maxRSS;
    const codes = await Promise.all([1, 2, 3, 4].map(() => callRaw(port, [bomb], { 'grpc-encoding': 'gzip' })));
    expect(codes).toEqual(Array(4).fill(status.RESOURCE_EXHAUSTED));
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100 * 1024);
  });

  it('a message that does not arrive in time, to be sent again', async () => {
    const { port, counts } = await open({ receiveTimeoutMs: 50 });
    const half = frame(requestOf(span)).subarray(0, 20);
    expect(await callRaw(port, [half], {}, false)).toBe(status.RESOURCE_EXHAUSTED);
    expect(counts.traces).toMatchObject({ refused: 1 });
  });

  it('a stranger, before the message is read', async () => {
    const senders: unknown[] = [];
    const { connectClient, counts } = await open({
      admit: (sender) => {
        senders.push(sender);
        return { kind: 'refused', status: 401, message: 'Send a token.' };
      },
    });
    const answer = await connectClient({ token: 'secret' })(Buffer.alloc(MAX_BODY_BYTES));
    expect(answer).toMatchObject({ code: status.UNAUTHENTICATED, message: 'Send a token.', details: undefined });
    expect(senders).toEqual([{ remoteAddress: '127.0.0.1', authorization: 'Bearer secret' }]);
    expect(counts.traces).toMatchObject({ refused: 0 });
  });

  it('while nobody is there to take it, to be sent again', async () => {
    const { send } = await open({
      admit: () => {
        throw new UnavailableError('The host is starting.');
      },
    });
    const answer = await send(requestOf(span));
    expect(answer).toMatchObject({ code: status.UNAVAILABLE, message: 'The host is starting.' });
    expect(retryAfterOf(answer)).toBe(5);
  });
});

describe('when the store fails', () => {
  it('for a while, the sender is asked to retry', async () => {
    const { send, counts } = await open({ store: () => Promise.reject(new UnavailableError('restarting – ☕')) });
    const answer = await send(requestOf(span));
    expect(answer).toMatchObject({ code: status.UNAVAILABLE, message: 'restarting – ☕' });
    expect(retryAfterOf(answer)).toBe(5);
    expect(counts.traces).toMatchObject({ received: 0, refused: 1 });
  });

  it.each([new TypeError('secret detail'), new InputError('the engine dislikes a row')])(
    'for good (%s), the sender learns no detail',
    async (failure) => {
      const { send } = await open({ store: () => Promise.reject(failure) });
      const answer = await send(requestOf(span));
      expect(answer).toMatchObject({
        code: status.INTERNAL,
        message: 'Storing the request failed.',
        details: undefined,
      });
    },
  );
});

describe('a full receiver', () => {
  it('refuses more until a write returns', async () => {
    const request = requestOf(span);
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const { send } = await open({
      maxInFlightBytes: request.length + 10,
      store: () => {
        started.resolve();
        return gate.promise;
      },
    });
    const first = send(request);
    await started.promise;
    const second = await send(request);
    expect([second.code, retryAfterOf(second)]).toEqual([status.RESOURCE_EXHAUSTED, 1]);
    gate.resolve();
    expect((await first).code).toBe(status.OK);
    expect((await send(request)).code).toBe(status.OK);
  });

  it('takes a few messages at a time and all of them in the end, of one connection and of many', async () => {
    const large = requestOf({ ...span, attributes: [{ key: 'k', value: { bytesValue: 'A'.repeat(600_000) } }] });
    const { connectClient } = await open({ maxInFlightBytes: 1e9 });
    const one = connectClient();
    const calls = [...Array(60)].map((_, index) => (index < 40 ? one : connectClient())(large));
    for (const { code } of await Promise.all(calls)) expect(code).toBe(status.OK);
  });
});

it('what is no gRPC costs nobody else anything', async () => {
  const { port, send } = await open();
  for (const words of ['POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}', '\0\0\0\0']) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.end(words);
    await text(socket).catch(() => '');
  }
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':path': '/v1/traces', ':method': 'POST', 'content-type': 'application/json' });
  stream.end('{}');
  const [headers] = await once(stream, 'response');
  expect(headers[constants.HTTP2_HEADER_STATUS]).toBe(415);
  session.destroy();
  expect(await send(requestOf(span))).toMatchObject({ code: status.OK });
});

it('answers what is in work before it closes, and hangs up on the rest', async () => {
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const both = Promise.withResolvers<void>();
  const calls = { begun: 0, ended: 0 };
  const { port, receiver, connectClient } = await open({
    store: () => {
      started.resolve();
      return gate.promise;
    },
    onCall: () => {
      if (++calls.begun === 2) both.resolve();
      return () => {
        calls.ended++;
      };
    },
  });
  const answered = connectClient()(requestOf(span));
  await started.promise;
  const stuck = callRaw(port, [frame(requestOf(span)).subarray(0, 9)], {}, false);
  await both.promise;
  const closing = receiver.close(200);
  gate.resolve();
  expect(await answered).toMatchObject({ code: status.OK });
  await closing;
  expect(await stuck).toBeNaN();
  expect(await connectClient()(requestOf(span))).toMatchObject({ code: status.UNAVAILABLE });
  expect(calls).toEqual({ begun: 2, ended: 2 });
});
