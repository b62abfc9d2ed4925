import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callTool,
  hexId,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { runTool } from '../tool.ts';
import { getTrace } from './get-trace.ts';

let fixture: TelemetryFixture;

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
      spanRow({ trace: 'u', span: 'web', service: 'web', name: 'GET /', atMs: 1, durationMs: 1 }),
    ],
    otel_logs: [
      logRow({ service: 'pay', atMs: 5, body: 'card declined', severity: 'ERROR', trace: 't', span: 'pay' }),
      logRow({ service: 'web', atMs: 1, body: 'hello', trace: 't', span: 'web' }),
      logRow({ service: 'web', atMs: 1, body: 'someone else', trace: 'u', span: 'web' }),
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
  expect(output.logs).toEqual([
    { offsetMs: 1, service: 'web', spanId: hexId('tweb', 16), severity: 'INFO', body: 'hello' },
    { offsetMs: 5, service: 'pay', spanId: hexId('tpay', 16), severity: 'ERROR', body: 'card declined' },
  ]);
  expect(output).toMatchObject({ startMs: T0_MS, totalSpans: 2, totalLogs: 2, truncated: false });
  expect(evidence.window).toEqual({ startMs: T0_MS, endMs: T0_MS + 10 });
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

test('falls back to searching where the lookup has no row', async () => {
  await fixture.database.command('TRUNCATE TABLE otel_traces_trace_id_ts');
  const { output } = await callTool(fixture, getTrace, { traceId: hexId('t', 32) });
  expect(output).toMatchObject({ totalSpans: 2, totalLogs: 2 });
});
