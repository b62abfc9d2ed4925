/** Baselines on the real engine: hours summed up from rollups, again when late rows come, and what is expected from them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectationOf, type SeriesBaseline } from '../domain/baseline.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { createBaselineReader, type SeriesFilter } from './read-baselines.ts';
import { refreshBaselines } from './refresh-baselines.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Monday, four weeks before the day that is asked about. */
const FIRST_MS = Date.UTC(2026, 2, 2);
const TARGET_MS = Date.UTC(2026, 2, 30, 2);
const DAYS = 28;

let test: TestDatabase;

/** Every fifth minute of all days: a batch of them is quick to sum up. */
const MINUTES = `(
  SELECT toDateTime(${FIRST_MS / 1000}) + 300 * arrayJoin(range(${DAYS * 288 + 24})) AS Time, toHour(Time, 'UTC') AS hour,
    toMinute(Time) AS minute, toDayOfWeek(Time) AS weekday, intDiv(toUnixTimestamp(Time) - ${FIRST_MS / 1000}, 86400) AS day
  WHERE NOT (hour = 12 AND day > 20)
)`;
const METRIC = `INSERT INTO inquest_metrics_1m (ServiceName, MetricName, Kind, Pod, AttributesKey, Time, Points, Total, Last)
SELECT 'cart',`;
const LAST = (value: string) => `arrayReduce('argMaxState', [toFloat64(${value})], [toDateTime64(0, 9)])`;

beforeAll(async () => {
  test = await openTestDatabase();
  const run = (sql: string) => test.database.command(sql);
  // A level of 10 that a job raises to 50 for twenty minutes of each workday's night; on one night to 500.
  await run(`${METRIC} 'cpu', 'gauge', 'cart-0', 7, Time, 2, 2 * value AS total, ${LAST('value')}
    FROM (SELECT *, if(hour = 2 AND minute < 30 AND weekday <= 5, if(day = 8, 500, 50), 10) + minute / 5 % 3 AS value FROM ${MINUTES})`);
  // A counter that grows by 6 a minute and begins anew on each day.
  await run(`${METRIC} 'served', 'sum', 'cart-0', 7, Time, 1, total, ${LAST('total')}
    FROM (SELECT *, 6. * (hour * 60 + minute) AS total FROM ${MINUTES})`);
  // Calls: two a second by day and night, half of them by each of two operations, of which one fails in one of ten; a peer.
  await run(`INSERT INTO inquest_operations_10s (ServiceName, Operation, SpanKind, Time, Calls, Errors, Durations)
    SELECT 'web', name.1, name.2, Time, 60, name.3, map(70, 57, 90, 3)
    FROM ${MINUTES} ARRAY JOIN [('GET /', 'Server', 0), ('POST /pay', 'Server', 6), ('redis', 'Client', 0), ('', 'Client', 0)] AS name`);
  // A template of the weekly report, on Mondays; one that was seen in two nights only.
  await run(`INSERT INTO inquest_log_templates_1m (ServiceName, TemplateId, Severity, Time, Lines)
    SELECT 'web', name, 9, Time, 30 FROM ${MINUTES} ARRAY JOIN ['report', 'rare', 'steady'] AS name
    WHERE name = 'steady' OR (hour = 2 AND minute < 10 AND (name = 'report' ? weekday = 1 : day IN (21, 22)))`);
  await run(`INSERT INTO inquest_presence_1m (Signal, ServiceName, Version, Pod, Time, TelemetryRows)
    SELECT signal, 'web', '', '', Time, 10 FROM ${MINUTES} ARRAY JOIN ['metrics', 'traces', 'logs'] AS signal`);
  while ((await refreshBaselines(test.database, { nowMs: TARGET_MS + MINUTE_MS * 10, maxHours: 5_000 })) === 5_000);
}, 60_000);
afterAll(() => test?.close());

async function read(filter: SeriesFilter, atMs = TARGET_MS + 10 * MINUTE_MS): Promise<readonly SeriesBaseline[]> {
  const reader = createBaselineReader(test.database, test.database);
  return (await reader.read({ atMs, ...filter }, { maxRows: 1_000 })).rows;
}
const rounded = (values: readonly number[] = []) => values.map((value) => Math.round(value * 100) / 100);

it('names series as detection does', async () => {
  const names = (await read({})).map(({ series: { kind, service, name, detail } }) => [kind, service, name, detail]);
  const durations = (name: string, side: string) =>
    ['p50', 'p95'].map((at) => ['duration', 'web', name, `${side} ${at}`]);
  expect(names).toEqual([
    ...['', 'GET /', 'POST /pay', 'redis'].flatMap((name) => durations(name, name === 'redis' ? 'Client' : 'Server')),
    ...['', 'GET /', 'POST /pay'].map((name) => ['errors', 'web', name, 'Server']),
    ['errors', 'web', 'redis', 'Client'],
    ['metric', 'cart', 'cpu', 'cart-0 7'],
    ...['cart-0 7', 'cart-0 7 /min'].map((detail) => ['metric', 'cart', 'served', detail]),
    ...['', 'GET /', 'POST /pay'].map((name) => ['requests', 'web', name, 'Server']),
    ['requests', 'web', 'redis', 'Client'],
    ...['rare', 'report', 'steady'].map((name) => ['template', 'web', name, '']),
  ]);
});

