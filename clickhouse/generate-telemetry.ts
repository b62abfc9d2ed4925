/**
 * Writes the week of telemetry-plan.ts into a database, made inside the engine from numbers(): rows go in by slices of time,
 * so that views, partitions and memory see what they see when telemetry arrives, only faster.
 */
import type { Database } from './database.ts';
import { quoteText } from './session-pool.ts';
import {
  BACKGROUND,
  DAYS,
  ENTRANCES,
  FAILING,
  GROUP,
  LINES,
  METRIC_TABLES,
  METRICS,
  type MetricTable,
  PODS,
  SERVICES,
  seriesOf,
  TEMPLATES,
  type TelemetryPlan,
  TRACES_IN_GROUP,
  traceStepUs,
} from './telemetry-plan.ts';

/** Of one insert, at the most; small enough for any machine's memory, large enough for few parts. */
const SLICE_ROWS = 150_000;
const MAX_SLICE_SECONDS = 100;

export interface GenerateOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: { readonly rows: number; readonly ofRows: number }) => void) | undefined;
}

interface Slice {
  readonly sql: string;
  readonly rows: number;
}

/** Resolves when all rows are stored; tables must exist and be empty. Merges go on behind it. */
export async function generateTelemetry(
  database: Database,
  plan: TelemetryPlan,
  { signal, onProgress }: GenerateOptions = {},
): Promise<void> {
  const slices = [
    ...slicesOf(plan.spans, GROUP.length, (from, count) => spansSql(plan, from, count)),
    ...slicesOf(plan.logs, 1, (from, count) => logsSql(plan, from, count)),
    ...METRIC_TABLES.flatMap((table) =>
      slicesOf(plan.steps * seriesOf(table), seriesOf(table), (from, count) => pointsSql(plan, table, from, count)),
    ),
  ];
  const ofRows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  await database.insert('inquest_log_templates', SERVICES.flatMap(templatesOf), signal);
  let rows = 0;
  for (const slice of slices) {
    signal?.throwIfAborted();
    await database.command(slice.sql, signal, 'generate');
    rows += slice.rows;
    onProgress?.({ rows, ofRows });
  }
}

/** The whole database, to begin anew; its connections are of no use afterwards. */
export async function dropGenerated(database: Database, signal?: AbortSignal): Promise<void> {
  await database.command(`DROP DATABASE \`${database.name}\``, signal, 'generate');
}

/** As many slices a day as it takes, all of the same number of whole units. */
function slicesOf(rows: number, unit: number, sqlOf: (from: number, count: number) => string): Slice[] {
  const slices = DAYS * Math.ceil(rows / DAYS / SLICE_ROWS);
  const bounds = Array.from({ length: slices + 1 }, (_, index) => Math.floor((rows / unit) * (index / slices)) * unit);
  return bounds.slice(0, -1).flatMap((from, index) => {
    const count = (bounds[index + 1] ?? from) - from;
    return count === 0 ? [] : [{ sql: `${sqlOf(from, count)}\n${settings()}`, rows: count }];
  });
}

/** In the statement, where the embedded engine heeds them. */
function settings(): string {
  return `SETTINGS max_execution_time = ${MAX_SLICE_SECONDS}, log_comment = 'inquest:generate', max_partitions_per_insert_block = 0`;
}

const list = (values: readonly (string | number | boolean)[]) =>
  `[${values.map((value) => (typeof value === 'string' ? quoteText(value) : Number(value))).join(', ')}]`;
const pick = (values: readonly (string | number | boolean)[], index: string) => `${list(values)}[1 + ${index}]`;
const ofPlace = (member: (place: (typeof GROUP)[number]) => number | boolean) => pick(GROUP.map(member), 'place');

const TRACE_ID = 'lower(hex(MD5(toString(trace))))';
const spanId = (index: string) => `lower(hex(reinterpretAsFixedString(sipHash64(trace, toUInt64(${index})))))`;
/** telemetry-plan.ts in SQL, over `trace`. */
const DURATION_US = '(20000 + intDiv(pow((trace * 7919) % 1000, 3) * 2, 1000))';
const IS_FAILING = `(trace % ${FAILING.every} = ${FAILING.at})`;
const startUs = (plan: TelemetryPlan) =>
  `(${plan.window.startMs * 1_000} + toInt64(floor(trace * ${traceStepUs(plan)})))`;
