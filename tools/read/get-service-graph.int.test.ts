import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SpanRow } from '../../clickhouse/telemetry-rows.ts';
import {
  callTool,
  MINUTE_MS,
  openTelemetryFixture,
  type SpanWords,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { getServiceGraph } from './get-service-graph.ts';

let fixture: TelemetryFixture;
const NORMAL_MS = -60 * MINUTE_MS;

/** A web request that calls api; api reads its database through a repository span. */
function request(
  trace: string,
  atMs: number,
  clientMs: number,
  serverMs: number,
  more: Partial<SpanWords> = {},
): SpanRow[] {
  const sql = { 'db.system': 'postgresql', 'db.name': 'orders' };
  return [
    spanRow({ trace, span: 'web', service: 'web', name: 'GET /', atMs, durationMs: clientMs + 5 }),
    spanRow({
      trace,
      span: 'call',
      parent: 'web',
      service: 'web',
      name: 'GET',
      kind: 'Client',
      atMs,
      durationMs: clientMs,
    }),
    spanRow({
      trace,
      span: 'api',
      parent: 'call',
      service: 'api',
      name: '/orders',
      atMs,
      durationMs: serverMs,
      ...more,
    }),
    spanRow({
      trace,
      span: 'repo',
      parent: 'api',
      service: 'api',
      name: 'find',
      kind: 'Client',
      atMs,
      durationMs: 3,
      attributes: sql,
    }),
    spanRow({
      trace,
      span: 'sql',
      parent: 'repo',
      service: 'api',
      name: 'SELECT',
      kind: 'Client',
      atMs,
      durationMs: 2,
      attributes: sql,
    }),
  ];
}

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    otel_traces: [
      ...request('n1', NORMAL_MS, 12, 10),
      ...request('n2', NORMAL_MS + 1_000, 12, 10),
      ...request('w1', 0, 50, 10),
      ...request('w2', 1_000, 60, 20, { status: 'Error' }),
      // A retry in the same trace, refused before it reached api: nothing answers it.
      spanRow({
        trace: 'w2',
        span: 'retry',
        parent: 'web',
        service: 'web',
        name: 'GET',
        kind: 'Client',
        atMs: 1_100,
        durationMs: 1,
        status: 'Error',
        attributes: { 'server.address': 'api.shop.svc.cluster.local' },
      }),
      spanRow({
        trace: 'w1',
        span: 'send',
        parent: 'web',
        service: 'web',
        name: 'send',
        kind: 'Producer',
        atMs: 10,
        durationMs: 1,
        attributes: { 'messaging.system': 'kafka' },
      }),
      spanRow({
        trace: 'w1',
        span: 'job',
        parent: 'send',
        service: 'worker',
        name: 'on',
        kind: 'Consumer',
        atMs: 9_000,
        durationMs: 40,
      }),
      // Without kinds: a parent with one child is the caller's side, a parent of two is not.
      spanRow({ trace: 'k', span: 'p', service: 'old', name: 'POST', kind: 'Unspecified', atMs: 0, durationMs: 9 }),
      spanRow({
        trace: 'k',
        span: 'q',
        parent: 'p',
        service: 'older',
        name: '/a',
        kind: 'Unspecified',
        atMs: 1,
        durationMs: 6,
      }),
      spanRow({
        trace: 'k',
        span: 'r',
        parent: 'q',
        service: 'oldest',
        name: '/b',
        kind: 'Unspecified',
        atMs: 2,
        durationMs: 1,
      }),
      spanRow({
        trace: 'k',
        span: 's',
        parent: 'q',
        service: 'oldest',
        name: '/b',
        kind: 'Unspecified',
        atMs: 3,
        durationMs: 1,
      }),
    ],
  });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS, endMs: T0_MS + 5 * MINUTE_MS };
const baseline = { startMs: T0_MS + NORMAL_MS, endMs: T0_MS + NORMAL_MS + 5 * MINUTE_MS };

async function edge(caller: string, callee: string) {
  const { output } = await callTool(fixture, getServiceGraph, { window, baseline });
  return output.edges.filter((row) => row.caller === caller && row.callee === callee);
}

test('measures both sides of a call and the gap between them, in the window and the baseline', async () => {
  const [call, unanswered] = await edge('web', 'api');
  expect(call).toEqual({
    caller: 'web',
    callee: 'api',
    kind: 'call',
    window: {
      calls: 2,
      callsPerMinute: 2,
      callsPerTrace: 1,
      errors: 1,
      clientErrors: 0,
      clientP50Ms: 55,
      clientP95Ms: 59.5,
      serverP50Ms: 15,
      serverP95Ms: 19.5,
      gapP50Ms: 40,
      gapP95Ms: 40,
    },
    baseline: {
      calls: 2,
      callsPerMinute: 2,
      callsPerTrace: 1,
      errors: 0,
      clientErrors: 0,
      clientP50Ms: 12,
      clientP95Ms: 12,
      serverP50Ms: 10,
      serverP95Ms: 10,
      gapP50Ms: 2,
      gapP95Ms: 2,
    },
    // The gap grew most, |40 - 2| / 43; two calls are trusted little: 2 / 22.
    changeScore: 0.0803,
  });
  expect(unanswered).toMatchObject({ kind: 'unanswered', window: { calls: 1, clientErrors: 1, serverP50Ms: null } });
});

test('names the external peer once where driver spans nest', async () => {
  const [database] = await edge('api', 'postgresql/orders');
  expect(database).toMatchObject({
    kind: 'external',
    window: { calls: 2, clientP50Ms: 2, gapP50Ms: null },
    baseline: { calls: 2 },
  });
});

test('knows messages, whose two sides have no gap', async () => {
  const [message] = await edge('web', 'worker');
  expect(message).toMatchObject({
    kind: 'message',
    window: { calls: 1, clientP50Ms: null, serverP50Ms: 40, gapP50Ms: null },
  });
});

test('takes the caller side of sources without kinds only from a parent of one child', async () => {
  expect(await edge('old', 'older')).toMatchObject([
    { kind: 'call', window: { clientP50Ms: 9, serverP50Ms: 6, gapP50Ms: 3 } },
  ]);
  expect(await edge('older', 'oldest')).toMatchObject([
    { window: { calls: 2, callsPerTrace: 2, clientP50Ms: null, serverP50Ms: 1, gapP50Ms: null } },
  ]);
});

test('narrows to the edges of one service, the most changed first', async () => {
  const { output } = await callTool(fixture, getServiceGraph, { window, baseline, service: 'api' });
  expect(output.edges.map(({ caller, callee, kind }) => `${caller} ${callee} ${kind}`)).toEqual([
    'web api call',
    'web api unanswered',
    'api postgresql/orders external',
  ]);
});

test('leaves the baseline out when none was asked for', async () => {
  const { output } = await callTool(fixture, getServiceGraph, { window });
  expect(output.totalRows).toBe(6);
  expect(output.edges.every((row) => row.baseline === undefined)).toBe(true);
});
