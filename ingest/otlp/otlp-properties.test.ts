/** Laws of the decoders and mappers: both encodings agree, only InputError and LimitError are thrown, neighbours survive. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, LimitError } from '../../platform/errors.ts';
import { jsonToProto } from './json-to-proto.ts';
import { OTLP_RECORDS, type OtlpSignal } from './otlp-schema.ts';
import { type OtlpEncoding, type OtlpRows, readOtlpRows } from './read-otlp-rows.ts';

const SIGNALS: readonly OtlpSignal[] = ['traces', 'logs', 'metrics'];
const ENCODINGS: readonly OtlpEncoding[] = ['protobuf', 'json'];

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'));
const anId = (bytes: number) => fc.oneof({ weight: 9, arbitrary: hex(bytes) }, hex(bytes - 1), fc.constant(''));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const uint32 = fc.nat({ max: 0xffff_ffff });
const sint32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const double = fc.double().map((value) => (Number.isFinite(value) ? value : String(value)));
const NOW_MS = 1_767_225_600_000;
const sensibleTime = fc.bigInt({ min: 946_684_800n * 10n ** 9n, max: BigInt(NOW_MS) * 10n ** 6n }).map(String);
const time = fc.oneof({ weight: 9, arbitrary: sensibleTime }, fc.constant('0'), uint64);

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text.map((stringValue) => ({ stringValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    int64.map((intValue) => ({ intValue })),
    double.map((doubleValue) => ({ doubleValue })),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => ({ bytesValue: Buffer.from(bytes).toString('base64') })),
    fc.constant({}),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
    fc
      .array(fc.record({ key: text, value: tie('value') }), { maxLength: 3 })
      .map((values) => ({ kvlistValue: { values } })),
  ),
}));
const attributes = fc.array(fc.record({ key: text, value: anyValue }, { requiredKeys: ['key'] }), { maxLength: 4 });

/** Every member may be absent. */
function message<T>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(members, { requiredKeys: [] });
}
const several = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });

const span = message({
  traceId: anId(16),
  spanId: anId(8),
  parentSpanId: anId(8),
  traceState: text,
  name: text,
  kind: fc.nat({ max: 7 }),
  startTimeUnixNano: time,
  endTimeUnixNano: time,
  attributes,
  events: several(message({ timeUnixNano: time, name: text, attributes })),
  links: several(message({ traceId: anId(16), spanId: anId(8), traceState: text, attributes })),
  status: message({ code: fc.nat({ max: 3 }), message: text }),
  flags: uint32,
});
const logRecord = message({
  timeUnixNano: time,
  observedTimeUnixNano: time,
  severityNumber: fc.nat({ max: 30 }),
  severityText: text,
  body: anyValue,
  attributes,
  flags: uint32,
  traceId: anId(16),
  spanId: anId(8),
  eventName: text,
});
const point = { startTimeUnixNano: time, timeUnixNano: time, attributes, flags: fc.nat({ max: 3 }) };
const number = fc.oneof(
  double.map((asDouble) => ({ asDouble })),
  int64.map((asInt) => ({ asInt })),
  fc.constant({}),
);
const exemplars = several(
  fc
    .tuple(number, message({ timeUnixNano: time, traceId: anId(16), spanId: anId(8), filteredAttributes: attributes }))
    .map(([value, rest]) => ({ ...value, ...rest })),
);
const moments = { sum: double, min: double, max: double };
const numbers = several(
  fc.tuple(number, message({ ...point, exemplars })).map(([value, rest]) => ({ ...value, ...rest })),
);
const buckets = message({ offset: sint32, bucketCounts: several(uint64) });
const aggregationTemporality = fc.nat({ max: 2 });
const histograms = several(
  message({
    ...point,
    ...moments,
    count: uint64,
    bucketCounts: several(uint64),
    explicitBounds: several(double),
    exemplars,
  }),
);
const exponentialHistograms = several(
  message({
    ...point,
    ...moments,
    count: uint64,
    scale: sint32,
    zeroCount: uint64,
    positive: buckets,
    negative: buckets,
  }),
);
const quantileValues = several(message({ quantile: double, value: double }));
const metric = fc
  .tuple(
    message({ name: text, description: text, unit: text }),
    fc.oneof(
      message({ dataPoints: numbers }).map((gauge) => ({ gauge })),
      message({ dataPoints: numbers, aggregationTemporality, isMonotonic: fc.boolean() }).map((sum) => ({ sum })),
      message({ dataPoints: histograms, aggregationTemporality }).map((histogram) => ({ histogram })),
      message({ dataPoints: exponentialHistograms, aggregationTemporality }).map((exponentialHistogram) => ({
        exponentialHistogram,
      })),
      message({ dataPoints: several(message({ ...point, count: uint64, sum: double, quantileValues })) }).map(
        (summary) => ({ summary }),
      ),
      fc.constant({}),
    ),
  )
  .map(([head, data]) => ({ ...head, ...data }));