const ENTRANCE = `(intDiv(trace, ${TRACES_IN_GROUP}) % ${ENTRANCES})`;
const SHIFT = `if(intDiv(trace, ${TRACES_IN_GROUP * ENTRANCES}) % 5 = 0, 2, 0)`;
const serviceIndex = (call: string) =>
  `if(${call} = 0, ${ENTRANCE}, ${ENTRANCES} + (${ENTRANCE} * 6 + ${call} - 1 + ${SHIFT}) % ${SERVICES.length - ENTRANCES})`;
const RESOURCE = `map('service.name', service, 'service.version', concat('1.', toString(length(service))),
    'k8s.pod.name', concat(service, '-', toString(pod)), 'k8s.namespace.name', 'shop', 'deployment.environment.name', 'production')`;

const ROUTES = ['/', '/products/{id}', '/cart', '/checkout', '/search'];

function spansSql(plan: TelemetryPlan, from: number, count: number): string {
  return `
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
  SpanAttributes, Duration, StatusCode, StatusMessage, Events.Timestamp, Events.Name, Events.Attributes)
SELECT fromUnixTimestamp64Micro(atUs), ${TRACE_ID}, ${spanId('index')}, if(index = 0, '', ${spanId('parent')}),
  multiIf(index = 0, concat('GET ', route), isServer, concat(service, '.', ${pick(['Get', 'List', 'Update'], '(trace + call) % 3')}),
    concat('call ', callee)) AS name,
  if(isServer, 'Server', 'Client'), service, ${RESOURCE}, 'http',
  if(isServer, map('http.request.method', 'GET', 'http.route', route, 'http.response.status_code', if(failed, '500', '200'),
      'url.path', concat(route, '/', toString(trace % 4999)), 'user.id', toString(trace % 10007), 'thread.id', toString(trace % 64)),
    map('rpc.system', 'grpc', 'rpc.service', callee, 'server.address', concat(callee, '.shop.svc'), 'retries', toString(trace % 3))),
  toUInt64(floor(${ofPlace(({ length }) => length)} * durationUs)) * 1000,
  if(failed, 'Error', 'Unset'), if(failed AND isLastServer, 'the upstream gave up', ''),
  if(failed AND isLastServer, [fromUnixTimestamp64Micro(atUs)], []), if(failed AND isLastServer, ['exception'], []),
  if(failed AND isLastServer, [map('exception.type', ${pick(['TimeoutError', 'ConnectionReset', 'PoolExhausted'], 'trace % 3')},
    'exception.message', concat('no answer within ', toString(trace % 30), ' s'))], [])
FROM (
  SELECT number % ${GROUP.length} AS place, toInt64(intDiv(number, ${GROUP.length}) * ${TRACES_IN_GROUP} + ${ofPlace(({ trace }) => trace)}) AS trace,
    ${ofPlace(({ index }) => index)} AS index, ${ofPlace(({ parent }) => parent)} AS parent, ${ofPlace(({ call }) => call)} AS call,
    index % 2 = 0 AS isServer, ${ofPlace(({ isLastServer }) => isLastServer)} AS isLastServer,
    ${pick(SERVICES, serviceIndex('call'))} AS service, ${pick(SERVICES, serviceIndex('intDiv(index + 1, 2)'))} AS callee,
    ${DURATION_US} AS durationUs, ${startUs(plan)} + toInt64(floor(${ofPlace(({ start }) => start)} * durationUs)) AS atUs,
    ${IS_FAILING} AND ${ofPlace(({ isOnErrorPath }) => isOnErrorPath)} AS failed,
    trace % ${PODS} AS pod, ${pick(ROUTES, 'trace % 5')} AS route
  FROM numbers(${from}, ${count})
)`;
}

/** What lines are given as TemplateId, as a miner would have stored it. */
function templatesOf(ServiceName: string): object[] {
  return TEMPLATES.map(({ id, text }) => {
    return { ServiceName, Id: id, TemplateId: id, Text: text, Shape: text.split(' '), Version: '1' };
  });
}

/** Words with two numbers in them. */
function bodyOf(texts: readonly (readonly [string, string, string])[], index: string): string {
  const part = (at: 0 | 1 | 2) =>
    pick(
      texts.map((text) => text[at]),
      index,
    );
  return `concat(${part(0)}, toString(line % 99991), ${part(1)}, toString(line % 997), ${part(2)})`;
}

