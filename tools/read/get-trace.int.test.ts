import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExponentialHistogramRow } from '../../clickhouse/telemetry-rows.ts';
import {
  callTool,
  hexId,
  logRow,
  MINUTE_MS,
  nanosAt,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { gaugeRow, histogramRow, sumRow } from '../metric-rows.contract.ts';
import { runTool } from '../tool.ts';
import { getTrace } from './get-trace.ts';

let fixture: TelemetryFixture;

/** As a metric's row holds them: the word of each trace, with when and how much. */
function exemplars(...examples: { trace: string; span: string; atMs: number; value: number }[]) {
  return {
    'Exemplars.FilteredAttributes': examples.map(({ span }) => ({ 'user.id': span })),
    'Exemplars.TimeUnix': examples.map(({ atMs }) => nanosAt(atMs)),
    'Exemplars.Value': examples.map(({ value }) => value),
    'Exemplars.SpanId': examples.map(({ trace, span }) => hexId(`${trace}${span}`, 16)),
    'Exemplars.TraceId': examples.map(({ trace }) => hexId(trace, 32)),
  };
}

function exponentialHistogramRow(words: { service: string; metric: string; atMs: number }): ExponentialHistogramRow {
  const { BucketCounts: _, ExplicitBounds: __, ...row } = histogramRow({ ...words, count: 1, sum: 1 });
  const buckets = { PositiveOffset: 0, PositiveBucketCounts: ['1'], NegativeOffset: 0, NegativeBucketCounts: [] };
  return { ...row, Scale: 1, ZeroCount: '0', ...buckets };
}

beforeAll(async () => {
  const many = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`a${String(index).padStart(2, '0')}`, 'x'.repeat(300)]),
  );
  fixture = await openTelemetryFixture({
    otel_traces: [
      spanRow({
        trace: 't',
        span: 'pay',
        parent: 'web',
        service: 'pay',
        name: '/pay',
        atMs: 2,
        durationMs: 6,
        status: 'Error',
        message: 'declined',
        exception: 'CardError',
      }),
      spanRow({
        trace: 't',
        span: 'web',
        service: 'web',
        name: 'GET /',
        atMs: 0,
        durationMs: 10,
        attributes: { ...many, 'http.route': '/' },
        resource: { 'k8s.pod.name': 'web-1', 'service.version': '1.2' },
      }),
      spanRow({ trace: 'long', span: 'job', service: 'job', name: 'nightly', atMs: 0, durationMs: 11 * MINUTE_MS }),
      spanRow({ trace: 'u', span: 'web', service: 'web', name: 'GET /', atMs: 1, durationMs: 1 }),
    ],
    otel_logs: [
      logRow({ service: 'pay', atMs: 5, body: 'card declined', severity: 'ERROR', trace: 't', span: 'pay' }),
      logRow({ service: 'web', atMs: 1, body: 'hello', trace: 't', span: 'web' }),
      logRow({ service: 'web', atMs: 1, body: 'someone else', trace: 'u', span: 'web' }),
      logRow({ service: 'job', atMs: 100, body: 'sampled out', severity: 'WARN', trace: 'unsampled', span: 'x' }),
      logRow({ service: 'job', atMs: 10 * MINUTE_MS, body: 'still at it', trace: 'long', span: 'job' }),
      ...Array.from({ length: 300 }, (_, line) =>
        logRow({
          ...{ service: 'loud', atMs: line, body: `line ${line}`, trace: 'loud' },
          severity: line === 299 ? 'ERROR' : 'INFO',
        }),
      ),
    ],
    otel_metrics_gauge: [
      {
        ...gaugeRow({ service: 'pay', metric: 'queue', atMs: 200, value: 3 }),
        ...exemplars({ trace: 't', span: 'pay', atMs: 4, value: 3 }),
      },
    ],
    otel_metrics_sum: [
      {
        ...sumRow({ service: 'pay', metric: 'charges', atMs: 200, value: 1 }),
        ...exemplars({ trace: 'u', span: 'pay', atMs: 4, value: 1 }),
      },
      {
        ...sumRow({ service: 'pay', metric: 'errors', atMs: 200, value: 1 }),
        ...exemplars({ trace: 't', span: 'pay', atMs: 7, value: 1 }),
      },
    ],
    otel_metrics_histogram: [60_000, 120_000].map((atMs) => ({
      ...histogramRow({
        service: 'web',
        metric: 'latency',
        unit: 'ms',
        atMs,
        count: 2,
        sum: 11,
        attributes: { 'http.route': '/' },
      }),
      ...exemplars({ trace: 't', span: 'web', atMs: 10, value: 10 }, { trace: 'u', span: 'web', atMs: 2, value: 1 }),
    })),
    otel_metrics_exponential_histogram: [
      {
        ...exponentialHistogramRow({ service: 'web', metric: 'size', atMs: 60_000 }),
        ...exemplars({ trace: 't', span: 'web', atMs: 9, value: 512 }),
      },
    ],
  });
});
afterAll(() => fixture?.close());