const resource = message({ attributes, droppedAttributesCount: uint32 });
const scope = message({ name: text, version: text, attributes, droppedAttributesCount: uint32 });
const REQUESTS: Readonly<Record<OtlpSignal, fc.Arbitrary<object>>> = {
  traces: message({
    resourceSpans: several(
      message({
        resource,
        schemaUrl: text,
        scopeSpans: several(message({ scope, schemaUrl: text, spans: several(span) })),
      }),
    ),
  }),
  logs: message({
    resourceLogs: several(
      message({
        resource,
        schemaUrl: text,
        scopeLogs: several(message({ scope, schemaUrl: text, logRecords: several(logRecord) })),
      }),
    ),
  }),
  metrics: message({
    resourceMetrics: several(
      message({
        resource,
        schemaUrl: text,
        scopeMetrics: several(message({ scope, schemaUrl: text, metrics: several(metric) })),
      }),
    ),
  }),
};

function read(signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array): OtlpRows {
  return readOtlpRows(signal, encoding, body, NOW_MS);
}

/** What it gives, or that it was refused; any other error is a failure of the test. */
function attempt(signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array): OtlpRows | 'refused' {
  try {
    return read(signal, encoding, body);
  } catch (error) {
    expect(error instanceof InputError || error instanceof LimitError, String(error)).toBe(true);
    return 'refused';
  }
}

describe.each(SIGNALS)('%s', (signal) => {
  it('are the same rows from protobuf and from JSON', () => {
    fc.assert(
      fc.property(REQUESTS[signal], (request) => {
        const fromProto = read(signal, 'protobuf', jsonToProto(signal, request));
        const fromJson = read(signal, 'json', Buffer.from(JSON.stringify(request)));
        expect(fromProto.rows).toEqual(fromJson.rows);
        expect(fromProto.count.describe()).toBe(fromJson.count.describe());
      }),
      { numRuns: 200 },
    );
  });

  it('never throw anything of their own, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...ENCODINGS), (bytes, encoding) => {
        attempt(signal, encoding, bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('never throw anything of their own on a damaged request', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(
        REQUESTS[signal],
        damage,
        fc.nat(),
        fc.constantFrom(...ENCODINGS),
        (request, bytes, cut, encoding) => {
          const whole = encoding === 'json' ? Buffer.from(JSON.stringify(request)) : jsonToProto(signal, request);
          const body = whole.subarray(0, whole.length - (cut % 3));
          for (const [at, byte] of bytes) if (body.length > 0) body[at % body.length] = byte;
          attempt(signal, encoding, body);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never throw anything of their own on any JSON in place of a member', () => {
    fc.assert(
      fc.property(REQUESTS[signal], fc.jsonValue({ maxDepth: 3 }), fc.nat(), (request, value, place) => {
        let seen = 0;
        const spoiled = JSON.stringify(request, (_name, member: unknown) => (seen++ === place % 40 ? value : member));
        attempt(signal, 'json', Buffer.from(spoiled));
      }),
      { numRuns: 300 },
    );
  });
});

it('a bad span among good ones costs only itself', () => {
  const good = fc.record({
    traceId: fc.constant('0af7651916cd43dd8448eb211c80319c'),
    spanId: fc.constant('b7ad6b7169203331'),
    name: text,
    startTimeUnixNano: sensibleTime,
  });
  const bad = fc.constantFrom(
    { traceId: 'zz' },
    { spanId: '00' },
    { endTimeUnixNano: '1' },
    { startTimeUnixNano: '0' },
  );
  fc.assert(
    fc.property(
      fc.array(good, { maxLength: 8 }),
      bad,
      fc.nat(),
      fc.constantFrom(...ENCODINGS),
      (spans, flaw, at, encoding) => {
        const sent: object[] = spans.map((one) => ({ ...one, endTimeUnixNano: one.startTimeUnixNano }));
        const spoiled = { ...sent[0], endTimeUnixNano: '1767225600000000000', ...flaw };
        const requestOf = (list: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans: list }] }] });
        const mixed = requestOf(sent.toSpliced(at % (sent.length + 1), 0, spoiled));
        const body = encoding === 'json' ? Buffer.from(JSON.stringify(mixed)) : jsonToProto('traces', mixed);
        const { rows, count } = read('traces', encoding, body);
        expect(rows).toEqual(read('traces', 'json', Buffer.from(JSON.stringify(requestOf(sent)))).rows);
        expect(count.rejected).toBe(1);
      },
    ),
  );
});

