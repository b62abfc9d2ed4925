/** Calls between services are counted right however their spans come in, whatever was settled before. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TimeWindow } from '../domain/time-window.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { readEdges } from './read-edges.ts';
import { makeSpan, makeTraces, SPANS_END_MS, SPANS_START_MS } from './rollup-spans.fixture.ts';
import { settleEdges, settleWindow } from './settle-edges.ts';
import type { SpanRow } from './telemetry-rows.ts';

const BOUNDS = { maxRows: 1_000 };
const MINUTE_MS = 60_000;
const ALL: TimeWindow = { startMs: SPANS_START_MS - 20 * MINUTE_MS, endMs: SPANS_END_MS + 20 * MINUTE_MS };
const LATER_MS = SPANS_END_MS + 3_600_000;
const DAY_MS = 86_400_000;
/** Each test has days of its own: the table remembers what was written under a token longer than the rows. */
let dayMs = 0;

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test?.close());
beforeEach(async () => {
  dayMs += 4 * DAY_MS;
  for (const table of ['otel_traces', 'inquest_red_1m', 'inquest_edges_1m']) {
    await test.database.command(`TRUNCATE TABLE ${table}`);
  }
});

async function edges(window = ALL): Promise<string[]> {
  const shifted = { startMs: window.startMs + dayMs, endMs: window.endMs + dayMs };
  const { rows } = await readEdges(test.database, { window: shifted }, BOUNDS);
  return rows.map((row) => `${row.caller}>${row.callee} ${row.kind} ${row.calls}/${row.errors} ${row.meanMs}`);
}
const settle = (nowMs = LATER_MS) => settleEdges(test.database, { nowMs: nowMs + dayMs, maxMinutes: 1_000 });
const insert = (spans: readonly SpanRow[]) =>
  test.database.insert(
    'otel_traces',
    spans.map((span) => ({ ...span, Timestamp: String(BigInt(span.Timestamp) + BigInt(dayMs) * 1_000_000n) })),
  );
async function settledMinutes(): Promise<number> {
  const { rows } = await test.database.read<{ minutes: number }>(
    "SELECT toFloat64(uniqExact(Time)) AS minutes FROM inquest_edges_1m WHERE Caller = ''",
    {},
    { tag: 'test', maxRows: 1 },
  );
  return rows[0]?.minutes ?? 0;
}

const MIDNIGHT = SPANS_START_MS + 10 * MINUTE_MS;
const parent = makeSpan({ atMs: MIDNIGHT - 1_000, trace: 1, id: 1, service: 'web', kind: 'Client' });
const child = makeSpan({ atMs: MIDNIGHT + 1_000, trace: 1, id: 2, parent: 1, service: 'cart', ms: 4, isFailed: true });
const near = makeSpan({ atMs: MIDNIGHT - 500, trace: 1, id: 3, parent: 1, service: 'stock', ms: 2 });
const FOUND = ['web>cart call 1/1 4', 'web>stock call 1/0 2'];

const ARRIVALS: readonly (readonly [name: string, inserts: readonly (readonly SpanRow[])[]])[] = [
  ['in one insert', [[parent, child, near]]],
  ['parent before children', [[parent], [child, near]]],
  ['children before parent, and in another partition', [[child, near], [parent]]],
];

describe('an edge', () => {
  it.each(ARRIVALS)('of spans that come %s is counted once', async (_, inserts) => {
    for (const rows of inserts) await insert(rows);
    expect(await edges()).toEqual(FOUND);
    expect(await settle()).toBe(2);
    expect(await edges()).toEqual(FOUND);
    expect(await settle()).toBe(0);
  });

  it.each(ARRIVALS)(
    'is counted once when each insert is settled before the next comes, late: %s',
    async (_, inserts) => {
      for (const rows of inserts) {
        await insert(rows);
        await settle();
      }
      expect(await edges()).toEqual(FOUND);
      expect(await settle()).toBe(0);
    },
  );

  it('that is late is seen before anybody settles it again', async () => {
    await insert([child, near]);
    await settle();
    await insert([parent]);
    expect(await edges()).toEqual(FOUND);
  });

  it('is written once by hosts that settle at the same time', async () => {
    await insert([parent, child, near]);
    await Promise.all([settle(), settle(), settle()]);
    expect(await edges()).toEqual(FOUND);
  });
});

describe('many edges', () => {
  const windows: readonly (readonly [string, TimeWindow])[] = [
    ['all', ALL],
    ['cut at both ends', { startMs: SPANS_START_MS + 12_345, endMs: SPANS_END_MS - 45_678 }],
    ['part of a minute', { startMs: SPANS_START_MS + 10_000, endMs: SPANS_START_MS + 50_000 }],
  ];
  it('are the same with no, some and all minutes settled', async () => {
    await insert(makeTraces(300));
    const raw = await Promise.all(windows.map(([, window]) => edges(window)));
    expect(raw[0]).toHaveLength(2);
    await settle(SPANS_START_MS + (10 + 15) * MINUTE_MS);
    expect(await settledMinutes()).toBe(10);
    expect(await Promise.all(windows.map(([, window]) => edges(window)))).toEqual(raw);
    await settle();
    expect(await settledMinutes()).toBe(21);
    expect(await Promise.all(windows.map(([, window]) => edges(window)))).toEqual(raw);
  });

  it('are the same when a window is settled at once, after some of its minutes, and again', async () => {
    await insert(makeTraces(300));
    const raw = await Promise.all(windows.map(([, window]) => edges(window)));
    await settle(SPANS_START_MS + (10 + 15) * MINUTE_MS);
    const whole = { startMs: ALL.startMs + dayMs, endMs: ALL.endMs + dayMs };
    for (let times = 0; times < 2; times++) await settleWindow(test.database, whole);
    expect(await settledMinutes()).toBe(21);
    expect(await settle()).toBe(0);
    expect(await Promise.all(windows.map(([, window]) => edges(window)))).toEqual(raw);
  });
});