test('gives the spans as a tree with self times, and the log records', async () => {
  const { output, evidence } = await callTool(fixture, getTrace, { traceId: hexId('t', 32).toUpperCase() });
  expect(output.spans).toMatchObject([
    {
      depth: 0,
      service: 'web',
      operation: 'GET /',
      offsetMs: 0,
      durationMs: 10,
      selfMs: 4,
      status: 'Unset',
      pod: 'web-1',
      version: '1.2',
    },
    {
      depth: 1,
      service: 'pay',
      durationMs: 6,
      selfMs: 6,
      status: 'Error',
      statusMessage: 'declined',
      exception: 'CardError',
    },
  ]);
  const attributes = output.spans[0]?.attributes ?? {};
  expect(Object.keys(attributes)).toHaveLength(8);
  expect(attributes['http.route']).toBe('/');
  expect(attributes['a00']).toHaveLength(121);
  expect(output.spans.map(({ logs }) => logs)).toEqual([
    [{ offsetMs: 1, severity: 'INFO', body: 'hello' }],
    [{ offsetMs: 5, severity: 'ERROR', body: 'card declined' }],
  ]);
  expect(output).toMatchObject({ startMs: T0_MS, totalSpans: 2, totalLogs: 2, logs: [], orphans: 0, truncated: false });
  expect(output.searched).toEqual({ startMs: T0_MS - MINUTE_MS, endMs: T0_MS + 11 + MINUTE_MS });
  expect(evidence.window).toEqual({ startMs: T0_MS, endMs: T0_MS + 10 });
});

test('joins the exemplars of every kind of metric, each told once', async () => {
  const { output, evidence } = await callTool(fixture, getTrace, { traceId: hexId('t', 32) });
  const [web, pay] = [hexId('tweb', 16), hexId('tpay', 16)];
  const latency = { metric: 'latency', unit: 'ms', value: 10, attributes: { 'http.route': '/', 'user.id': 'web' } };
  expect(output.exemplars).toEqual([
    { offsetMs: 4, service: 'pay', metric: 'queue', unit: '', value: 3, spanId: pay, attributes: { 'user.id': 'pay' } },
    {
      offsetMs: 7,
      service: 'pay',
      metric: 'errors',
      unit: '',
      value: 1,
      spanId: pay,
      attributes: { 'user.id': 'pay' },
    },
    {
      offsetMs: 9,
      service: 'web',
      metric: 'size',
      unit: '',
      value: 512,
      spanId: web,
      attributes: { 'user.id': 'web' },
    },
    { offsetMs: 10, service: 'web', spanId: web, ...latency },
  ]);
  expect(output.totalExemplars).toBe(4);
  expect(evidence.queries).toHaveLength(4);
  expect(evidence.summary).toContain('2 spans, 2 log records, 4 exemplars');
});

test('reads on to the end of a long span, and before its time to nobody', async () => {
  const { output } = await callTool(fixture, getTrace, { traceId: hexId('long', 32) });
  expect(output.spans[0]?.logs).toEqual([{ offsetMs: 10 * MINUTE_MS, severity: 'INFO', body: 'still at it' }]);
});

