/** Bad records, one by one: what is wrong with each, whether it is kept, what its sender is told, and what is stored of it. */
import type { OtlpSignal } from '../../ingest/otlp/otlp-schema.ts';
import type { OtlpEncoding } from '../../ingest/otlp/read-otlp-rows.ts';
import { type Attribute, attributesOf, ENCODINGS, nanos, recordOf, SIGNALS } from './bad-input.fixture.ts';

export const NOW_MS = Date.now();
export const RETENTION_DAYS = 30;
const DAY_MS = 86_400_000;

/** Where a case belongs; left out: every signal, both encodings, the table of the signal (the gauges'). */
interface Where {
  readonly signals?: readonly OtlpSignal[];
  readonly encodings?: readonly OtlpEncoding[];
  readonly table?: string;
}

export interface BadRecord extends Where {
  readonly what: string;
  readonly record: (signal: OtlpSignal) => unknown;
  /** False: this record is rejected, and no other. */
  readonly kept: boolean;
  /** What the sender is told; nothing when left out. */
  readonly says?: RegExp;
  /** SQL over the table, and what it gives for this record; ATTRIBUTES is the signal's own map. */
  readonly reads?: readonly [expression: string, value: unknown];
}

type Reads = NonNullable<BadRecord['reads']>;
/** A patch over a good record (over a metric's point), or the whole of it. */
type Spoiled = object | BadRecord['record'];

function toRecord(spoiled: Spoiled): BadRecord['record'] {
  return typeof spoiled === 'function'
    ? (spoiled as BadRecord['record'])
    : (signal) => recordOf(signal, NOW_MS, spoiled);
}

function lost(what: string, where: Where, spoiled: Spoiled, says: RegExp): BadRecord {
  return { ...where, what, record: toRecord(spoiled), kept: false, says };
}

function kept(what: string, where: Where, spoiled: Spoiled, reads?: Reads): BadRecord {
  return { ...where, what, record: toRecord(spoiled), kept: true, ...(reads ? { reads } : {}) };
}

function shortened(what: string, where: Where, spoiled: Spoiled, times: number, reads?: Reads): BadRecord {
  const says = new RegExp(`^${times} x shortened to the limit of its field \\(stored\\)$`);
  return { ...kept(what, where, spoiled, reads), says };
}

const ANY: Where = {};
const JSON_ONLY: Where = { encodings: ['json'] };
const SPAN: Where = { signals: ['traces'] };
const LOG: Where = { signals: ['logs'] };
const POINT: Where = { signals: ['metrics'] };
const tableOf = (kind: string): Where => ({ ...POINT, table: `otel_metrics_${kind}` });
const SUM = tableOf('sum');
const HISTOGRAM = tableOf('histogram');
const EXPONENTIAL = tableOf('exponential_histogram');
const SUMMARY = tableOf('summary');

const MAX_UINT64 = '18446744073709551615';
const NO_INT64 = /is not a 64-bit integer/;

/** A record at a time: a number of nanoseconds, or what stands in its place. */
const at = (unixNano: unknown) => (signal: OtlpSignal) => {
  const members = signal === 'traces' ? ['startTimeUnixNano', 'endTimeUnixNano'] : ['timeUnixNano'];
  return recordOf(signal, NOW_MS, Object.fromEntries(members.map((member) => [member, unixNano])));
};

const TIMES: readonly BadRecord[] = [
  lost('time zero', { signals: ['traces', 'metrics'] }, at('0'), /time is missing/),
  kept('time zero', LOG, at('0')),
  lost('time before 1970', JSON_ONLY, at('-1'), NO_INT64),
  lost('time in 1970', ANY, at('1000'), /time is outside 2000 to 2100/),
  lost('time 2^64 - 1', ANY, at(MAX_UINT64), /time is outside 2000 to 2100/),
  lost('time 2^64', JSON_ONLY, at('18446744073709551616'), NO_INT64),
  lost('time that is text', JSON_ONLY, at('soon'), NO_INT64),
  kept('time within retention', ANY, at(nanos(NOW_MS - (RETENTION_DAYS - 1) * DAY_MS))),
  lost('time beyond retention', ANY, at(nanos(NOW_MS - (RETENTION_DAYS + 1) * DAY_MS)), /older than the 30 days/),
  kept('time 14 h ahead', ANY, at(nanos(NOW_MS + 14 * 3_600_000))),
  lost('time 2 days ahead', ANY, at(nanos(NOW_MS + 2 * DAY_MS)), /more than a day ahead/),
  lost('end 2 s before start', SPAN, { endTimeUnixNano: nanos(NOW_MS - 2_000) }, /span ends before it starts/),
  kept('end 0.5 s before start', SPAN, { endTimeUnixNano: nanos(NOW_MS - 500) }, ['toUInt32(Duration)', 0]),
];

