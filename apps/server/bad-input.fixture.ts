/**
 * For tests of bad input: a whole host (its own engine, real sockets) started once, OTLP requests in both encodings, raw HTTP
 * that no well-behaved client would send, and the answers read as the protocol defines them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOST_LOCK_FILE, hostRecordSchema } from '../../api/host-lock.ts';
import { jsonToProto } from '../../ingest/otlp/json-to-proto.ts';
import { OTLP_RESPONSES, type OtlpSignal, RPC_STATUS } from '../../ingest/otlp/otlp-schema.ts';
import type { OtlpEncoding } from '../../ingest/otlp/read-otlp-rows.ts';
import type { OtlpGrpcClient } from '../../ingest/otlp-grpc-client.ts';
import { loadConfig } from '../../platform/config.ts';
import { UnavailableError } from '../../platform/errors.ts';
import type { Runtime } from '../../runtime/open-runtime.ts';
import { openHostRuntime } from './open-host-runtime.ts';
import { serve } from './serve.ts';

export const SIGNALS: readonly OtlpSignal[] = ['traces', 'logs', 'metrics'];
export const ENCODINGS: readonly OtlpEncoding[] = ['protobuf', 'json'];

export const MIME: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

export interface RealHost {
  readonly url: string;
  readonly grpcUrl: string;
  readonly token: string;
  readonly dataDir: string;
  readonly runtime: Runtime;
  close(): Promise<void>;
}

export async function openRealHost(environment: Readonly<Record<string, string>>): Promise<RealHost> {
  const dataDir = mkdtempSync(join(tmpdir(), 'inquest-host-'));
  const variables = { INQUEST_DATA_DIR: dataDir, INQUEST_PORT: '0', INQUEST_LOG_LEVEL: 'silent', ...environment };
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  let runtime: Runtime | undefined;
  const served = serve(loadConfig(variables), {
    openRuntime: async (config, options) => {
      const opened = await openHostRuntime(config, options);
      runtime = opened;
      return opened;
    },
    signal: stopping.signal,
    print: () => ready.resolve(),
  });
  await Promise.race([ready.promise, served]);
  if (!runtime) throw new UnavailableError('the host ended before it was ready');
  const record = hostRecordSchema.parse(JSON.parse(readFileSync(join(dataDir, HOST_LOCK_FILE), 'utf8')));
  const { url, grpcUrl = '', token } = record;
  return {
    url,
    grpcUrl,
    token,
    dataDir,
    runtime,
    close: async () => {
      stopping.abort();
      await served;
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

const ANSWER_TIMEOUT_MS = 30_000;

type Headers = Readonly<Record<string, string>>;

export interface Posted {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Headers;
  /** Parts are sent one by one: chunked, unless the headers declare a length. */
  readonly body?: Uint8Array | string | Iterable<Uint8Array>;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** One request over a connection of its own, headers exactly as given. Resolves even when the host hangs up on the body. */
export function send(url: string, { method = 'POST', path, headers = {}, body = '' }: Posted): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const whole = typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body) : undefined;
    const length: Headers = whole && !('content-length' in headers) ? { 'content-length': String(whole.length) } : {};
    const outgoing = httpRequest(new URL(path, url), { method, headers: { ...length, ...headers }, agent: false });
    let answer: Promise<RawAnswer> | undefined;
    outgoing.on('response', (incoming) => {
      answer = readAnswer(incoming);
      answer.then(resolve, reject);
      answer.finally(() => outgoing.destroy()).catch(() => undefined);
    });
    outgoing.on('error', (error) => {
      if (!answer) reject(error);
    });
    if (whole) outgoing.end(whole);
    else void sendParts(outgoing, body as Iterable<Uint8Array>);
  });
}

async function readAnswer(incoming: IncomingMessage): Promise<RawAnswer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(parts) };
}

async function sendParts(outgoing: ReturnType<typeof httpRequest>, parts: Iterable<Uint8Array>): Promise<void> {
  const closed = new Promise<void>((resolve) => outgoing.once('close', resolve));
  for (const part of parts) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(part)) await Promise.race([new Promise((resolve) => outgoing.once('drain', resolve)), closed]);
  }
  outgoing.end();
}

