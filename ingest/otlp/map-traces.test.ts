import { describe, expect, it } from 'vitest';
import { jsonToProto } from './json-to-proto.ts';
import { type OtlpEncoding, readOtlpRows } from './read-otlp-rows.ts';

const NOW_MS = 1_767_225_700_000;
const START = '1767225600000000000';
const END = '1767225600250000000';

const span = {
  traceId: '0AF7651916CD43DD8448EB211C80319C',
  spanId: 'b7ad6b7169203331',
  name: 'GET /orders',
  startTimeUnixNano: START,
  endTimeUnixNano: END,
};

function requestOf(...spans: object[]): object {
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] };
}

function read(request: object, encoding: OtlpEncoding = 'json') {
  const body = encoding === 'json' ? Buffer.from(JSON.stringify(request)) : jsonToProto('traces', request);
  const { rows, count } = readOtlpRows('traces', encoding, body, NOW_MS);
  return { rows: rows.otel_traces ?? [], count };
}

function rejectionOf(bad: object): string {
  const { rows, count } = read(requestOf(span, { ...span, ...bad }, span));
  expect(rows).toHaveLength(2);
  expect(count).toMatchObject({ accepted: 2, rejected: 1 });
  return count.describe();
}

describe.each(['json', 'protobuf'] as const)('spans as %s', (encoding) => {
  it('fill every column of otel_traces', () => {
    const request = {
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'checkout' } },
              { key: 'host.cpus', value: { intValue: '8' } },
            ],
          },
          schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
          scopeSpans: [
            {
              scope: { name: 'http', version: '1.2.3' },
              spans: [
                {
                  ...span,
                  parentSpanId: '00f067aa0ba902b7',
                  traceState: 'a=b',
                  kind: 3,
                  attributes: [
                    { key: 'text', value: { stringValue: 'grün 🚀' } },
                    { key: 'yes', value: { boolValue: true } },
                    { key: 'big', value: { intValue: '9007199254740993' } },
                    { key: 'negative', value: { intValue: '-5' } },
                    { key: 'ratio', value: { doubleValue: 0.25 } },
                    { key: 'bytes', value: { bytesValue: 'AQID' } },
                    { key: 'empty', value: {} },
                    {
                      key: 'list',
                      value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '9007199254740993' }, {}] } },
                    },
                    {
                      key: 'map',
                      value: { kvlistValue: { values: [{ key: 'k"', value: { boolValue: false } }] } },
                    },
                    { key: '__proto__', value: { stringValue: 'kept' } },
                  ],
                  events: [
                    { timeUnixNano: END, name: 'exception', attributes: [{ key: 'n', value: { intValue: '1' } }] },
                    { name: 'when?' },
                  ],
                  links: [
                    { traceId: '11111111111111111111111111111111', spanId: '2222222222222222', traceState: 'x=y' },
                    { traceId: '', spanId: '2222222222222222' },
                  ],
                  status: { code: 2, message: 'boom' },
                },
              ],
            },
          ],
        },
      ],
    };
    const { rows, count } = read(request, encoding);
    const spanAttributes = JSON.parse(
      `{"text":"grün 🚀","yes":"true","big":"9007199254740993","negative":"-5","ratio":"0.25","bytes":"AQID",
        "empty":"","list":"[\\"a\\",9007199254740993,null]","map":"{\\"k\\\\\\"\\":false}","__proto__":"kept"}`,
    );
    expect(rows).toEqual([
      {
        Timestamp: START,
        TraceId: '0af7651916cd43dd8448eb211c80319c',
        SpanId: 'b7ad6b7169203331',
        ParentSpanId: '00f067aa0ba902b7',
        TraceState: 'a=b',
        SpanName: 'GET /orders',
        SpanKind: 'Client',
        ServiceName: 'checkout',
        ResourceAttributes: { 'service.name': 'checkout', 'host.cpus': '8' },
        ScopeName: 'http',
        ScopeVersion: '1.2.3',
        SpanAttributes: spanAttributes,
        Duration: '250000000',
        StatusCode: 'Error',
        StatusMessage: 'boom',
        'Events.Timestamp': [END, START],
        'Events.Name': ['exception', 'when?'],
        'Events.Attributes': [{ n: '1' }, {}],
        'Links.TraceId': ['11111111111111111111111111111111'],
        'Links.SpanId': ['2222222222222222'],
        'Links.TraceState': ['x=y'],
        'Links.Attributes': [{}],
      },
    ]);
    expect(JSON.stringify(rows)).toContain('"__proto__":"kept"');
    expect(count.describe()).toBe('');
  });

  it('without resource, scope, status and kind get the defaults', () => {
    const [row] = read(requestOf(span), encoding).rows;
    expect(row).toMatchObject({
      ServiceName: 'unknown_service',
      ResourceAttributes: {},
      ScopeName: '',
      ParentSpanId: '',
      SpanKind: 'Unspecified',
      StatusCode: 'Unset',
    });
  });
});

