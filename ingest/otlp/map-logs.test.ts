import { expect, it } from 'vitest';
import { jsonToProto } from './json-to-proto.ts';
import { type OtlpEncoding, readOtlpRows } from './read-otlp-rows.ts';

const NOW_MS = 1_767_225_700_000;
const TIME = '1767225600000000001';

function read(logRecords: object[], encoding: OtlpEncoding = 'json') {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] };
  const scope = {
    name: 'app',
    version: '2',
    attributes: [{ key: 'lib', value: { stringValue: 'x' } }],
    droppedAttributesCount: 1,
  };
  const scopeLogs = [{ scope, schemaUrl: 'urn:scope', logRecords }];
  const request = { resourceLogs: [{ resource, schemaUrl: 'urn:resource', scopeLogs }] };
  const body = encoding === 'json' ? Buffer.from(JSON.stringify(request)) : jsonToProto('logs', request);
  const { rows, count } = readOtlpRows('logs', encoding, body, NOW_MS);
  return { rows: rows.otel_logs ?? [], count };
}

it.each(['json', 'protobuf'] as const)('a log record as %s fills every column of otel_logs', (encoding) => {
  const record = {
    timeUnixNano: TIME,
    observedTimeUnixNano: '1767225601000000000',
    severityNumber: 17,
    severityText: 'ERROR',
    body: { stringValue: 'payment failed' },
    attributes: [{ key: 'order', value: { intValue: '42' } }],
    flags: 0x101,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    eventName: 'payment.failed',
  };
  expect(read([record], encoding).rows).toEqual([
    {
      Timestamp: TIME,
      TraceId: '0af7651916cd43dd8448eb211c80319c',
      SpanId: 'b7ad6b7169203331',
      TraceFlags: 1,
      SeverityText: 'ERROR',
      SeverityNumber: 17,
      ServiceName: 'cart',
      Body: 'payment failed',
      ResourceSchemaUrl: 'urn:resource',
      ResourceAttributes: { 'service.name': 'cart' },
      ScopeSchemaUrl: 'urn:scope',
      ScopeName: 'app',
      ScopeVersion: '2',
      ScopeAttributes: { lib: 'x' },
      LogAttributes: { order: '42' },
      EventName: 'payment.failed',
    },
  ]);
});

it('a missing time is the observed time, and failing that the time of receipt', () => {
  const { rows } = read([{ observedTimeUnixNano: TIME }, { timeUnixNano: 0 }]);
  expect(rows.map((row) => row.Timestamp)).toEqual([TIME, '1767225700000000000']);
});

it('a structured body becomes JSON', () => {
  const body = {
    kvlistValue: { values: [{ key: 'user', value: { arrayValue: { values: [{ doubleValue: 'NaN' }] } } }] },
  };
  expect(read([{ timeUnixNano: TIME, body }]).rows[0]?.Body).toBe('{"user":["NaN"]}');
});

it('invalid ids mean "belongs to no trace", an unknown severity is unspecified', () => {
  const { rows, count } = read([
    { timeUnixNano: TIME, traceId: 'abc', spanId: '0'.repeat(16), severityNumber: 99 },
    { timeUnixNano: TIME, severityNumber: 'SEVERITY_NUMBER_WARN2' },
  ]);
  expect(rows).toMatchObject([
    { TraceId: '', SpanId: '', SeverityNumber: 0 },
    { TraceId: '', SpanId: '', SeverityNumber: 14 },
  ]);
  expect(count.rejected).toBe(0);
});

it('a record with an absurd time or a broken member is rejected alone', () => {
  const good = { timeUnixNano: TIME };
  const { rows, count } = read([good, { timeUnixNano: '1' }, good, { timeUnixNano: TIME, body: 'plain text' }, good]);
  expect(rows).toHaveLength(3);
  expect(count.rejected).toBe(2);
  expect(count.describe()).toBe('1 x time is outside 2000 to 2100; 1 x LogRecord.body is not a AnyValue object');
});

it('a body beyond the limit is cut and told', () => {
  const { rows, count } = read([{ timeUnixNano: TIME, body: { stringValue: 'x'.repeat(300_000) } }]);
  expect(rows[0]?.Body).toHaveLength(256 * 1024);
  expect(count.shortened).toBe(1);
});