/** An OTLP answer in either encoding: a Status, or what was rejected. */
export interface OtlpAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly code: number | undefined;
  readonly rejected: number;
  readonly message: string;
}

export function readOtlpAnswer(signal: OtlpSignal, { status, headers, body }: RawAnswer): OtlpAnswer {
  const type = headers['content-type'];
  const message = status === 200 ? OTLP_RESPONSES[signal] : RPC_STATUS;
  const content: unknown = type === MIME.json ? JSON.parse(body.toString()) : message.decode(body).toJSON();
  const { code, message: text, partialSuccess } = content as Record<string, unknown> & { code?: number };
  const { errorMessage = '', ...counts } = (partialSuccess ?? {}) as Record<string, string>;
  const rejected = Number(Object.values(counts)[0] ?? 0);
  return { status, type, code, rejected, message: String(text ?? errorMessage) };
}

export async function postOtlp(
  url: string,
  signal: OtlpSignal,
  encoding: OtlpEncoding,
  body: Posted['body'],
  headers: Headers = {},
): Promise<OtlpAnswer> {
  const posted = { path: `/v1/${signal}`, headers: { 'content-type': MIME[encoding], ...headers }, body: body ?? '' };
  return readOtlpAnswer(signal, await send(url, posted));
}

/** The same over gRPC, told in the same words: 200 for OK. */
export async function postOtlpGrpc(client: OtlpGrpcClient, signal: OtlpSignal, body: Uint8Array): Promise<OtlpAnswer> {
  const { code, message, response } = await client.send(signal, body, ANSWER_TIMEOUT_MS);
  if (code !== 0) return { status: 0, type: undefined, code, rejected: 0, message };
  return readOtlpAnswer(signal, { status: 200, headers: {}, body: Buffer.from(response) });
}

export function encode(signal: OtlpSignal, encoding: OtlpEncoding, request: object): Buffer {
  return encoding === 'json' ? Buffer.from(JSON.stringify(request)) : jsonToProto(signal, request);
}

/** A text, an integer or a nested value as OTLP/JSON writes it. */
export type Attribute = readonly [key: string, value: string | object];

export function attributesOf(attributes: readonly Attribute[]): object[] {
  return attributes.map(([key, value]) => ({ key, value: typeof value === 'string' ? { stringValue: value } : value }));
}

/** Nanoseconds of an instant, as decimal digits. */
export const nanos = (ms: number): string => `${Math.round(ms)}000000`;

/** A good record of a signal at `atMs`: a span, a log record, or a gauge of one point; `patch` goes over it (its point). */
export function recordOf(signal: OtlpSignal, atMs: number, patch: object = {}): object {
  const time = nanos(atMs);
  if (signal === 'logs') return { timeUnixNano: time, body: { stringValue: 'hello' }, ...patch };
  if (signal === 'metrics') {
    return { name: 'm', gauge: { dataPoints: [{ timeUnixNano: time, asDouble: 1, ...patch }] } };
  }
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  return { ...ids, name: 'op', startTimeUnixNano: time, endTimeUnixNano: time, ...patch };
}

/** One request of these records, all of one service. */
export function requestOf(
  signal: OtlpSignal,
  service: string,
  records: readonly unknown[],
  more: readonly Attribute[] = [],
): object {
  const resource = { attributes: attributesOf([['service.name', service], ...more]) };
  if (signal === 'logs') return { resourceLogs: [{ resource, scopeLogs: [{ logRecords: records }] }] };
  if (signal === 'metrics') return { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: records }] }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans: records }] }] };
}

/** Rows of all tables of a signal that belong to a service. */
export async function countRows(runtime: Runtime, signal: OtlpSignal, service: string): Promise<number> {
  const kinds = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'];
  const tables = signal === 'metrics' ? kinds.map((kind) => `otel_metrics_${kind}`) : [`otel_${signal}`];
  const counts = tables.map((table) => `(SELECT count() FROM ${table} WHERE ServiceName = {service:String})`);
  const sql = `SELECT toUInt32(${counts.join(' + ')}) AS rows`;
  const { rows } = await runtime.database.read<{ rows: number }>(sql, { service }, { tag: 'test', maxRows: 1 });
  return rows[0]?.rows ?? 0;
}