describe('spans in JSON only', () => {
  it('take enums by name, integers as numbers, and ignore what they do not know', () => {
    const request = requestOf({
      ...span,
      kind: 'SPAN_KIND_SERVER',
      status: { code: 'STATUS_CODE_OK' },
      startTimeUnixNano: 1767225600000000000,
      start_time_unix_nano: 'not a member in OTLP/JSON',
      entityRefs: [{}],
      links: null,
    });
    expect(read(request).rows).toMatchObject([{ SpanKind: 'Server', StatusCode: 'Ok', Timestamp: START }]);
  });

  it('have lone surrogates replaced', () => {
    const [row] = read(requestOf({ ...span, name: 'a\ud800b' })).rows;
    expect(row?.SpanName).toBe('a\ufffdb');
  });
});

it('invalid UTF-8 in protobuf costs no span', () => {
  const body = jsonToProto('traces', requestOf({ ...span, name: 'AAAA' }, span));
  body.set([0xff, 0xfe], body.indexOf('AAAA'));
  const { rows } = readOtlpRows('traces', 'protobuf', body, NOW_MS);
  expect(rows.otel_traces?.map((row) => row.SpanName)).toEqual(['\ufffd\ufffdAA', 'GET /orders']);
});

describe('a bad span is rejected alone', () => {
  it.each([
    ['a short trace id', { traceId: '0af765' }, 'trace id'],
    ['a trace id of zeros', { traceId: '0'.repeat(32) }, 'trace id'],
    ['a trace id that is not hexadecimal', { traceId: 'CvdlGRbNQ92ESOshHIAxnA==' }, 'trace id'],
    ['no span id', { spanId: '' }, 'span id'],
    ['a parent of the wrong length', { parentSpanId: 'abcd' }, 'parent span id'],
    ['no start', { startTimeUnixNano: '0' }, 'start time'],
    ['no end', { endTimeUnixNano: null }, 'end time'],
    ['a start in 1970', { startTimeUnixNano: '1000' }, 'start time'],
    ['an end past what the store can hold', { endTimeUnixNano: '18446744073709551615' }, 'end time'],
    ['an end 2 s before its start', { startTimeUnixNano: '1767225602250000001' }, 'ends before it starts'],
    ['a start years before its end', { startTimeUnixNano: '1577836800000000000' }, 'longer than a year'],
    ['a time that is no number', { endTimeUnixNano: 'soon' }, 'Span.endTimeUnixNano is not a 64-bit integer'],
    ['attributes that are no list', { attributes: {} }, 'Span.attributes is not an array'],
    ['a value of the wrong type', { attributes: [{ key: 'a', value: { boolValue: 'yes' } }] }, 'AnyValue.boolValue'],
  ])('%s', (_what, bad, reason) => {
    expect(rejectionOf(bad)).toContain(reason);
  });
});

it('a clock set back by less than a second gives a duration of zero', () => {
  const { rows } = read(requestOf({ ...span, startTimeUnixNano: '1767225600750000000' }));
  expect(rows[0]?.Duration).toBe('0');
});

it('eight zero bytes are no parent', () => {
  expect(read(requestOf({ ...span, parentSpanId: '0'.repeat(16) })).rows[0]?.ParentSpanId).toBe('');
});

it('what exceeds a limit is cut, never through a character, and told', () => {
  const attributes = Array.from({ length: 1_030 }, (_, index) => ({
    key: `k${index}`,
    value: { intValue: `${index}` },
  }));
  const { rows, count } = read(requestOf({ ...span, name: `${'x'.repeat(1_023)}🚀`, attributes }));
  expect(rows[0]?.SpanName).toBe('x'.repeat(1_023));
  expect(Object.keys(rows[0]?.SpanAttributes ?? {})).toHaveLength(1_024);
  expect(count).toMatchObject({ accepted: 1, rejected: 0, shortened: 7 });
  expect(count.describe()).toContain('7 x shortened');
});

it('a resource too large for its many rows does not multiply without end', () => {
  const value = { stringValue: 'x'.repeat(64 * 1024) };
  const attributes = Array.from({ length: 16 }, (_, index) => ({ key: `k${index}`, value }));
  const request = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: Array(600).fill(span) }] }] };
  const { rows, count } = read(request);
  expect(rows.length).toBeGreaterThan(400);
  expect(rows.length + count.rejected).toBe(600);
  expect(count.describe()).toContain('send smaller batches');
});
