import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SpanRow } from '../../clickhouse/telemetry-rows.ts';
import {
  callTool,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { rankTrafficSurges } from './rank-traffic-surges.ts';

let fixture: TelemetryFixture;
const WINDOW = { startMs: T0_MS - 15 * MINUTE_MS, endMs: T0_MS + 4 * MINUTE_MS };
const ONSETS = { firstMs: T0_MS, stepSeconds: 20, count: 10 };

/** Requests in each minute from -15 to 3, by service. */
const COURSES: Readonly<Record<string, (minute: number) => number>> = {
  door: (minute) => (minute >= 1 ? 240 : 40 + (Math.abs(minute) % 3)),
  steady: (minute) => 50 + (Math.abs(minute) % 5),
  rare: (minute) => (minute >= 1 ? 12 : 1),
  // Called by door, however often: that is no traffic from outside.
  inner: (minute) => (minute >= 1 ? 240 : 40),
};

beforeAll(async () => {
  const spans: SpanRow[] = [];
  for (const [service, course] of Object.entries(COURSES)) {
    for (let minute = -15; minute < 4; minute++) {
      for (let index = 0; index < course(minute); index++) {
        const words = { trace: `${service}${minute}.${index}`, span: 's', service, name: 'GET /', durationMs: 1 };
        const atMs = minute * MINUTE_MS + Math.floor((index * MINUTE_MS) / course(minute));
        spans.push(spanRow({ ...words, atMs, ...(service === 'inner' ? { parent: 'door' } : {}) }));
      }
    }
  }
  fixture = await openTelemetryFixture({ otel_traces: spans });
});
afterAll(() => fixture?.close());

test('names who got more from outside than in any normal minute, and since when', async () => {
  const { output } = await callTool(fixture, rankTrafficSurges, { window: WINDOW, onsets: ONSETS });
  expect(output.surges).toEqual([
    {
      service: 'door',
      strength: 1,
      onsetMs: T0_MS + MINUTE_MS,
      normalMedian: 41,
      normalHigh: 42,
      windowMedian: 240,
    },
  ]);
});

test('without a past nothing is a surge', async () => {
  const onsets = { firstMs: T0_MS - 10 * MINUTE_MS, stepSeconds: 60, count: 12 };
  const { output } = await callTool(fixture, rankTrafficSurges, { window: WINDOW, onsets });
  expect(output.surges).toEqual([]);
});
