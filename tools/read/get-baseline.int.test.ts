import { afterAll, beforeAll, expect, test } from 'vitest';
import { refreshBaselines } from '../../clickhouse/refresh-baselines.ts';
import { callTool, MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { gaugeRow } from '../metric-rows.contract.ts';
import { runTool } from '../tool.ts';
import { getBaseline } from './get-baseline.ts';

const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
let fixture: TelemetryFixture;

beforeAll(async () => {
  // Before a Wednesday: Tuesday, Monday and the Thursday before count, the Sunday does not. Of memory there is the last hour.
  const atMs = [-1, -2, -3, -6].flatMap((day) =>
    Array.from({ length: 60 }, (_, minute) => day * DAY_MS + minute * MINUTE_MS),
  );
  const point = (metric: string, at: number, value: number) =>
    gaugeRow({ service: 'cart', pod: 'cart-a', metric, atMs: at, value });
  fixture = await openTelemetryFixture({
    otel_metrics_gauge: [
      ...atMs.map((at) => point('cpu', at, 50 + ((at / MINUTE_MS) & 1))),
      ...Array.from({ length: 60 }, (_, minute) => point('memory', -HOUR_MS + minute * MINUTE_MS, 7)),
      point('cpu', 5 * MINUTE_MS, 52),
    ],
  });
  await refreshBaselines(fixture.database, { nowMs: T0_MS + 10 * MINUTE_MS, maxHours: 100 });
});
afterAll(() => fixture?.close());

test('says what to expect in a minute, from what, and what was observed', async () => {
  const { output, evidence } = await callTool(fixture, getBaseline, { service: 'cart', atMs: T0_MS + 5 * MINUTE_MS });
  const expectation = { expected: 50.5, low: 50, high: 51, reachedLow: 50, reachedHigh: 51 };
  expect(output).toMatchObject({ totalRows: 2, truncated: false });
  expect(output.baselines).toMatchObject([
    { kind: 'metric', name: 'cpu', basis: 'hour-of-day', times: 3, ...expectation, observed: 52 },
    { kind: 'metric', name: 'memory', basis: 'recent', times: 1, expected: 7, reachedHigh: null, observed: null },
  ]);
  expect(await fixture.rerun(evidence)).toEqual(evidence.queries.map(({ digest }) => digest));
});

test('can be asked about a coming minute, of one name, and knows nothing of others', async () => {
  const tomorrow = { service: 'cart', atMs: T0_MS + DAY_MS, kind: 'metric', name: 'cpu' } as const;
  const { output } = await callTool(fixture, getBaseline, tomorrow);
  expect(output.baselines).toMatchObject([{ name: 'cpu', basis: 'hour-of-day', times: 3, observed: null }]);
  expect((await callTool(fixture, getBaseline, { service: 'web', atMs: T0_MS })).output.baselines).toEqual([]);
  expect(await runTool(getBaseline, { service: 'cart', atMs: -1 }, fixture.context)).toMatchObject({ ok: false });
});
