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
import { rankSlowdowns } from './rank-slowdowns.ts';

let fixture: TelemetryFixture;

/** One trace every ten seconds: 62 of normal time, then 10 of trouble from the second candidate onset on. */
const ONSET_MS = 20_000;
const OFFSETS_MS = Array.from({ length: 72 }, (_, index) => -600_000 + index * 10_000);
const WINDOW = { startMs: T0_MS - 10 * MINUTE_MS, endMs: T0_MS + 2 * MINUTE_MS };
const ONSETS = { firstMs: T0_MS, stepSeconds: 20, count: 4 };

/** What the caller waits, what the callee takes, in milliseconds, in normal time and in trouble. */
interface Call {
  readonly callee: string;
  readonly client: readonly [normal: number, trouble: number];
  readonly server: readonly [normal: number, trouble: number];
  /** Calls in a request. */
  readonly times?: readonly [normal: number, trouble: number];
}

const CALLS: Readonly<Record<string, readonly Call[]>> = {
  web: [
    // The way to stock got longer; stock itself did not.
    { callee: 'stock', client: [6, 510], server: [5, 5] },
    // cart got slower by itself; the way to it did not.
    { callee: 'cart', client: [4, 301], server: [3, 300] },
    // mail is called again, each time as fast as ever.
    { callee: 'mail', client: [10, 10], server: [9, 9], times: [1, 2] },
    { callee: 'pay', client: [6, 510], server: [5, 5] },
  ],
  // Reaches pay by another way, which is as short as ever.
  app: [{ callee: 'pay', client: [6, 6], server: [5, 5] }],
};

function requestSpans(atMs: number, index: number): SpanRow[] {
  const state = atMs >= ONSET_MS ? 1 : 0;
  const spans = Object.entries(CALLS).flatMap(([service, calls]) => {
    const trace = `${service}${index}`;
    const root = { trace, span: 'root', service, name: `GET /${service}`, atMs };
    let waitedMs = 0;
    const inner = calls.flatMap(({ callee, client, server, times = [1, 1] }) =>
      Array.from({ length: times[state] }, (_, attempt): SpanWords[] => {
        const [span, startMs] = [`${callee}${attempt}`, atMs + 1 + waitedMs];
        waitedMs += client[state];
        return [
          {
            trace,
            span,
            parent: 'root',
            service,
            name: `call ${callee}`,
            kind: 'Client',
            atMs: startMs,
            durationMs: client[state],
          },
          {
            trace,
            span: `${span}s`,
            parent: span,
            service: callee,
            name: `/${callee}`,
            atMs: startMs,
            durationMs: server[state],
          },
        ];
      }).flat(),
    );
    if (service === 'web') {
      const [durationMs, startMs] = [[2, 400][state] ?? 0, atMs + 1 + waitedMs];
      waitedMs += durationMs;
      const attributes = { 'peer.service': 'sessions', 'db.system': 'redis' };
      inner.push({
        trace,
        span: 'db',
        parent: 'root',
        service,
        name: 'HGET',
        kind: 'Client',
        atMs: startMs,
        durationMs,
        attributes,
      });
    }
    // Two milliseconds of its own, whatever it waits for.
    return [{ ...root, durationMs: waitedMs + 2 }, ...inner];
  });
  // Records no spans of its calls: what it does itself is not the way to whom it calls.
  const batch = { trace: `batch${index}`, span: 'root', service: 'batch', name: 'run', atMs };
  const ledger = { trace: `batch${index}`, span: 'ledger', parent: 'root', service: 'ledger', name: '/ledger', atMs };
  spans.push({ ...batch, durationMs: [10, 310][state] ?? 0 }, { ...ledger, durationMs: 5 });
  // Slow, but seen twice only.
  if (atMs < 0 || (state === 1 && atMs < ONSET_MS + 20_000)) {
    const rare = { trace: `rare${index}`, span: 'root', service: 'rare', name: 'GET /rare', atMs };
    spans.push({ ...rare, durationMs: [2, 900][state] ?? 0 });
  }
  return spans.map(spanRow);
}

