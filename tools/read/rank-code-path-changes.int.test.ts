import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogRow, SpanRow } from '../../clickhouse/telemetry-rows.ts';
import {
  callTool,
  type LogWords,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  type SpanWords,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { rankCodePathChanges } from './rank-code-path-changes.ts';

let fixture: TelemetryFixture;

/** One trace every ten seconds: 62 of normal time, then 10 of trouble from the second candidate onset on. */
const ONSET_MS = 20_000;
const OFFSETS_MS = Array.from({ length: 72 }, (_, index) => -600_000 + index * 10_000);
const isTrouble = (atMs: number) => atMs >= ONSET_MS;
const WINDOW = { startMs: T0_MS - 10 * MINUTE_MS, endMs: T0_MS + 2 * MINUTE_MS };
const ONSETS = { firstMs: T0_MS, stepSeconds: 20, count: 4 };

type Lines = readonly (readonly [severity: NonNullable<LogWords['severity']>, body: string])[];

/** What each service logs in a request. `number` varies, as ids do. */
const LINES: Readonly<Record<string, (atMs: number, number: number) => Lines>> = {
  // Ceases to store what it received.
  order: (atMs, number) => [
    ['INFO', `received order ${number}`],
    ...(isTrouble(atMs) ? [] : ([['INFO', `stored order ${number}`]] as const)),
  ],
  // Begins to fail.
  pay: (atMs) => (isTrouble(atMs) ? [['ERROR', 'card refused by issuer']] : [['INFO', 'card charged']]),
  // Fails in one of ten requests whatever happens, and then does not save; in trouble it never saves.
  cart: (atMs, number) =>
    isTrouble(atMs) ? [] : number % 10 === 0 ? [['ERROR', 'cart is locked']] : [['INFO', 'cart saved']],
  // Fails in seven of ten requests in normal time. Recovers.
  mail: (atMs, number) =>
    !isTrouble(atMs) && number % 10 < 7 ? [['ERROR', 'smtp server refused']] : [['INFO', 'sent at once']],
  // The same, but what got worse is not the errors.
  feed: (atMs, number) => [
    ...(number % 10 < 7 ? ([['ERROR', 'no subscriber']] as const) : []),
    ...(isTrouble(atMs) ? [] : ([['INFO', 'feed delivered']] as const)),
  ],
};

function requestSpans(atMs: number, index: number): SpanRow[] {
  const trace = `t${index}`;
  const words: SpanWords[] = [...Object.keys(LINES), 'auth', 'risk', 'ship'].map((service) => ({
    trace,
    span: service,
    service,
    name: `POST /${service}`,
    atMs,
    durationMs: 5,
  }));
  // Saves another way, from the onset on.
  words.push({ trace, span: 'stock', service: 'stock', name: 'GET /stock', atMs, durationMs: 5 });
  const inner = {
    trace,
    span: 'inner',
    parent: 'stock',
    service: 'stock',
    kind: 'Internal',
    atMs,
    durationMs: 1,
  } as const;
  words.push({ ...inner, name: isTrouble(atMs) ? 'rebuild index' : 'read index' });
  // Skips what it did, but two requests in the window are too few to say anything.
  if (atMs < 0 || (atMs >= ONSET_MS && atMs < ONSET_MS + 20_000)) {
    const rare = { trace, service: 'rare', atMs, durationMs: 1 };
    words.push({ ...rare, span: 'rare', name: 'GET /rare' });
    if (atMs < 0) words.push({ ...rare, span: 'rarer', parent: 'rare', name: 'look twice', kind: 'Internal' });
  }
  return words.map(spanRow);
}

/** SDKs write severities as they like: by number alone, by text alone, by names of their own. */
function oddSeverities(atMs: number, trace: string): LogRow[] {
  if (!isTrouble(atMs)) return [];
  const row = (service: string, body: string, SeverityText: string, SeverityNumber: number) => ({
    ...logRow({ service, atMs, body, trace, span: service }),
    SeverityText,
    SeverityNumber,
  });
  return [
    row('auth', 'key store is sealed', '', 17),
    row('risk', 'model is missing', 'CRITICAL', 21),
    row('ship', 'carrier hung up', 'Error', 0),
  ];
}

function requestLogs(atMs: number, index: number): LogRow[] {
  const odd = oddSeverities(atMs, `t${index}`);
  const usual = Object.entries(LINES).flatMap(([service, lines]) =>
    lines(atMs, index).map(([severity, body]) =>
      logRow({ service, atMs, body, severity, trace: `t${index}`, span: service }),
    ),
  );
  return [...usual, ...odd];
}

beforeAll(async () => {
  const spans = OFFSETS_MS.flatMap(requestSpans);
  const logs = OFFSETS_MS.flatMap(requestLogs);
  const again = <Row extends { Timestamp: string }>(rows: readonly Row[]) =>
    rows.filter(({ Timestamp }) => Timestamp >= `${T0_MS}000000`);
  // Everything from the first candidate on is delivered twice.
  fixture = await openTelemetryFixture({
    otel_traces: [...spans, ...again(spans)],
    otel_logs: [...logs, ...again(logs)],
  });
});

afterAll(() => fixture.close());

/** Agresti-Caffo bound, written out for all of `normal` against none of `window` (or the other way round). */
function allAgainstNone(all: number, none: number): number {
  const a = (all + 0.5) / (all + 1);
  const b = 0.5 / (none + 1);
  return a - b - 1.64 * Math.sqrt((a * (1 - a)) / (all + 1) + (b * (1 - b)) / (none + 1));
}

describe('log lines', () => {
  async function changes() {
    const { output } = await callTool(fixture, rankCodePathChanges, {
      window: WINDOW,
      onsets: ONSETS,
      elements: 'log lines',
    });
    return new Map(output.services.map((change) => [change.service, change]));
  }

  test('a line that vanished is named by its template, with the onset at the right candidate', async () => {
    expect((await changes()).get('order')).toEqual({
      service: 'order',
      operation: 'POST /order',
      element: 'log INFO stored order <*>',
      change: 'vanished',
      onsetMs: T0_MS + ONSET_MS,
      strength: expect.closeTo(allAgainstNone(62, 10), 9),
      windowWith: 0,
      windowUnits: 10,
      normalWith: 62,
      normalUnits: 62,
    });
  });

  test('an error that appeared counts once for each request, however often it was delivered', async () => {
    expect((await changes()).get('pay')).toMatchObject({
      element: 'log ERROR card refused by issuer',
      change: 'appeared',
      onsetMs: T0_MS + ONSET_MS,
      strength: expect.closeTo(allAgainstNone(10, 62), 9),
      windowWith: 10,
      windowUnits: 10,
      normalWith: 0,
      normalUnits: 62,
    });
  });

  test('an error is one by its number or its text, however its source writes severities', async () => {
    const found = await changes();
    expect(found.get('auth')).toMatchObject({ element: 'log ERROR key store is sealed', change: 'appeared' });
    expect(found.get('risk')).toMatchObject({ element: 'log FATAL model is missing', change: 'appeared' });
    expect(found.get('ship')).toMatchObject({ element: 'log ERROR carrier hung up', change: 'appeared' });
  });

  test('requests that failed in normal time do not say what belongs to a request', async () => {
    // 0, 10 .. 60 of the 62 normal requests failed: 55 clean ones, all of which saved.
    expect((await changes()).get('cart')).toMatchObject({
      element: 'log INFO cart saved',
      change: 'vanished',
      strength: expect.closeTo(allAgainstNone(55, 10), 9),
      normalWith: 55,
      normalUnits: 55,
    });
  });

  test('where errors are normal, recovery is no change, and a lost line is measured against all requests', async () => {
    const found = await changes();
    expect(found.has('mail')).toBe(false);
    expect(found.get('feed')).toMatchObject({
      element: 'log INFO feed delivered',
      change: 'vanished',
      normalWith: 62,
      normalUnits: 62,
    });
  });
});

describe('operations', () => {
  test('of several changes in the same requests the surest one stands for the service', async () => {
    const { output } = await callTool(fixture, rankCodePathChanges, {
      window: WINDOW,
      onsets: ONSETS,
      elements: 'operations',
    });
    // Reading the index vanished from 62 of 62 to 0 of 10, rebuilding it appeared from 0 of 62 to 10 of 10: equally sure.
    expect(output.services).toEqual([
      {
        service: 'stock',
        operation: 'GET /stock',
        element: 'operation read index',
        change: 'vanished',
        onsetMs: T0_MS + ONSET_MS,
        strength: expect.closeTo(allAgainstNone(62, 10), 9),
        windowWith: 0,
        windowUnits: 10,
        normalWith: 62,
        normalUnits: 62,
      },
    ]);
    expect(output).toMatchObject({ totalRows: 1, truncated: false });
  });
});

test('a window without telemetry has no changes, and evidence of it', async () => {
  const empty = { startMs: T0_MS - 20 * MINUTE_MS, endMs: T0_MS - 15 * MINUTE_MS };
  for (const elements of ['operations', 'log lines'] as const) {
    const { output, evidence } = await callTool(fixture, rankCodePathChanges, {
      window: empty,
      onsets: { firstMs: empty.startMs + MINUTE_MS, stepSeconds: 20, count: 3 },
      elements,
    });
    expect(output).toMatchObject({ services: [], totalRows: 0, truncated: false });
    expect(evidence.queries).toMatchObject([{ rowCount: 0 }]);
  }
});
