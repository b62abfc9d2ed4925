/**
 * Bad input against a whole host over real HTTP: the status and the Status that the sender gets, what of a batch is kept
 * (read back from the engine), and a host that is as well afterwards as it was before.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangesAnswer } from '../../ingest/changes-receiver.ts';
import type { OtlpSignal } from '../../ingest/otlp/otlp-schema.ts';
import type { OtlpEncoding } from '../../ingest/otlp/read-otlp-rows.ts';
import { createOtlpGrpcClient, type OtlpGrpcClient } from '../../ingest/otlp-grpc-client.ts';
import {
  type Attribute,
  attributesOf,
  countRows,
  ENCODINGS,
  encode,
  MIME,
  openRealHost,
  type Posted,
  postOtlp,
  postOtlpGrpc,
  type RealHost,
  recordOf,
  requestOf,
  SIGNALS,
  send,
} from './bad-input.fixture.ts';
import { BAD_RECORDS, NOW_MS, RETENTION_DAYS } from './bad-records.fixture.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024;

let host: RealHost;
let grpc: OtlpGrpcClient;
let serial = 0;

beforeAll(async () => {
  host = await openRealHost({
    INQUEST_MAX_BODY_BYTES: String(MAX_BODY_BYTES),
    INQUEST_RETENTION_DAYS: String(RETENTION_DAYS),
  });
  grpc = createOtlpGrpcClient(new URL(host.grpcUrl).host);
});
afterAll(async () => {
  grpc.close();
  await expectHealthy();
  await host.close();
});

/** The host answers, its engine never died, and every signal is taken. */
async function expectHealthy(): Promise<void> {
  expect((await fetch(`${host.url}/readyz`)).status).toBe(200);
  expect(await host.runtime.status()).toMatchObject({ restarts: 0 });
  for (const signal of SIGNALS) {
    const service = newService();
    const body = encode(signal, 'json', requestOf(signal, service, [recordOf(signal, NOW_MS)]));
    expect(await postOtlp(host.url, signal, 'json', body)).toMatchObject({ status: 200, rejected: 0 });
    expect(await countRows(host.runtime, signal, service)).toBe(1);
  }
}

/** Each case has a service of its own, so that its rows can be counted. */
const newService = () => `service-${++serial}`;

const COMBINATIONS = SIGNALS.flatMap((signal) => ENCODINGS.map((encoding) => ({ signal, encoding })));

/** Writes down what happened; `vitest --reporter=json` shows it. */
function note(task: { meta: object }, outcome: object): void {
  Object.assign(task.meta, outcome);
}

/** 16 MB of zeros in 16 kB. */
const BOMB = gzipSync(Buffer.alloc(16 * 1024 * 1024));

describe.each(COMBINATIONS)('the body of $signal as $encoding', ({ signal, encoding }) => {
  const good = () => encode(signal, encoding, requestOf(signal, 'refused', [recordOf(signal, NOW_MS)]));
  const zipped = { 'content-encoding': 'gzip' };
  const declared = { 'content-length': String(MAX_BODY_BYTES + 1) };
  const tooMuch = () => Array.from({ length: 200 }, () => Buffer.alloc(64 * 1024, 32));
  const isEmptyValid = encoding === 'protobuf';

  it.concurrent.for([
    { what: 'truncated', status: 400, code: 3, body: () => good().subarray(0, -7) },
    { what: 'empty', status: isEmptyValid ? 200 : 400, code: isEmptyValid ? undefined : 3, body: () => '' },
    { what: 'noise', status: 400, code: 3, body: () => Buffer.alloc(300, 0xff) },
    { what: 'of the other encoding', status: 400, code: 3, body: () => otherEncoding(good(), signal, encoding) },
    { what: 'too large, as declared', status: 413, code: 8, headers: declared, body: tooMuch },
    { what: 'too large, chunked', status: 413, code: 8, body: tooMuch },
    { what: 'a gzip bomb', status: 413, code: 8, headers: zipped, body: () => BOMB },
    { what: 'no gzip', status: 400, code: 3, headers: zipped, body: good },
    { what: 'cut-off gzip', status: 400, code: 3, headers: zipped, body: () => gzipSync(good()).subarray(0, -9) },
    { what: 'damaged gzip', status: 400, code: 3, headers: zipped, body: () => damaged(gzipSync(good())) },
    { what: 'in an unknown coding', status: 415, code: 3, headers: { 'content-encoding': 'br' }, body: good },
    { what: 'zipped twice', status: 415, code: 3, headers: { 'content-encoding': 'gzip, gzip' }, body: good },
  ])('$what: $status', async ({ what, status, code, headers = {}, body }, { task, expect }) => {
    const answer = await postOtlp(host.url, signal, encoding, body(), headers);
    note(task, { what, signal, encoding, ...answer });
    expect(answer).toMatchObject({ status, type: MIME[encoding], code });
    // Told in words, and none of the body in them: senders print what they are told.
    if (status !== 200) expect(answer.message).toMatch(/^[\x20-\x7e]+\.$/);
    expect(await countRows(host.runtime, signal, 'refused')).toBe(0);
  });
});