function logsSql(plan: TelemetryPlan, from: number, count: number): string {
  const severity = `multiIf(failed, 17, line % 20 = 3, 13, 9)`;
  return `
INSERT INTO otel_logs (Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, TemplateId,
  ResourceAttributes, ScopeName, LogAttributes)
SELECT fromUnixTimestamp64Micro(${startUs(plan)} + intDiv(${DURATION_US}, 2)),
  if(hasTrace, ${TRACE_ID}, ''), if(hasTrace, ${spanId('2 * call')}, ''), 1,
  multiIf(severity = 17, 'ERROR', severity = 13, 'WARN', 'INFO'), ${severity} AS severity, service,
  if(failed, ${bodyOf(LINES.error, 'text')}, ${bodyOf(LINES.plain, 'text')}), concat(if(failed, 'error', 'plain'), toString(text)),
  ${RESOURCE}, 'logger', map('thread', toString(line % 64), 'logger', concat(service, '.Handler'))
FROM (
  SELECT toInt64(number) AS line, toInt64(floor(line * ${plan.traces / plan.logs})) AS trace, line % 2 AS call,
    ${pick(SERVICES, serviceIndex('call'))} AS service, ${IS_FAILING} AS failed, trace % ${PODS} AS pod,
    if(failed, (trace + call) % ${LINES.error.length}, (line + call) % ${LINES.plain.length}) AS text,
    line % ${BACKGROUND.every} != ${BACKGROUND.at} AS hasTrace
  FROM numbers(${from}, ${count})
)`;
}

/** Columns that each kind has of its own, as SQL over one point. */
const VALUES: Readonly<Record<MetricTable, Readonly<Record<string, string>>>> = {
  gauge: { Value: '100 + 50 * sin(step / 60) + series % 17' },
  sum: { Value: 'toFloat64(step * (10 + series % 7))', AggregationTemporality: '2', IsMonotonic: 'true' },
  histogram: {
    Count: 'step * 8',
    Sum: 'step * 160.',
    BucketCounts: 'arrayMap(each -> toUInt64(step), range(8))',
    ExplicitBounds: '[5., 10., 25., 50., 100., 250., 1000.]',
    AggregationTemporality: '2',
  },
  exponential_histogram: {
    Count: 'step * 8',
    Sum: 'step * 160.',
    Scale: '3',
    PositiveBucketCounts: 'arrayMap(each -> toUInt64(step), range(8))',
    AggregationTemporality: '2',
  },
};
const EXEMPLAR: Readonly<Record<string, string>> = {
  'Exemplars.FilteredAttributes': "[map('user.id', toString(trace % 10007))]",
  'Exemplars.TimeUnix': '[fromUnixTimestamp64Micro(atUs - 10000000)]',
  'Exemplars.Value': `[${DURATION_US} / 1000]`,
  'Exemplars.SpanId': `[${spanId('0')}]`,
  'Exemplars.TraceId': `[${TRACE_ID}]`,
};

/** A histogram keeps one exemplar with each point, from ten seconds before it. */
function pointsSql(plan: TelemetryPlan, table: MetricTable, from: number, count: number): string {
  const series = seriesOf(table);
  const hasExemplars = table === 'histogram' || table === 'exponential_histogram';
  const weekUs = traceStepUs(plan) * plan.traces;
  const traceOfPoint = `toInt64(floor(point * ${plan.traces / (plan.steps * series)}))`;
  const atUs = hasExemplars
    ? `${startUs(plan)} + 10000000`
    : `${plan.window.startMs * 1_000} + toInt64(floor(step * ${weekUs / plan.steps}))`;
  const values = { ...VALUES[table], ...(hasExemplars ? EXEMPLAR : {}) };
  return `
INSERT INTO otel_metrics_${table} (ServiceName, MetricName, MetricUnit, ResourceAttributes, Attributes, StartTimeUnix, TimeUnix,
  ${Object.keys(values).join(', ')})
SELECT service, ${pick(METRICS[table], `series % ${METRICS[table].length}`)}, '${hasExemplars ? 'ms' : '1'}', ${RESOURCE}, map('http.route', ${pick(ROUTES, 'series % 5')}),
  fromUnixTimestamp64Milli(${plan.window.startMs}), fromUnixTimestamp64Micro(atUs),
  ${Object.values(values).join(',\n  ')}
FROM (
  SELECT toInt64(number) AS point, intDiv(point, ${series}) AS step, point % ${series} AS series, ${traceOfPoint} AS trace, ${atUs} AS atUs,
    ${pick(SERVICES, `intDiv(series, ${series / SERVICES.length})`)} AS service, intDiv(series, ${METRICS[table].length}) % ${PODS} AS pod
  FROM numbers(${from}, ${count})
)`;
}
