import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callTool,
  hexId,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { searchLogs } from './search-logs.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS, endMs: T0_MS + 10 * MINUTE_MS };

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    otel_logs: [
      logRow({ service: 'shop', atMs: -1, body: 'too early' }),
      logRow({
        service: 'shop',
        atMs: 1_000,
        body: "It's 100% broken; DROP TABLE otel_logs",
        severity: 'ERROR',
        trace: 't1',
        span: 's1',
      }),
      logRow({ service: 'shop', atMs: 2_000, body: 'order 17 placed', resource: { 'k8s.pod.name': 'shop-a' } }),
      {
        ...logRow({ service: 'shop', atMs: 3_000, body: 'order 18 placed' }),
        SeverityNumber: 0,
        SeverityText: 'warning',
      },
      logRow({ service: 'cart', atMs: 4_000, body: `ÜBERLAUF ${'x'.repeat(2_000)}`, severity: 'WARN' }),
      logRow({ service: 'cart', atMs: 10 * MINUTE_MS, body: 'too late' }),
    ],
  });
});
afterAll(() => fixture?.close());

const search = async (input: object) => (await callTool(fixture, searchLogs, { window, ...input })).output;
const seconds = (output: { lines: { atMs: number }[] }) => output.lines.map(({ atMs }) => (atMs - T0_MS) / 1_000);

test('gives the lines of the window, newest or oldest first', async () => {
  expect(seconds(await search({}))).toEqual([4, 3, 2, 1]);
  const oldest = await search({ newestFirst: false, limit: 2 });
  expect(oldest).toMatchObject({ totalRows: 4, truncated: true });
  expect(oldest.lines).toEqual([
    {
      atMs: T0_MS + 1_000,
      service: 'shop',
      pod: '',
      severityNumber: 17,
      severityText: 'ERROR',
      body: "It's 100% broken; DROP TABLE otel_logs",
      traceId: hexId('t1', 32),
      spanId: hexId('t1s1', 16),
    },
    expect.objectContaining({ body: 'order 17 placed', pod: 'shop-a' }),
  ]);
});

test('finds text in any case and takes it literally', async () => {
  expect(seconds(await search({ text: 'ORDER 1' }))).toEqual([3, 2]);
  expect(seconds(await search({ text: 'überlauf' }))).toEqual([4]);
  expect(seconds(await search({ text: "it's 100% B" }))).toEqual([1]);
  expect(seconds(await search({ text: '%' }))).toEqual([1]);
  expect(seconds(await search({ text: "' OR 1 = 1 --" }))).toEqual([]);
});

test('filters by service, severity (by its text where there is no number), trace and template', async () => {
  expect(seconds(await search({ service: 'cart' }))).toEqual([4]);
  expect(seconds(await search({ minSeverity: 'warn' }))).toEqual([4, 3, 1]);
  expect(seconds(await search({ traceId: hexId('t1', 32) }))).toEqual([1]);
  expect(seconds(await search({ template: 'order <*> placed', service: 'shop' }))).toEqual([3, 2]);
});

test('bounds the body', async () => {
  const { lines } = await search({ service: 'cart' });
  expect(lines[0]?.body).toHaveLength(1_000);
});