const many = (count: number, value: string) =>
  Array.from({ length: count }, (_, index): Attribute => [`key${index}`, value]);
const withAttributes = (...attributes: Attribute[]) => ({ attributes: attributesOf(attributes) });

function nested(depth: number): object {
  let value: object = { stringValue: 'core' };
  for (let level = 0; level < depth; level++) value = { kvlistValue: { values: [{ key: 'k', value }] } };
  return withAttributes(['deep', value]);
}

const INT64_LIMITS = withAttributes(
  ['max', { intValue: '9223372036854775807' }],
  ['min', { intValue: '-9223372036854775808' }],
);
const OBJECT_KEYS = withAttributes(['__proto__', 'a'], ['constructor', 'b'], ['toString', 'c'], ['', 'd']);

const ATTRIBUTES: readonly BadRecord[] = [
  shortened('10 000 attributes', ANY, withAttributes(...many(10_000, 'v')), 8_976, [
    'toUInt32(length(ATTRIBUTES))',
    1_024,
  ]),
  shortened('a value of 1 MB', ANY, withAttributes(['big', 'x'.repeat(1_000_000)]), 1, [
    "toUInt32(length(ATTRIBUTES['big']))",
    64 * 1024,
  ]),
  shortened('a key of 1 MB', ANY, withAttributes(['k'.repeat(1_000_000), 'v']), 1, [
    'toUInt32(length(mapKeys(ATTRIBUTES)[1]))',
    512,
  ]),
  shortened('values of 2.4 MB together', ANY, withAttributes(...many(40, 'x'.repeat(60_000))), 23),
  kept('keys of JavaScript objects', ANY, OBJECT_KEYS, [
    'mapSort(ATTRIBUTES)::String',
    "{'':'d','__proto__':'a','constructor':'b','toString':'c'}",
  ]),
  kept('a repeated key', ANY, withAttributes(['twice', 'first'], ['twice', 'last']), [
    'ATTRIBUTES::String',
    "{'twice':'last'}",
  ]),
  kept('a value nested 20 deep', ANY, nested(20)),
  lost('a value nested 200 deep', JSON_ONLY, nested(200), /nested more than 100 levels deep/),
  kept('integers of 64 bits', ANY, INT64_LIMITS, [
    'ATTRIBUTES::String',
    "{'max':'9223372036854775807','min':'-9223372036854775808'}",
  ]),
  lost('an integer of 65 bits', JSON_ONLY, withAttributes(['n', { intValue: MAX_UINT64 }]), NO_INT64),
  kept('members nobody knows', JSON_ONLY, { future: { is: ['now'] }, 'a.b': 1 }),
  lost('a record that is none', JSON_ONLY, () => 7, /is not a \w+ object/),
];

const SPANS: readonly BadRecord[] = [
  lost('a trace id of 15 bytes', SPAN, { traceId: 'ab'.repeat(15) }, /trace id is not 16 bytes/),
  lost('a trace id of zeros', SPAN, { traceId: '0'.repeat(32) }, /trace id is not 16 bytes, or all zero/),
  lost('a trace id of 31 digits', { ...SPAN, ...JSON_ONLY }, { traceId: 'a'.repeat(31) }, /trace id/),
  lost('a trace id in base64', { ...SPAN, ...JSON_ONLY }, { traceId: 'CvdlGRbNQ92ESOshHIAxnA==' }, /trace id/),
  kept('a trace id in upper case', SPAN, { traceId: 'AB'.repeat(16) }, ['TraceId', 'ab'.repeat(16)]),
  lost('no span id', SPAN, { spanId: '' }, /span id is not 8 bytes/),
  lost('a parent of 4 bytes', SPAN, { parentSpanId: 'abcdabcd' }, /parent span id/),
  kept('a parent of zeros', SPAN, { parentSpanId: '0'.repeat(16) }, ['ParentSpanId', '']),
  kept('kind 99', SPAN, { kind: 99 }, ['SpanKind', 'Unspecified']),
  kept('status 42', SPAN, { status: { code: 42 } }, ['StatusCode', 'Unset']),
  kept('a kind by an unknown name', { ...SPAN, ...JSON_ONLY }, { kind: 'SPAN_KIND_FUTURE' }),
  shortened('2 000 events', SPAN, { events: Array(2_000).fill({ name: 'e' }) }, 976),
  kept('a link to nowhere', SPAN, { links: [{ traceId: 'abcd' }] }, ['toUInt32(length(Links.TraceId))', 0]),
];