function otherEncoding(body: Buffer, signal: OtlpSignal, encoding: OtlpEncoding): Buffer {
  const request = requestOf(signal, 'refused', [recordOf(signal, NOW_MS)]);
  return encoding === 'json'
    ? encode(signal, 'protobuf', request)
    : Buffer.from(`${JSON.stringify(request)}${body.length}`);
}

function damaged(bytes: Buffer): Buffer {
  return bytes.fill(0x55, 20, 28);
}

describe.each(SIGNALS)('the head of a request with %s', (signal) => {
  const body = encode(signal, 'json', requestOf(signal, 'refused', [recordOf(signal, NOW_MS)]));
  it.for([
    { what: 'no content type', status: 415, headers: {} },
    { what: 'another content type', status: 415, headers: { 'content-type': 'text/plain' } },
    { what: 'a content type that is none', status: 415, headers: { 'content-type': ';;;=' } },
    { what: 'GET', method: 'GET', status: 405, headers: { 'content-type': MIME.json } },
    { what: 'PUT', method: 'PUT', status: 405, headers: { 'content-type': MIME.protobuf } },
    { what: 'DELETE', method: 'DELETE', status: 405, headers: {} },
  ])('$what: $status', async ({ what, status, ...rest }, { task }) => {
    const answer = await send(host.url, { path: `/v1/${signal}`, body, ...rest });
    note(task, { what, signal, status: answer.status, body: answer.body.toString() });
    expect(answer.status).toBe(status);
    if (status === 405) expect(answer.headers.allow).toBe('POST');
    if (answer.headers['content-type'] === MIME.json) expect(JSON.parse(answer.body.toString())).toHaveProperty('code');
  });
});

it('a gigabyte out of a megabyte stops early', async () => {
  // Members of a gzip file follow each other: 64 of them are one bomb of a gigabyte.
  const body = Buffer.concat(Array.from({ length: 64 }, () => BOMB));
  expect(body.length).toBeLessThan(MAX_BODY_BYTES);
  const before = process.resourceUsage().maxRSS;
  const answers = await Promise.all(
    SIGNALS.map((signal) => postOtlp(host.url, signal, 'json', body, { 'content-encoding': 'gzip' })),
  );
  for (const answer of answers) expect([413, 429]).toContain(answer.status);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024);
});

describe('what is hardly HTTP', () => {
  it.for([
    {
      what: 'a sender that hangs up in its body',
      head: 'Content-Length: 1000\r\n\r\n{"resourceSpans":[',
      hangsUp: true,
    },
    { what: 'a length that is no number', head: 'Content-Length: many\r\n\r\n' },
    { what: 'a chunk of broken length', head: 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n' },
    { what: 'two lengths', head: 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}' },
    { what: 'a header without end', head: `X-Long: ${'x'.repeat(100_000)}` },
  ])('$what costs nobody else anything', async ({ what, head, hangsUp = false }, { task }) => {
    const { port, hostname } = new URL(host.url);
    const socket = connect(Number(port), hostname);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let said = '';
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        said += data;
      });
    await once(socket, 'connect');
    socket.write(`POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${MIME.json}\r\n${head}`);
    if (hangsUp) socket.destroySoon();
    await closed;
    note(task, { what, said: said.split('\r\n')[0] });
    // Whoever still sends when the host hangs up may lose the answer to a reset.
    if (!hangsUp) expect(said).toMatch(/^(HTTP\/1.1 4(00|31) |$)/);
  });
});

const TABLES = { traces: 'otel_traces', logs: 'otel_logs', metrics: 'otel_metrics_gauge' };
const ATTRIBUTES = { traces: 'SpanAttributes', logs: 'LogAttributes', metrics: 'Attributes' };

/** gRPC carries protobuf only. */
const DOORS = BAD_RECORDS.flatMap((one) => {
  const doors = one.encoding === 'protobuf' ? (['HTTP', 'gRPC'] as const) : (['HTTP'] as const);
  return doors.map((door) => ({ ...one, door }));
});

