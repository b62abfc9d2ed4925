import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TimeWindow } from '../domain/time-window.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { createRedReader, type RedReader } from './read-red.ts';
import { makeTraces, SPANS_END_MS, SPANS_START_MS } from './rollup-spans.fixture.ts';
import { entrySpan, IN_WINDOW, NEAR_WINDOW, windowParameters } from './span-sql.ts';

let test: TestDatabase;
let red: RedReader;
const BOUNDS = { maxRows: 1_000 };
const MINUTE_MS = 60_000;

beforeAll(async () => {
  test = await openTestDatabase();
  red = createRedReader(test.database);
  const spans = makeTraces(600);
  // Children before their parents, and batches that cut through traces.
  for (const part of [1, 0])
    await test.database.insert(
      'otel_traces',
      spans.filter((_, index) => index % 2 === part),
    );
});
afterAll(() => test?.close());

interface RawRow {
  readonly service: string;
  readonly at: number;
  readonly calls: number;
  readonly errors: number;
  /** Ascending, milliseconds. */
  readonly durations: readonly number[];
}

/** The same from every span. */
async function readRaw(window: TimeWindow, at = '0'): Promise<readonly RawRow[]> {
  const { rows } = await test.database.read<RawRow>(
    `SELECT ServiceName AS service, toFloat64(${at}) AS at, toFloat64(count()) AS calls,
       toFloat64(countIf(StatusCode = 'Error')) AS errors, arraySort(groupArray(Duration / 1e6)) AS durations
     FROM otel_traces WHERE ${IN_WINDOW} AND ${entrySpan(NEAR_WINDOW)} GROUP BY service, at ORDER BY calls DESC, service, at`,
    windowParameters({ window }),
    { tag: 'test', ...BOUNDS },
  );
  return rows;
}
const MINUTE_OF_SPAN = 'toUnixTimestamp(toStartOfMinute(Timestamp)) * 1000';

/** Within 1 % of the durations around the level's rank. */
function expectNear(quantile: number, level: number, durations: readonly number[]): void {
  const rank = level * (durations.length - 1);
  expect(quantile).toBeGreaterThanOrEqual((durations[Math.floor(rank)] ?? 0) * 0.9899);
  expect(quantile).toBeLessThanOrEqual((durations[Math.ceil(rank)] ?? 0) * 1.0101);
}

const START = SPANS_START_MS;
const WINDOWS: readonly (readonly [name: string, window: TimeWindow])[] = [
  ['whole minutes over midnight', { startMs: START, endMs: SPANS_END_MS }],
  ['cut minutes at both ends', { startMs: START + 12_345, endMs: SPANS_END_MS - 45_678 }],
  ['a start on the minute, an end not', { startMs: START + MINUTE_MS, endMs: START + 5 * MINUTE_MS + 1 }],
  ['part of one minute', { startMs: START + 10_000, endMs: START + 50_000 }],
  ['the end of one minute and the start of the next', { startMs: START + 50_000, endMs: START + 70_000 }],
  ['exactly one minute', { startMs: START + MINUTE_MS, endMs: START + 2 * MINUTE_MS }],
  ['nothing', { startMs: START - MINUTE_MS, endMs: START }],
];

const counts = ({ calls, errors }: { calls: number; errors: number }) => ({ calls, errors });

describe('RED from rollups', () => {
  it.each(WINDOWS)('counts by service as the rows do: %s', async (_, window) => {
    const [rolled, raw] = [(await red.byService({ window }, BOUNDS)).rows, await readRaw(window)];
    expect(rolled.map((row) => ({ service: row.service, ...counts(row) }))).toEqual(
      raw.map((row) => ({ service: row.service, ...counts(row) })),
    );
    for (const [index, row] of rolled.entries()) {
      expectNear(row.p50Ms, 0.5, raw[index]?.durations ?? []);
      expectNear(row.p95Ms, 0.95, raw[index]?.durations ?? []);
      expectNear(row.p99Ms, 0.99, raw[index]?.durations ?? []);
    }
  });

  it.each(WINDOWS)('counts by minute as the rows do: %s', async (_, window) => {
    for (const service of ['web', 'legacy', 'batch']) {
      const { rows } = await red.byMinute({ service, window }, BOUNDS);
      const raw = (await readRaw(window, MINUTE_OF_SPAN)).filter((row) => row.service === service);
      expect(rows.map((row) => ({ at: row.atMs, ...counts(row) }))).toEqual(
        raw.map((row) => ({ at: row.at, ...counts(row) })).sort((left, right) => left.at - right.at),
      );
    }
  });

  it('answers with the same digits however the rollup is merged', async () => {
    const window = { startMs: START, endMs: SPANS_END_MS };
    const before = await red.byService({ window }, BOUNDS);
    await test.database.command('OPTIMIZE TABLE inquest_red_1m FINAL');
    expect((await red.byService({ window }, BOUNDS)).query.digest).toBe(before.query.digest);
  });

  it('keeps requests and operations alike', async () => {
    const sums = await test.database.read<{ calls: string; spans: string }>(
      `SELECT sum(Calls) AS calls, sum(Spans) AS spans FROM inquest_red_1m UNION ALL
       SELECT sumIf(Calls, SpanKind = 'Server') + 300, sum(Calls) FROM inquest_operations_1m UNION ALL
       SELECT 1500, count() FROM otel_traces`,
      {},
      { tag: 'test', ...BOUNDS },
    );
    expect(new Set(sums.rows.map((row) => JSON.stringify(row)))).toEqual(new Set(['{"calls":"1500","spans":"3600"}']));
  });
});