it('knows the nightly job by the workdays, whatever one night did', async () => {
  const [cpu] = await read({ kind: 'metric', name: 'cpu' });
  expect(cpu?.ofDays).toMatchObject({ times: 20, highs: [52, 52, 51.9, 51, 31], lows: [10, 10, 10, 10, 11] });
  expect(rounded(cpu?.ofDays.usual)).toEqual([31, 10, 52]);
  expect(cpu?.ofWeeks.times).toBe(4);
  expect(cpu?.ofHours).toMatchObject({ times: 6, usual: [11, 10, 12] });
  expect(cpu && expectationOf(cpu)).toMatchObject({ basis: 'hour-of-week', times: 4, range: [10, 52] });
});

it('looks an hour to either side, and at weekends for weekends', async () => {
  const [moved] = await read({ name: 'cpu' }, TARGET_MS + HOUR_MS);
  expect(moved?.ofDays).toMatchObject({ times: 20, usual: [11, 10, 12], highs: [52, 52, 51.9, 51, 31] });
  const [saturday] = await read({ name: 'cpu' }, TARGET_MS - 2 * 24 * HOUR_MS);
  expect(saturday?.ofDays).toMatchObject({ times: 6, highs: [12, 12, 12, 12, 11] });
  // Only what was before counts, and hours that were not observed do not.
  expect((await read({ name: 'cpu' }, FIRST_MS + 24 * HOUR_MS + 2 * HOUR_MS))[0]?.ofDays.times).toBe(1);
  expect((await read({ name: 'cpu' }, TARGET_MS + 10 * HOUR_MS))[0]?.ofDays.times).toBe(15);
});

it('takes counters for what they grow by, also over a restart', async () => {
  const [served] = await read({ name: 'served', detail: 'cart-0 7 /min' });
  expect(served?.ofDays).toMatchObject({ times: 20, usual: [6, 6, 6] });
});

it('sums up calls by operation and for the service: a second, shares, durations', async () => {
  const one = async (kind: SeriesBaseline['series']['kind'], name: string, detail: string) =>
    rounded((await read({ series: [{ kind, service: 'web', name, detail }] }))[0]?.ofDays.usual);
  expect(await one('requests', '', 'Server')).toEqual([2, 2, 2]);
  expect(await one('requests', 'GET /', 'Server')).toEqual([1, 1, 1]);
  expect(await one('errors', 'POST /pay', 'Server')).toEqual([0.1, 0.09, 0.09]);
  expect(await one('errors', '', 'Server')).toEqual([0.05, 0.05, 0.05]);
  const [p50, p95] = [await one('duration', 'GET /', 'Server p50'), await one('duration', 'GET /', 'Server p95')];
  expect(p50[0]).toBeCloseTo(1.15 ** (20 + 30 / 57), 1);
  expect(p95[0]).toBeCloseTo(1.15 ** 21, 1);
});

it('counts nothing as zero where nothing came, since the series was first seen', async () => {
  const [report] = await read({ name: 'report' });
  expect(report?.ofWeeks).toMatchObject({ times: 4, highs: [30, 30, 27, 0, 0], lows: [0, 0, 0, 0, 0] });
  expect(report?.ofDays).toMatchObject({ times: 20, usual: [0, 0, 0], highs: [0, 0, 0, 0, 0] });
  const [rare] = await read({ name: 'rare' });
  expect(rare?.ofDays).toMatchObject({ times: 5, highs: [0, 0, 0, 0, 0] });
  expect((await read({ name: 'steady' }))[0]?.ofDays).toMatchObject({ times: 20, lows: [30, 30, 30, 30, 30] });
});

it('gives what a minute was in the same measure', async () => {
  const reader = createBaselineReader(test.database, test.database);
  const atMs = TARGET_MS - 72 * HOUR_MS + 5 * MINUTE_MS;
  const { rows } = await reader.readMinute({ atMs, service: 'cart' }, { maxRows: 10 });
  expect(rows.map(({ name, value }) => [name, value])).toEqual([
    ['cpu', 51],
    ['served', 6],
  ]);
});

it('writes an hour once, and again when more of it came', async () => {
  const { database } = test;
  const nowMs = TARGET_MS + 10 * MINUTE_MS;
  expect(await refreshBaselines(database, { nowMs, maxHours: 10 })).toBe(0);
  const lateMs = TARGET_MS - 5 * HOUR_MS;
  await database.command(
    `${METRIC} 'cpu', 'gauge', 'cart-0', 7, toDateTime(${lateMs / 1000}) + 60 * number, 1, 90, ${LAST('90.')} FROM numbers(60)`,
  );
  await database.command(`INSERT INTO inquest_presence_1m (Signal, ServiceName, Version, Pod, Time, TelemetryRows)
    SELECT 'metrics', 'cart', '', '', toDateTime(${lateMs / 1000}), 60`);
  const twice = [
    refreshBaselines(database, { nowMs, maxHours: 10 }),
    refreshBaselines(database, { nowMs, maxHours: 10 }),
  ];
  expect(await Promise.all(twice)).toEqual([1, 1]);
  const { rows } = await database.read<{ Highest: number }>(
    `SELECT Highest FROM inquest_baselines_1h FINAL WHERE Hour = toDateTime(${lateMs / 1000}) AND Name = 'cpu'`,
    {},
    { tag: 'test', maxRows: 1 },
  );
  expect(rows).toEqual([{ Highest: 90 }]);
  const [cpu] = await read({ name: 'cpu' });
  expect(cpu?.ofHours).toMatchObject({ times: 6, usual: [11, 10, 12] });
});