beforeAll(async () => {
  const spans = OFFSETS_MS.flatMap(requestSpans);
  // Everything from the first candidate on is delivered twice.
  const again = spans.filter(({ Timestamp }) => Timestamp >= `${T0_MS}000000`);
  fixture = await openTelemetryFixture({ otel_traces: [...spans, ...again] });
});

afterAll(() => fixture.close());

/** The upper quartile as the tool knows it: to a bucket of about six per cent. */
const about = (ms: number) => expect.closeTo(Math.exp(Math.round(Math.log(ms) * 16) / 16), 2);

/** How sure it is that all of `window` calls are slow where none of 62 was, by how much slower they are. */
function strengthOf(window: number, normal: number, slowMs: number, normalMs: number): number {
  const [a, b] = [(window + 0.5) / (window + 1), 0.5 / (normal + 1)];
  const sure = a - b - 1.64 * Math.sqrt((a * (1 - a)) / (window + 1) + (b * (1 - b)) / (normal + 1));
  const bucket = (ms: number) => Math.round(Math.log(ms) * 16) / 16;
  return sure * Math.min(1, (bucket(slowMs) - bucket(normalMs)) / Math.LN10 / 2.5);
}

test('lost time is blamed on the way, the callee or the peer that lost it, and on no caller', async () => {
  const { output } = await callTool(fixture, rankSlowdowns, { window: WINDOW, onsets: ONSETS });
  const slow = { onsetMs: T0_MS + ONSET_MS, slowShare: 1, normalSlowShare: 0, windowCalls: 10 };
  expect(output.slowdowns).toEqual([
    {
      ...slow,
      kind: 'edge',
      service: 'stock',
      subject: 'web',
      strength: expect.closeTo(strengthOf(10, 62, 504, 1), 6),
      normalMedianMs: 1,
      windowUpperQuartileMs: about(505),
    },
    {
      ...slow,
      kind: 'peer',
      service: 'sessions',
      subject: 'web',
      strength: expect.closeTo(strengthOf(10, 62, 400, 2), 6),
      normalMedianMs: about(2),
      windowUpperQuartileMs: about(400),
    },
    {
      ...slow,
      kind: 'self',
      service: 'cart',
      subject: '/cart',
      strength: expect.closeTo(strengthOf(10, 62, 300, 3), 6),
      normalMedianMs: about(3),
      windowUpperQuartileMs: about(300),
    },
    {
      ...slow,
      kind: 'self',
      service: 'batch',
      subject: 'run',
      strength: expect.closeTo(strengthOf(10, 62, 310, 10), 6),
      normalMedianMs: about(10),
      windowUpperQuartileMs: about(310),
    },
    {
      // Half of its callers reach it as ever: it is the way from web, not pay.
      ...slow,
      kind: 'edge',
      service: 'pay',
      subject: 'web',
      strength: expect.closeTo(strengthOf(10, 62, 504, 1) / 2, 6),
      normalMedianMs: 1,
      windowUpperQuartileMs: about(505),
    },
  ]);
  expect(output).toMatchObject({ totalRows: 5, truncated: false });
});

test('no candidate onset after the trouble began is better than the true one, nor one before it', async () => {
  const early = { ...ONSETS, firstMs: T0_MS - 40_000, count: 6 };
  const { output } = await callTool(fixture, rankSlowdowns, { window: WINDOW, onsets: early });
  const onsets = output.slowdowns.flatMap(({ service, onsetMs }) => (service === 'rare' ? [] : [onsetMs]));
  expect(onsets).toEqual(Array.from({ length: 5 }, () => T0_MS + ONSET_MS));
});

test('a window without telemetry has no slowdowns, and evidence of it', async () => {
  const window = { startMs: T0_MS - 20 * MINUTE_MS, endMs: T0_MS - 15 * MINUTE_MS };
  const onsets = { firstMs: window.startMs + MINUTE_MS, stepSeconds: 20, count: 3 };
  const { output, evidence } = await callTool(fixture, rankSlowdowns, { window, onsets });
  expect(output).toEqual({ slowdowns: [], totalRows: 0, truncated: false });
  expect(evidence.queries).toMatchObject([{ rowCount: 0 }]);
});