describe('one bad record among good ones', () => {
  it.concurrent.for(DOORS)(
    '$signal, $encoding over $door: $what',
    async ({ what, signal, encoding, door, record, kept, says, reads, table }, { task, expect }) => {
      const service = newService();
      const good = recordOf(signal, NOW_MS);
      const body = encode(signal, encoding, requestOf(signal, service, [good, record(signal), good]));
      const answer = await (door === 'gRPC'
        ? postOtlpGrpc(grpc, signal, body)
        : postOtlp(host.url, signal, encoding, body));
      const rows = await countRows(host.runtime, signal, service);
      note(task, { what, signal, encoding, door, rows, ...answer });
      expect({ status: answer.status, rejected: answer.rejected, rows }).toEqual({
        status: 200,
        rejected: kept ? 0 : 1,
        rows: kept ? 3 : 2,
      });
      expect(answer.message).toMatch(says ?? /^$/);
      if (!reads) return;
      const [expression, value] = reads;
      const from = table ?? TABLES[signal];
      const sql = `SELECT ${expression.replaceAll('ATTRIBUTES', ATTRIBUTES[signal])} AS value FROM ${from} WHERE ServiceName = {service:String}`;
      const stored = await host.runtime.database.read<{ value: unknown }>(
        sql,
        { service },
        { tag: 'test', maxRows: 3 },
      );
      expect(stored.rows.map((row) => row.value)).toContainEqual(value);
    },
  );
});

describe('one odd text in a batch that is kept whole', () => {
  const ODD = 'odd_name_of_a_record';
  const named = (signal: OtlpSignal) => {
    const record = recordOf(signal, NOW_MS);
    return signal === 'logs' ? { ...record, eventName: ODD } : { ...record, name: ODD };
  };
  const COLUMNS = { traces: 'SpanName', logs: 'EventName', metrics: 'MetricName' };
  const spoil = (from: string, to: string) => (body: Buffer) =>
    Buffer.from(body.toString('latin1').replace(from, to), 'latin1');
  const member = { traces: 'name', logs: 'eventName', metrics: 'name' };

  const both = ENCODINGS;
  const json = ['json'] as const;
  const protobuf = ['protobuf'] as const;
  const odd: readonly {
    what: string;
    encodings: readonly OtlpEncoding[];
    spoil: (body: Buffer, signal: OtlpSignal) => Buffer;
    name: string;
  }[] = [
    {
      what: 'bytes that are no UTF-8',
      encodings: both,
      spoil: spoil('odd_', 'od\xff\xfe'),
      name: 'od\ufffd\ufffdname_of_a_record',
    },
    {
      what: 'a cut-off UTF-8 sequence',
      encodings: both,
      spoil: spoil('_record', '_recor\xe2'),
      name: 'odd_name_of_a_recor\ufffd',
    },
    { what: 'half a surrogate pair', encodings: json, spoil: spoil('odd_', '\\ud83d'), name: '\ufffdname_of_a_record' },
    { what: 'a byte order mark', encodings: json, spoil: (body) => Buffer.from(`\ufeff${body.toString()}`), name: ODD },
    {
      what: 'a member told twice',
      encodings: json,
      spoil: (body, signal) =>
        spoil(`"${member[signal]}":"odd`, `"${member[signal]}":"first","${member[signal]}":"odd`)(body),
      name: ODD,
    },
    {
      what: '__proto__ and constructor for members',
      encodings: json,
      spoil: (body, signal) =>
        spoil(`"${member[signal]}":"odd`, `"__proto__":{"name":"x"},"constructor":7,"${member[signal]}":"odd`)(body),
      name: ODD,
    },
    {
      what: 'a field of a later protocol',
      encodings: protobuf,
      spoil: (body) => Buffer.concat([body, Buffer.from([0xc2, 0x3e, 1, 7])]),
      name: ODD,
    },
  ];
  const cases = odd.flatMap((one) =>
    SIGNALS.flatMap((signal) => one.encodings.map((encoding) => ({ ...one, signal, encoding }))),
  );

  it.concurrent.for(cases)(
    '$signal, $encoding: $what',
    async ({ what, signal, encoding, spoil, name }, { task, expect }) => {
      const service = newService();
      const good = recordOf(signal, NOW_MS);
      const body = encode(signal, encoding, requestOf(signal, service, [good, named(signal), good]));
      const answer = await postOtlp(host.url, signal, encoding, spoil(body, signal));
      note(task, { what, signal, encoding, ...answer });
      expect(answer).toMatchObject({ status: 200, rejected: 0, message: '' });
      const sql = `SELECT ${COLUMNS[signal]} AS name FROM ${TABLES[signal]} WHERE ServiceName = {service:String}`;
      const { rows } = await host.runtime.database.read<{ name: string }>(
        sql,
        { service },
        { tag: 'test', maxRows: 3 },
      );
      expect(rows).toHaveLength(3);
      expect(rows.map((row) => row.name)).toContain(name);
    },
  );
});

