import { afterAll, beforeAll, expect, test } from 'vitest';
import { callTool, logRow, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { runTool } from '../tool.ts';
import { countLogs } from './count-logs.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS + 5_000, endMs: T0_MS + 65_000 };

beforeAll(async () => {
  const line = (service: string, atMs: number, severity: 'INFO' | 'ERROR' = 'INFO') =>
    logRow({ service, atMs, severity, body: 'x' });
  fixture = await openTelemetryFixture({
    otel_logs: [
      line('web', 4_999),
      line('web', 5_000),
      line('web', 24_999, 'ERROR'),
      line('web', 64_999),
      line('web', 65_000),
      line('api', 25_000, 'ERROR'),
    ],
  });
});
afterAll(() => fixture?.close());

test('counts lines and error lines by service and step', async () => {
  const { output } = await callTool(fixture, countLogs, { window, stepSeconds: 20 });
  expect(output).toEqual({
    services: [
      {
        service: 'web',
        lines: 3,
        errorLines: 1,
        steps: [
          { atMs: T0_MS + 5_000, lines: 2, errorLines: 1 },
          { atMs: T0_MS + 45_000, lines: 1, errorLines: 0 },
        ],
      },
      { service: 'api', lines: 1, errorLines: 1, steps: [{ atMs: T0_MS + 25_000, lines: 1, errorLines: 1 }] },
    ],
    stepSeconds: 20,
    totalRows: 2,
    truncated: false,
  });
});

test('can be asked for one service, and refuses too many steps', async () => {
  const { output } = await callTool(fixture, countLogs, { window, stepSeconds: 60, service: 'api' });
  expect(output).toMatchObject({ services: [{ service: 'api' }], totalRows: 1 });
  const year = { startMs: T0_MS, endMs: T0_MS + 365 * 86_400_000 };
  expect(await runTool(countLogs, { window: year, stepSeconds: 1 }, fixture.context)).toMatchObject({ ok: false });
});
