import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callTool,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { gaugeRow, sumRow } from '../metric-rows.contract.ts';
import { getCoverage } from './get-coverage.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS, endMs: T0_MS + 10.5 * MINUTE_MS };

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    otel_logs: [0, 1, 2, 5, 10].map((minute) =>
      logRow({ service: 'web', atMs: minute * MINUTE_MS + 1_000, body: 'x' }),
    ),
    otel_metrics_gauge: [gaugeRow({ service: 'web', metric: 'cpu', atMs: 0, value: 1 })],
    otel_metrics_sum: [
      sumRow({ service: 'web', metric: 'requests', atMs: MINUTE_MS, value: 1 }),
      sumRow({ service: 'api', metric: 'requests', atMs: 3 * MINUTE_MS, value: 1 }),
    ],
    otel_traces: [spanRow({ trace: 'a', span: 'b', service: 'web', name: 'x', atMs: -1, durationMs: 1 })],
  });
});
afterAll(() => fixture?.close());

test('merges observed steps into ranges for each signal, names what is missing, and counts by service', async () => {
  const at = (minute: number) => T0_MS + minute * MINUTE_MS;
  const { output } = await callTool(fixture, getCoverage, { window, stepSeconds: 60 });
  expect(output).toEqual({
    steps: 11,
    signals: [
      {
        signal: 'logs',
        observedSteps: 5,
        firstMs: at(0) + 1_000,
        lastMs: at(10) + 1_000,
        telemetryRows: 5,
        services: 1,
        observedRanges: [
          { startMs: at(0), endMs: at(3) },
          { startMs: at(5), endMs: at(6) },
          { startMs: at(10), endMs: at(10.5) },
        ],
      },
      {
        signal: 'metrics',
        observedSteps: 3,
        firstMs: at(0),
        lastMs: at(3),
        telemetryRows: 3,
        services: 2,
        observedRanges: [
          { startMs: at(0), endMs: at(2) },
          { startMs: at(3), endMs: at(4) },
        ],
      },
    ],
    unobserved: ['traces'],
    services: [
      {
        signal: 'logs',
        service: 'web',
        observedSteps: 5,
        firstMs: at(0) + 1_000,
        lastMs: at(10) + 1_000,
        telemetryRows: 5,
      },
      { signal: 'metrics', service: 'web', observedSteps: 2, firstMs: at(0), lastMs: at(1), telemetryRows: 2 },
      { signal: 'metrics', service: 'api', observedSteps: 1, firstMs: at(3), lastMs: at(3), telemetryRows: 1 },
    ],
    totalRows: 3,
    truncated: false,
  });
});

test('says that nothing was observed where there is nothing', async () => {
  const empty = { startMs: T0_MS + 86_400_000, endMs: T0_MS + 86_500_000 };
  const { output } = await callTool(fixture, getCoverage, { window: empty, stepSeconds: 60 });
  expect(output).toMatchObject({ signals: [], unobserved: ['metrics', 'logs', 'traces'], services: [], totalRows: 0 });
});