describe.each(COMBINATIONS)('of $signal as $encoding', ({ signal, encoding }) => {
  it('empty groups, resources and scopes are nothing, and nothing is wrong with them', async () => {
    const [group, scopes, records] = {
      traces: ['resourceSpans', 'scopeSpans', 'spans'],
      logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
      metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
    }[signal] as [string, string, string];
    const scope = { name: 'no-resource' };
    const request = {
      [group]: [
        {},
        { resource: {} },
        { [scopes]: [{}, { scope: {}, [records]: [] }, { scope, [records]: [recordOf(signal, NOW_MS)] }] },
      ],
    };
    const answer = await postOtlp(host.url, signal, encoding, encode(signal, encoding, request));
    expect(answer).toMatchObject({ status: 200, rejected: 0, message: '' });
    expect(await countRows(host.runtime, signal, 'unknown_service')).toBeGreaterThan(0);
  });
});

it.each([
  { signal: 'logs', encoding: 'json' },
  { signal: 'traces', encoding: 'protobuf' },
] as const)('100 000 tiny $signal as $encoding are all stored', async ({ signal, encoding }) => {
  const service = newService();
  const records = Array(100_000).fill(recordOf(signal, NOW_MS));
  const body = gzipSync(encode(signal, encoding, requestOf(signal, service, records)), { level: 1 });
  const answer = await postOtlp(host.url, signal, encoding, body, { 'content-encoding': 'gzip' });
  expect(answer).toMatchObject({ status: 200, rejected: 0, message: '' });
  expect(await countRows(host.runtime, signal, service)).toBe(100_000);
});

it('50 000 distinct attribute keys in one request are stored', async () => {
  const service = newService();
  const records = Array.from({ length: 50 }, (_, record) => {
    const attributes = Array.from({ length: 1_000 }, (_item, key): Attribute => [`key-${record}-${key}`, 'v']);
    return recordOf('logs', NOW_MS, { attributes: attributesOf(attributes) });
  });
  const body = encode('logs', 'json', requestOf('logs', service, records));
  expect(await postOtlp(host.url, 'logs', 'json', body)).toMatchObject({ status: 200, rejected: 0, message: '' });
  const sql =
    'SELECT toUInt32(uniqExactArray(mapKeys(LogAttributes))) AS keys FROM otel_logs WHERE ServiceName = {service:String}';
  expect((await host.runtime.database.read(sql, { service }, { tag: 'test', maxRows: 1 })).rows).toEqual([
    { keys: 50_000 },
  ]);
});