/** One good record of each signal, and what tells its row. */
const NEIGHBOURS = {
  traces: {
    type: 'Span',
    record: {
      traceId: Buffer.alloc(16, 1).toString('base64'),
      spanId: Buffer.alloc(8, 1).toString('base64'),
      name: 'good',
    },
    time: ['startTimeUnixNano', 'endTimeUnixNano'],
    list: ['resourceSpans', 'scopeSpans', 'spans'],
  },
  logs: {
    type: 'LogRecord',
    record: { severityText: 'good' },
    time: ['timeUnixNano'],
    list: ['resourceLogs', 'scopeLogs', 'logRecords'],
  },
  metrics: {
    type: 'Metric',
    record: { name: 'good', gauge: { dataPoints: [{ timeUnixNano: `${NOW_MS}000000`, asDouble: 1 }] } },
    time: [],
    list: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  },
};

describe.each(SIGNALS)('good %s beside', (signal) => {
  const { type: name, record, time, list } = NEIGHBOURS[signal];
  const good = { ...record, ...Object.fromEntries(time.map((member) => [member, `${NOW_MS}000000`])) };
  const goodRows = (rows: object) =>
    (Object.values(rows).flat() as Record<string, unknown>[]).filter((row) => Object.values(row).includes('good'))
      .length;

  it('a record of any bytes are all kept', () => {
    const type = OTLP_RECORDS.find((each) => each.name === name);
    const bytes = Buffer.from(type?.encode(type.fromObject(good)).finish() ?? []);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        const records = [bytes, garbage, bytes, garbage, bytes].map((each) => field(2, each));
        const { rows } = read(signal, 'protobuf', field(1, field(2, Buffer.concat(records))));
        expect(goodRows(rows)).toBe(3);
      }),
      { numRuns: 500 },
    );
  });

  it('a record of any JSON are all kept', () => {
    const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
    const inHex = 'traceId' in record ? { ...good, traceId: hex(record.traceId), spanId: hex(record.spanId) } : good;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), REQUESTS[signal], (value, request) => {
        const records = [inHex, value, inHex, request, inHex];
        const whole = list.reduceRight<unknown>(
          (inner, member) => ({ [member]: member === list[2] ? inner : [inner] }),
          records,
        );
        expect(goodRows(read(signal, 'json', Buffer.from(JSON.stringify(whole))).rows)).toBe(3);
      }),
      { numRuns: 300 },
    );
  });
});

it.each(['[', '{"a":'])('nesting as deep as the body allows (%s) is refused or ignored, not fatal', (opening) => {
  const closing = opening === '[' ? ']' : '}';
  const deep = `${opening.repeat(200_000)}0${closing.repeat(200_000)}`;
  expect(attempt('logs', 'json', Buffer.from(`{"resourceLogs":${deep}}`))).toBe('refused');
  expect(attempt('logs', 'json', Buffer.from(`{"unknown":${deep}}`))).not.toBe('refused');
});

/** A length-delimited protobuf field. */
function field(id: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = content.length; rest > 0 || length.length === 0; rest >>>= 7)
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
  return Buffer.concat([Buffer.from([(id << 3) | 2, ...length]), content]);
}

it('a record with values nested beyond 100 levels is rejected alone in both encodings', () => {
  let json: object = { intValue: '1' };
  let proto: Buffer = Buffer.from([0x18, 1]);
  for (let depth = 0; depth < 120; depth++) {
    json = { arrayValue: { values: [json] } };
    proto = field(5, field(1, proto));
  }
  const good = field(2, field(3, Buffer.from('good')));
  const body = field(1, field(2, Buffer.concat([good, field(2, field(5, proto)), good])));
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [{}, { body: json }, {}] }] }] };
  const counts = [read('logs', 'protobuf', body), read('logs', 'json', Buffer.from(JSON.stringify(request)))];
  for (const { count } of counts) {
    expect(count).toMatchObject({ accepted: 2, rejected: 1 });
    expect(count.describe()).toContain('is nested more than 100 levels deep');
  }
});

it('a request of many empty messages is refused before it fills the memory', () => {
  const attributes = Buffer.alloc(2 * 4_100_000);
  for (let at = 0; at < attributes.length; at += 2) attributes[at] = (9 << 3) | 2;
  const read = () => readOtlpRows('traces', 'protobuf', field(1, field(2, field(2, attributes))), NOW_MS);
  expect(read).toThrow(LimitError);
});

it.each(ENCODINGS)('so is one with millions of buckets, as %s', (encoding) => {
  const counts = Buffer.alloc(4_100_000);
  const point = field(8, field(2, counts));
  const metric = Buffer.concat([field(1, Buffer.from('m')), field(10, field(1, point))]);
  const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","exponentialHistogram":{"dataPoints":[
    {"positive":{"bucketCounts":[${'0,'.repeat(2_100_000)}0]}}]}}]}]}]}`;
  const body = encoding === 'json' ? Buffer.from(json) : field(1, field(2, field(2, metric)));
  expect(() => readOtlpRows('metrics', encoding, body, NOW_MS)).toThrow(LimitError);
});
