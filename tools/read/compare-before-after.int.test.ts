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
import { compareBeforeAfter } from './compare-before-after.ts';

let fixture: TelemetryFixture;

/** Twenty requests on either side of minute 20; `failing` of them fail afterwards. */
function requests(service: string, failing: number, slowerMs: number) {
  return Array.from({ length: 40 }, (_, minute) => {
    const isAfter = minute >= 20;
    return spanRow({
      trace: `${service}${minute}`,
      span: 's',
      service,
      name: 'GET /',
      atMs: minute * MINUTE_MS,
      durationMs: 10 + (isAfter ? slowerMs : 0),
      ...(isAfter && minute - 20 < failing ? { status: 'Error' as const } : {}),
    });
  });
}

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    // Everybody became slower at the same time; only one fails.
    otel_traces: [...requests('cart', 10, 30), ...requests('pay', 0, 30), ...requests('web', 0, 30)],
    otel_logs: [
      ...Array.from({ length: 40 }, (_, minute) =>
        logRow({ service: 'cart', atMs: minute * MINUTE_MS, body: 'served' }),
      ),
      ...Array.from({ length: 20 }, (_, minute) =>
        logRow({ service: 'cart', atMs: (20 + minute) * MINUTE_MS, severity: 'ERROR', body: 'no price' }),
      ),
    ],
  });
});

afterAll(() => fixture.close());

const question = { atMs: T0_MS + 20 * MINUTE_MS, beforeSeconds: 1_200, afterSeconds: 1_200 };

test('what only the changed service shows is its effect', async () => {
  const { output } = await callTool(fixture, compareBeforeAfter, { ...question, service: 'cart' });
  expect(output.errorRatio).toEqual({ before: 0, after: 0.5, peersBefore: 0, peersAfter: 0 });
  expect(output.p95Ms).toEqual({ before: 10, after: 40, peersBefore: 10, peersAfter: 40 });
  expect(output.newWarnings).toEqual({ own: 1, peers: 0 });
  expect(output.effect).toBe(1);
});

test('what its peers show as well is not', async () => {
  const { output } = await callTool(fixture, compareBeforeAfter, { ...question, service: 'pay', changed: ['cart'] });
  expect(output.p95Ms).toEqual({ before: 10, after: 40, peersBefore: 10, peersAfter: 40 });
  expect(output.effect).toBe(0);
});

test('of a service that was never heard nothing is said', async () => {
  const { output } = await callTool(fixture, compareBeforeAfter, { ...question, service: 'ghost' });
  expect(output).toMatchObject({ effect: null, errorRatio: null, p95Ms: null });
});
