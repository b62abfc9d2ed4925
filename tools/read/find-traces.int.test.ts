import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callTool,
  hexId,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { findTraces } from './find-traces.ts';

let fixture: TelemetryFixture;

beforeAll(async () => {
  const trace = (name: string, atMs: number, durationMs: number, failures: number) => [
    spanRow({ trace: name, span: 'root', service: 'web', name: 'GET /', atMs, durationMs }),
    spanRow({
      trace: name,
      span: '1',
      parent: 'root',
      service: 'api',
      name: '/a',
      atMs: atMs + 1,
      durationMs: 1,
      status: failures > 0 ? 'Error' : 'Ok',
    }),
    spanRow({
      trace: name,
      span: '2',
      parent: 'root',
      service: 'api',
      name: '/b',
      atMs: atMs + 2,
      durationMs: 1,
      status: failures > 1 ? 'Error' : 'Ok',
    }),
  ];
  fixture = await openTelemetryFixture({
    otel_traces: [
      ...trace('fast', 1_000, 10, 2),
      ...trace('slow', 2_000, 500, 1),
      ...trace('fine', 3_000, 50, 0),
      ...trace('straddles', MINUTE_MS - 1, 900, 0),
      ...trace('early', -1, 9_000, 2), // its children start inside the window, it does not
      spanRow({ trace: 'other', span: 'root', service: 'cron', name: 'tick', atMs: 4_000, durationMs: 70 }),
    ],
  });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS, endMs: T0_MS + MINUTE_MS };
const ids = (output: { traces: { traceId: string }[] }) => output.traces.map(({ traceId }) => traceId);
const hex = (...names: string[]) => names.map((name) => hexId(name, 32));

test('sorts the traces that start in the window', async () => {
  const { output } = await callTool(fixture, findTraces, { window });
  expect(ids(output)).toEqual(hex('straddles', 'slow', 'other', 'fine', 'fast'));
  expect(output.traces[0]).toEqual({
    traceId: hexId('straddles', 32),
    rootService: 'web',
    rootOperation: 'GET /',
    startMs: T0_MS + MINUTE_MS - 1,
    durationMs: 900,
    spans: 3,
    errors: 0,
    services: ['api', 'web'],
  });
  const newest = await callTool(fixture, findTraces, { window, sort: 'newest', limit: 2 });
  expect(ids(newest.output)).toEqual(hex('straddles', 'other'));
  expect(newest.output).toMatchObject({ totalRows: 5, truncated: true });
});

test('filters by service, operation, errors and duration', async () => {
  const failing = await callTool(fixture, findTraces, { window, errorsOnly: true, sort: 'most-errors' });
  expect(ids(failing.output)).toEqual(hex('fast', 'slow'));
  const through = await callTool(fixture, findTraces, { window, service: 'api', operation: '/b', minDurationMs: 50 });
  expect(ids(through.output)).toEqual(hex('straddles', 'slow', 'fine'));
  const none = await callTool(fixture, findTraces, { window, service: 'web', operation: '/b' });
  expect(none.output).toEqual({ traces: [], totalRows: 0, truncated: false });
});
