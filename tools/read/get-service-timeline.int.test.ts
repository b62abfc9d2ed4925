import { afterAll, beforeAll, expect, test } from 'vitest';
import { callTool, openTelemetryFixture, spanRow, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { runTool } from '../tool.ts';
import { getServiceTimeline } from './get-service-timeline.ts';

let fixture: TelemetryFixture;

beforeAll(async () => {
  const request = (trace: string, service: string, atMs: number, durationMs: number, isError = false) =>
    spanRow({ trace, span: 'in', service, name: 'GET /', atMs, durationMs, status: isError ? 'Error' : 'Unset' });
  fixture = await openTelemetryFixture({
    otel_traces: [
      request('a', 'web', 5_000, 10),
      request('b', 'web', 24_999, 30, true),
      request('c', 'web', 25_000, 50),
      request('d', 'web', 64_999, 70),
      request('e', 'api', 25_000, 5),
      request('f', 'api', 65_000, 5),
      spanRow({
        trace: 'a',
        span: 'x',
        parent: 'in',
        service: 'web',
        name: 'inner',
        kind: 'Internal',
        atMs: 5_001,
        durationMs: 1,
      }),
    ],
  });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS + 5_000, endMs: T0_MS + 65_000 };

test('gives aligned arrays of steps counted from the start of the window, the busiest service first', async () => {
  const { output } = await callTool(fixture, getServiceTimeline, { window, stepSeconds: 20 });
  expect(output).toEqual({
    stepSeconds: 20,
    steps: 3,
    series: [
      { service: 'web', requests: [2, 1, 1], errors: [1, 0, 0], p50Ms: [20, 50, 70], p95Ms: [29, 50, 70] },
      { service: 'api', requests: [0, 1, 0], errors: [0, 0, 0], p50Ms: [null, 5, null], p95Ms: [null, 5, null] },
    ],
    totalServices: 2,
    truncated: false,
  });
});

test('can be asked for one service', async () => {
  const { output } = await callTool(fixture, getServiceTimeline, { window, stepSeconds: 60, service: 'api' });
  expect(output.series).toEqual([{ service: 'api', requests: [1], errors: [0], p50Ms: [5], p95Ms: [5] }]);
});

test('leaves out a service whose steps were cut by the row limit', async () => {
  const tight = { ...getServiceTimeline, limits: { ...getServiceTimeline.limits, maxRows: 3 } };
  const { output } = await callTool(fixture, tight, {
    window: { ...window, endMs: window.endMs + 20_000 },
    stepSeconds: 20,
  });
  expect(output).toMatchObject({ totalServices: 2, truncated: true });
  expect(output.series).toEqual([]);
});

test('refuses more steps than anybody can read', async () => {
  const day = { startMs: T0_MS, endMs: T0_MS + 86_400_000 };
  const outcome = await runTool(getServiceTimeline, { window: day, stepSeconds: 10 }, fixture.context);
  expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid-input' } });
});
