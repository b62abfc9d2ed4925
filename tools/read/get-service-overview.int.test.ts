import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callTool,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { getServiceOverview } from './get-service-overview.ts';

let fixture: TelemetryFixture;

beforeAll(async () => {
  const web = (span: string, durationMs: number, atMs: number, pod: string, version: string) =>
    spanRow({
      trace: span,
      span: 'in',
      service: 'web',
      name: 'GET /',
      atMs,
      durationMs,
      resource: { 'k8s.pod.name': pod, 'service.version': version },
    });
  fixture = await openTelemetryFixture({
    otel_traces: [
      web('a', 10, 0, 'web-1', '1.0'),
      web('b', 20, 1_000, 'web-1', '1.0'),
      web('c', 30, MINUTE_MS, 'web-2', '1.1'),
      { ...web('d', 40, MINUTE_MS + 1, 'web-2', '1.1'), StatusCode: 'Error' },
      web('late', 9_999, 10 * MINUTE_MS, 'web-3', '2.0'),
      spanRow({
        trace: 'a',
        span: 'out',
        parent: 'in',
        service: 'web',
        name: 'send',
        kind: 'Producer',
        atMs: 1,
        durationMs: 1,
      }),
      spanRow({
        trace: 'a',
        span: 'job',
        parent: 'out',
        service: 'worker',
        name: 'receive',
        kind: 'Consumer',
        atMs: 5,
        durationMs: 7,
      }),
      spanRow({ trace: 'lone', span: 'c', service: 'cron', name: 'call', kind: 'Client', atMs: 5, durationMs: 7 }),
      // A source that records no kinds: what comes from another service is a request, what stays inside is not.
      spanRow({ trace: 'k', span: '1', service: 'old', name: '/x', kind: 'Unspecified', atMs: 0, durationMs: 5 }),
      spanRow({
        trace: 'k',
        span: '2',
        parent: '1',
        service: 'old',
        name: 'inner',
        kind: 'Unspecified',
        atMs: 1,
        durationMs: 4,
      }),
      spanRow({
        trace: 'k',
        span: '3',
        parent: '2',
        service: 'older',
        name: '/y',
        kind: 'Unspecified',
        atMs: 2,
        durationMs: 2,
      }),
    ],
  });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS, endMs: T0_MS + 10 * MINUTE_MS };

test('counts entry spans, their errors and durations, pods and versions; rates by observed minutes', async () => {
  const { output } = await callTool(fixture, getServiceOverview, { window });
  expect(output.services[0]).toEqual({
    service: 'web',
    requests: 4,
    requestsPerSecond: 0.0333, // 4 in the two minutes that have spans
    errors: 1,
    errorRatio: 0.25,
    p50Ms: 25,
    p95Ms: 38.5,
    p99Ms: 39.7,
    spans: 5,
    pods: 2,
    versions: ['1.0', '1.1'],
  });
  expect(output).toMatchObject({ totalRows: 5, truncated: false });
});

test('knows entries of consumers and of sources without span kinds, and that a lone client call is none', async () => {
  const { output } = await callTool(fixture, getServiceOverview, { window });
  const requests = Object.fromEntries(output.services.map((row) => [row.service, row.requests]));
  expect(requests).toEqual({ web: 4, worker: 1, cron: 0, old: 1, older: 1 });
  expect(output.services.find(({ service }) => service === 'cron')).toMatchObject({
    errorRatio: null,
    p50Ms: null,
    spans: 1,
  });
});

test('gives an empty list where there is nothing', async () => {
  const { output } = await callTool(fixture, getServiceOverview, {
    window: { startMs: T0_MS - 5_000, endMs: T0_MS - 1_000 },
  });
  expect(output).toEqual({ services: [], totalRows: 0, truncated: false });
});
