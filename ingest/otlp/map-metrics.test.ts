import { describe, expect, it } from 'vitest';
import { jsonToProto } from './json-to-proto.ts';
import { type OtlpEncoding, readOtlpRows } from './read-otlp-rows.ts';

const NOW_MS = 1_767_225_700_000;
const START = '1767225600000000000';
const TIME = '1767225660000000000';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

const attributes = [{ key: 'pool', value: { stringValue: 'db' } }];
const point = { startTimeUnixNano: START, timeUnixNano: TIME, attributes };
const exemplars = [
  { timeUnixNano: START, asDouble: 0.5, traceId: TRACE_ID, spanId: SPAN_ID, filteredAttributes: attributes },
  { asInt: '3' },
];

function read(metrics: object[], encoding: OtlpEncoding = 'json') {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] };
  const scopeMetrics = [{ scope: { name: 'app', droppedAttributesCount: 2 }, schemaUrl: 'urn:scope', metrics }];
  const request = { resourceMetrics: [{ resource, schemaUrl: 'urn:resource', scopeMetrics }] };
  const body = encoding === 'json' ? Buffer.from(JSON.stringify(request)) : jsonToProto('metrics', request);
  return readOtlpRows('metrics', encoding, body, NOW_MS);
}

const common = {
  ResourceAttributes: { 'service.name': 'cart' },
  ResourceSchemaUrl: 'urn:resource',
  ScopeName: 'app',
  ScopeVersion: '',
  ScopeAttributes: {},
  ScopeDroppedAttrCount: 2,
  ScopeSchemaUrl: 'urn:scope',
  ServiceName: 'cart',
  MetricName: 'm',
  MetricDescription: 'what it is',
  MetricUnit: 'ms',
  Attributes: { pool: 'db' },
  StartTimeUnix: START,
  TimeUnix: TIME,
  Flags: 0,
};
const exemplarColumns = {
  'Exemplars.FilteredAttributes': [{ pool: 'db' }, {}],
  'Exemplars.TimeUnix': [START, TIME],
  'Exemplars.Value': [0.5, 3],
  'Exemplars.SpanId': [SPAN_ID, ''],
  'Exemplars.TraceId': [TRACE_ID, ''],
};
const noExemplars = {
  'Exemplars.FilteredAttributes': [],
  'Exemplars.TimeUnix': [],
  'Exemplars.Value': [],
  'Exemplars.SpanId': [],
  'Exemplars.TraceId': [],
};
const metric = { name: 'm', description: 'what it is', unit: 'ms' };

describe.each(['json', 'protobuf'] as const)('data points as %s fill every column', (encoding) => {
  it('gauge', () => {
    const dataPoints = [
      { ...point, asDouble: 1.5, exemplars },
      { ...point, asInt: '-7' },
    ];
    expect(read([{ ...metric, gauge: { dataPoints } }], encoding).rows).toEqual({
      otel_metrics_gauge: [
        { ...common, ...exemplarColumns, Value: 1.5 },
        { ...common, ...noExemplars, Value: -7 },
      ],
    });
  });

  it('sum', () => {
    const sum = { dataPoints: [{ ...point, asInt: '7' }], aggregationTemporality: 2, isMonotonic: true };
    expect(read([{ ...metric, sum }], encoding).rows).toEqual({
      otel_metrics_sum: [{ ...common, ...noExemplars, Value: 7, AggregationTemporality: 2, IsMonotonic: true }],
    });
  });

  it('histogram', () => {
    const full = {
      ...point,
      count: '18446744073709551615',
      sum: 12.5,
      min: 0.5,
      max: 9,
      bucketCounts: ['1', '2', '0'],
      explicitBounds: [5, 10],
      exemplars,
    };
    const histogram = { dataPoints: [full, { ...point, count: '4' }], aggregationTemporality: 1 };
    expect(read([{ ...metric, histogram }], encoding).rows).toEqual({
      otel_metrics_histogram: [
        {
          ...common,
          ...exemplarColumns,
          Count: '18446744073709551615',
          Sum: 12.5,
          Min: 0.5,
          Max: 9,
          BucketCounts: ['1', '2', '0'],
          ExplicitBounds: [5, 10],
          AggregationTemporality: 1,
        },
        {
          ...common,
          ...noExemplars,
          Count: '4',
          Sum: 0,
          Min: 0,
          Max: 0,
          BucketCounts: [],
          ExplicitBounds: [],
          AggregationTemporality: 1,
        },
      ],
    });
  });

  it('exponential histogram', () => {
    const dataPoint = {
      ...point,
      count: '6',
      sum: 3,
      scale: -2,
      zeroCount: '1',
      positive: { offset: -3, bucketCounts: ['1', '300', '9007199254740993'] },
      negative: { offset: 4, bucketCounts: ['1'] },
      min: -1,
      max: 2,
      zeroThreshold: 0.001,
      exemplars,
    };
    const exponentialHistogram = { dataPoints: [dataPoint], aggregationTemporality: 2 };
    expect(read([{ ...metric, exponentialHistogram }], encoding).rows).toEqual({
      otel_metrics_exponential_histogram: [
        {
          ...common,
          ...exemplarColumns,
          Count: '6',
          Sum: 3,
          Scale: -2,
          ZeroCount: '1',
          PositiveOffset: -3,
          PositiveBucketCounts: ['1', '300', '9007199254740993'],
          NegativeOffset: 4,
          NegativeBucketCounts: ['1'],
          Min: -1,
          Max: 2,
          AggregationTemporality: 2,
        },
      ],
    });
  });

  it('summary', () => {
    const quantileValues = [
      { quantile: 0.5, value: 1 },
      { quantile: 0.9, value: 'NaN' },
      { quantile: 1, value: 3 },
    ];
    const summary = { dataPoints: [{ ...point, count: '3', sum: 5, quantileValues }] };
    expect(read([{ ...metric, summary }], encoding).rows).toEqual({
      otel_metrics_summary: [
        { ...common, Count: '3', Sum: 5, 'ValueAtQuantiles.Quantile': [0.5, 1], 'ValueAtQuantiles.Value': [1, 3] },
      ],
    });
  });
});