test('finds records of a trace that no span was kept of', async () => {
  const { output } = await callTool(fixture, getTrace, { traceId: hexId('unsampled', 32) });
  expect(output).toMatchObject({ startMs: T0_MS + 100, spans: [], totalSpans: 0, totalLogs: 1 });
  expect(output.logs).toMatchObject([{ offsetMs: 0, service: 'job', body: 'sampled out' }]);
  expect(output.searched).toBeUndefined();
});

test('keeps the errors of many records, and says how many there are', async () => {
  const { output } = await callTool(fixture, getTrace, { traceId: hexId('loud', 32) });
  expect(output).toMatchObject({ totalLogs: 300, truncated: true });
  expect(output.logs.length).toBeLessThan(200);
  expect(output.logs.at(-1)).toMatchObject({ severity: 'ERROR', body: 'line 299' });
});

test('looks only into the window when there is one, and says when there is no such trace', async () => {
  const later = { startMs: T0_MS + 10 * MINUTE_MS, endMs: T0_MS + 11 * MINUTE_MS };
  const elsewhere = await callTool(fixture, getTrace, { traceId: hexId('t', 32), window: later });
  expect(elsewhere.output).toMatchObject({ spans: [], totalSpans: 0, logs: [] });
  const nobody = await callTool(fixture, getTrace, { traceId: hexId('nobody', 32) });
  expect(nobody.output).toMatchObject({ spans: [], totalSpans: 0 });
  expect(await runTool(getTrace, { traceId: 'nonsense' }, fixture.context)).toMatchObject({ ok: false });
});

test('cuts to the limits and says so', async () => {
  const tight = { ...getTrace, limits: { ...getTrace.limits, maxRows: 1 } };
  const { output } = await callTool(fixture, tight, { traceId: hexId('t', 32) });
  expect(output).toMatchObject({ totalSpans: 2, truncated: true });
  expect(output.spans).toHaveLength(1);
});

test('drops attributes before spans, and reads on from an offset', async () => {
  const [whole, small] = await Promise.all(
    [3_500, 160].map((maxTokens) => {
      const tool = { ...getTrace, limits: { ...getTrace.limits, maxTokens } };
      return callTool(fixture, tool, { traceId: hexId('t', 32) });
    }),
  );
  expect(whole?.output.spans.map(({ attributes }) => attributes !== undefined)).toEqual([true, false]);
  expect(small?.output.spans.map(({ attributes }) => attributes !== undefined)).toEqual([false, false]);
  const rest = await callTool(fixture, getTrace, { traceId: hexId('t', 32), offset: 1 });
  expect(rest.output.spans).toMatchObject([{ service: 'pay', depth: 1, offsetMs: 2 }]);
  expect(rest.output.truncated).toBe(false);
});

test('looks around when spans lie in another time than the lookup says', async () => {
  const traceId = hexId('torn', 32);
  const words = { trace: 'torn', service: 'web', durationMs: 1 };
  // Spans from before the lookup was kept: it knows of the child only.
  await fixture.database.command('DROP VIEW otel_traces_trace_id_ts_mv');
  const earlyMs = -30 * MINUTE_MS;
  await fixture.database.insert('otel_traces', [
    spanRow({ ...words, span: 'root', name: 'early', atMs: earlyMs }),
    spanRow({ ...words, span: 'child', parent: 'root', name: 'late', atMs: 0 }),
    spanRow({ ...words, span: 'lost', parent: 'nobody', name: 'orphan', atMs: 0 }),
  ]);
  const at = T0_MS / 1000;
  await fixture.database.insert('otel_traces_trace_id_ts', [{ TraceId: traceId, Start: at, End: at }]);
  const { output, evidence } = await callTool(fixture, getTrace, { traceId });
  expect(output.spans.map(({ operation, depth }) => [operation, depth])).toEqual([
    ['early', 0],
    ['late', 1],
    ['orphan', 0],
  ]);
  expect(output).toMatchObject({ startMs: T0_MS + earlyMs, totalSpans: 3, orphans: 1 });
  expect(evidence.queries).toHaveLength(5);
});

test('falls back to searching where the lookup has no row', async () => {
  await fixture.database.command('TRUNCATE TABLE otel_traces_trace_id_ts');
  const { output } = await callTool(fixture, getTrace, { traceId: hexId('t', 32) });
  expect(output).toMatchObject({ totalSpans: 2, totalLogs: 2 });
});