const LINES: readonly BadRecord[] = [
  kept('ids of wrong length', LOG, { traceId: 'abcd', spanId: 'ab' }, ['concat(TraceId, SpanId)', '']),
  kept('severity 99', LOG, { severityNumber: 99 }, ['SeverityNumber', 0]),
  shortened('a body of 1 MB', LOG, { body: { stringValue: 'x'.repeat(1_000_000) } }, 1),
  kept('a body with NUL', LOG, { body: { stringValue: 'a\u0000b' } }, ['Body', 'a\u0000b']),
  kept('a body of bytes', LOG, { body: { bytesValue: 'AP8=' } }, ['Body', 'AP8=']),
  lost('a body that is no value', { ...LOG, ...JSON_ONLY }, { body: 'plain' }, /LogRecord.body is not a AnyValue/),
];

/** A whole metric of a kind with one point. */
const metric = (kind: string, point: object, more: object = {}) => {
  const data = { dataPoints: [{ timeUnixNano: nanos(NOW_MS), ...point }], aggregationTemporality: 2, ...more };
  return () => ({ name: 'm', [kind]: data });
};
const histogram = (point: object) => metric('histogram', { count: '3', ...point });
const exponential = (point: object) => metric('exponentialHistogram', { count: '1', ...point });
const NOT_FINITE = /value is not a finite number/;
const JSON_HISTOGRAM = { ...HISTOGRAM, ...JSON_ONLY };

const POINTS: readonly BadRecord[] = [
  lost('NaN', POINT, { asDouble: 'NaN' }, NOT_FINITE),
  lost('infinity', POINT, { asDouble: 'Infinity' }, NOT_FINITE),
  lost('minus infinity', POINT, { asDouble: '-Infinity' }, NOT_FINITE),
  lost('a value that is text', { ...POINT, ...JSON_ONLY }, { asDouble: 'much' }, /asDouble is not a number/),
  lost('no value', POINT, metric('gauge', {}), /no value/),
  kept('2^63 - 1', POINT, metric('gauge', { asInt: '9223372036854775807' }), [
    'toString(Value)',
    '9223372036854776000',
  ]),
  kept('a negative counter', SUM, metric('sum', { asInt: '-5' }, { isMonotonic: true }), ['Value', -5]),
  kept('temporality 7', SUM, metric('sum', { asInt: '5' }, { aggregationTemporality: 7 }), [
    'AggregationTemporality',
    7,
  ]),
  kept('a count of 2^64 - 1', HISTOGRAM, histogram({ count: MAX_UINT64 }), ['toString(Count)', MAX_UINT64]),
  kept('a count of 2^64 - 1 as a number', JSON_HISTOGRAM, histogram({ count: 2 ** 64 }), [
    'toString(Count)',
    MAX_UINT64,
  ]),
  kept('a count of 2^53 + 2 as a number', JSON_HISTOGRAM, histogram({ count: 2 ** 53 + 2 }), [
    'toString(Count)',
    '9007199254740994',
  ]),
  lost('a negative count', JSON_HISTOGRAM, histogram({ count: '-1' }), /HistogramDataPoint.count is not a 64-bit/),
  lost('a sum that is NaN', HISTOGRAM, histogram({ sum: 'NaN' }), NOT_FINITE),
  lost(
    'buckets that do not fit',
    HISTOGRAM,
    histogram({ bucketCounts: ['1', '2'], explicitBounds: [1, 2, 3] }),
    /one bucket more than bounds/,
  ),
  lost(
    '10 000 buckets',
    HISTOGRAM,
    histogram({ bucketCounts: Array(10_000).fill('0'), explicitBounds: [...Array(9_999).keys()] }),
    /more than 4096 buckets/,
  ),
  kept('scale 20', EXPONENTIAL, exponential({ scale: 20 }), ['Scale', 20]),
  lost('scale 2^31 - 1', EXPONENTIAL, exponential({ scale: 2 ** 31 - 1 }), /scale is outside -11 to 52/),
  lost('scale -1 000', EXPONENTIAL, exponential({ scale: -1_000 }), /scale is outside -11 to 52/),
  kept('offset 2^31 - 1', EXPONENTIAL, exponential({ positive: { offset: 2 ** 31 - 1, bucketCounts: [MAX_UINT64] } }), [
    'toString(PositiveBucketCounts)',
    `[${MAX_UINT64}]`,
  ]),
  kept(
    'a quantile that is NaN',
    SUMMARY,
    metric('summary', { count: '1', quantileValues: [{ quantile: 0.5, value: 'NaN' }] }),
    ['toUInt32(length(ValueAtQuantiles.Value))', 0],
  ),
  lost('a metric without a name', POINT, () => ({ ...metric('gauge', { asInt: '1' })(), name: '' }), /has no name/),
  lost('a metric of no known kind', POINT, () => ({ name: 'm' }), /no kind known/),
];

export const BAD_RECORDS = [...TIMES, ...ATTRIBUTES, ...SPANS, ...LINES, ...POINTS].flatMap((one) =>
  (one.signals ?? SIGNALS).flatMap((signal) =>
    (one.encodings ?? ENCODINGS).map((encoding) => ({ ...one, signal, encoding })),
  ),
);