it('a point without a start gets 1970 in the nineteen digits that ClickHouse reads', () => {
  const { rows } = read([{ ...metric, gauge: { dataPoints: [{ timeUnixNano: TIME, asDouble: 0 }] } }]);
  expect(rows.otel_metrics_gauge).toMatchObject([{ StartTimeUnix: '0000000000000000000', TimeUnix: TIME, Value: 0 }]);
});

it('a point that says "no recorded value" is neither stored nor rejected', () => {
  const { rows, count } = read([{ ...metric, gauge: { dataPoints: [{ ...point, flags: 1 }] } }]);
  expect(rows).toEqual({});
  expect(count).toMatchObject({ accepted: 0, rejected: 0 });
});

describe('a bad data point is rejected alone', () => {
  const good = { ...point, asDouble: 1 };
  it.each([
    ['NaN', { asDouble: 'NaN' }, 'not a finite number'],
    ['infinity', { asDouble: 'Infinity' }, 'not a finite number'],
    ['no value', { asDouble: null }, 'no value'],
    ['no time', { timeUnixNano: '0' }, 'time is missing'],
    ['text for a value', { asDouble: 'much' }, 'NumberDataPoint.asDouble is not a number'],
  ])('%s', (_what, bad, reason) => {
    const { rows, count } = read([{ ...metric, gauge: { dataPoints: [good, { ...good, ...bad }, good] } }]);
    expect(rows.otel_metrics_gauge).toHaveLength(2);
    expect(count).toMatchObject({ accepted: 2, rejected: 1 });
    expect(count.describe()).toContain(reason);
  });

  it.each([
    ['buckets that do not fit their bounds', { bucketCounts: ['1'], explicitBounds: [1] }, 'one bucket more'],
    ['a sum that is not finite', { sum: 'Infinity' }, 'not a finite number'],
    ['a bound that is not finite', { bucketCounts: ['1', '1'], explicitBounds: ['Infinity'] }, 'not a finite number'],
  ])('%s', (_what, bad, reason) => {
    const dataPoints = [
      { ...point, count: '2' },
      { ...point, count: '2', ...bad },
    ];
    const { rows, count } = read([{ ...metric, histogram: { dataPoints } }]);
    expect(rows.otel_metrics_histogram).toHaveLength(1);
    expect(count.describe()).toContain(reason);
  });
});

it('a bad metric costs no other metric', () => {
  const gauge = { dataPoints: [{ ...point, asDouble: 1 }] };
  const { rows, count } = read([
    { ...metric, name: '', gauge },
    { ...metric, futureKind: {} },
    { ...metric, gauge: [] },
    { ...metric, gauge },
  ]);
  expect(rows.otel_metrics_gauge).toHaveLength(1);
  expect(count.rejected).toBe(3);
});