describe('changes', () => {
  const deploy = { kind: 'deploy', service: 'shop', summary: 'shop 2' };
  const post = async (body: Posted['body'], headers: Record<string, string> = {}, method = 'POST') => {
    const all = { 'content-type': MIME.json, ...headers };
    const answer = await send(host.url, { method, path: '/v1/changes', headers: all, body: body ?? '' });
    return {
      status: answer.status,
      ...(JSON.parse(answer.body.toString()) as Partial<ChangesAnswer> & { error?: { message: string } }),
    };
  };
  const text = JSON.stringify(deploy);
  const zipped = { 'content-encoding': 'gzip' };
  const ignored = { what: '', headers: {}, method: 'POST' };

  it.for([
    { ...ignored, what: 'a truncated body', body: text.slice(0, -3), status: 400 },
    { ...ignored, what: 'an empty body', body: '', status: 400 },
    { ...ignored, what: 'nothing but null', body: 'null', status: 400 },
    { ...ignored, what: 'JSON nested without end', body: `${'['.repeat(100_000)}${']'.repeat(100_000)}`, status: 400 },
    { ...ignored, what: 'a body too large', body: Buffer.alloc(MAX_BODY_BYTES + 1, 32), status: 413 },
    { ...ignored, what: 'a gzip bomb', body: BOMB, headers: zipped, status: 413 },
    { ...ignored, what: 'no gzip', body: text, headers: zipped, status: 400 },
    { ...ignored, what: 'an unknown coding', body: text, headers: { 'content-encoding': 'deflate' }, status: 415 },
    { ...ignored, what: 'protobuf', body: text, headers: { 'content-type': MIME.protobuf }, status: 415 },
    { ...ignored, what: 'GET', body: '', method: 'GET', status: 405 },
    { ...ignored, what: '501 changes', body: JSON.stringify(Array(501).fill(deploy)), status: 413 },
  ])('$what: $status', async ({ what, body, headers, method, status }, { task }) => {
    const answer = await post(body, headers, method);
    note(task, { what, signal: 'changes', ...answer });
    expect(answer.status).toBe(status);
    expect(answer.error?.message).toMatch(/^[\x20-\x7e]+$/);
  });

  it.for([
    { what: 'an unknown kind', change: { ...deploy, kind: 'party' }, problem: /^kind: / },
    { what: 'an unknown member', change: { ...deploy, colour: 'red' }, problem: /colour/ },
    { what: 'no summary', change: { kind: 'flag' }, problem: /^summary: / },
    { what: 'a summary that is none', change: { ...deploy, summary: 7 }, problem: /^summary: / },
    { what: 'a time without zone', change: { ...deploy, at: '2026-01-01T10:00:00' }, problem: /^at: / },
    { what: 'a day that is none', change: { ...deploy, at: '2026-02-31T10:00:00Z' }, problem: /^at: / },
    {
      what: 'a time before 1970',
      change: { ...deploy, at: '1969-12-31T23:59:59Z' },
      problem: /^at: is outside 2000 to 2100/,
    },
    {
      what: 'the start of 1970',
      change: { ...deploy, at: '1970-01-01T00:00:00Z' },
      problem: /^at: is outside 2000 to 2100/,
    },
    {
      what: 'the far future',
      change: { ...deploy, at: '2099-01-01T00:00:00Z' },
      problem: /^at: is more than a day ahead/,
    },
    { what: 'an empty id', change: { ...deploy, id: '' }, problem: /^id: / },
    { what: 'an id of 10 000 characters', change: { ...deploy, id: 'x'.repeat(10_000) }, problem: /^id: / },
    { what: 'a diff of 1 MB', change: { ...deploy, diff: '+'.repeat(1_000_000) }, problem: /^diff: / },
    {
      what: '10 000 attributes',
      change: { ...deploy, attributes: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`k${at}`, 'v'])) },
      problem: /^attributes: more than 256/,
    },
    {
      what: 'the key __proto__',
      change: { ...deploy, attributes: JSON.parse('{"__proto__":"x"}') as object },
      problem: /^attributes: __proto__/,
    },
    {
      what: 'an attribute that is a list',
      change: { ...deploy, attributes: { k: ['v'] } },
      problem: /^attributes\.k: /,
    },
    { what: 'a number', change: 7, problem: /^change: / },
  ])('beside $what are kept', async ({ what, change, problem }, { task }) => {
    const service = newService();
    const good = (id: string) => ({ ...deploy, id: `${service}-${id}`, service });
    const answer = await post(JSON.stringify([good('a'), change, good('b')]));
    note(task, { what, signal: 'changes', ...answer });
    expect(answer).toMatchObject({
      status: 200,
      accepted: 2,
      rejected: [{ index: 1, problem: expect.stringMatching(problem) }],
    });
    const sql = 'SELECT count() AS changes FROM inquest_changes WHERE ServiceName = {service:String}';
    expect((await host.runtime.database.read(sql, { service }, { tag: 'test', maxRows: 1 })).rows).toEqual([
      { changes: '2' },
    ]);
  });

  it('keep keys of JavaScript objects and replace what is no UTF-8', async () => {
    const service = newService();
    const rest = `"service":"${service}","summary":"\xff!","attributes":{"constructor":"a","toString":"b"}`;
    expect(await post(Buffer.from(`{"kind":"flag",${rest}}`, 'latin1'))).toMatchObject({ status: 200, accepted: 1 });
    const columns = 'Summary AS summary, mapSort(Attributes)::String AS attributes';
    const sql = `SELECT ${columns} FROM inquest_changes WHERE ServiceName = {service:String}`;
    const { rows } = await host.runtime.database.read(sql, { service }, { tag: 'test', maxRows: 1 });
    expect(rows).toEqual([{ summary: '\ufffd!', attributes: "{'constructor':'a','toString':'b'}" }]);
  });
});
