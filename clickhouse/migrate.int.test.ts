import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { applyRetention } from './apply-retention.ts';
import { type Database, openDatabase } from './database.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from './embedded-engine.ts';
import { makeDataDir } from './engine.fixture.ts';
import { migrate } from './migrate.ts';

const { dataDir, remove } = makeDataDir();
let engine: EmbeddedEngine;
let databases = 0;
const opened: Database[] = [];

beforeAll(async () => {
  engine = await openEmbeddedEngine({ dataDir, logger: silentLogger });
});
afterAll(async () => {
  for (const database of opened) await database.close();
  await engine?.close();
  remove();
});

async function openFresh(): Promise<Database> {
  const database = await openDatabase({ ...engine, database: `fresh_${++databases}` });
  opened.push(database);
  return database;
}

async function namesOf(sql: string, database: Database): Promise<string[]> {
  const { rows } = await database.read<{ name: string }>(sql, {}, { tag: 'test', maxRows: 1_000 });
  return rows.map(({ name }) => name);
}
const TABLES = 'SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name';

/** Table, column of time, and what else a row needs. */
const TELEMETRY: readonly [table: string, time: string][] = [
  ['otel_traces', 'Timestamp'],
  ['otel_logs', 'Timestamp'],
  ['otel_metrics_gauge', 'TimeUnix'],
  ['otel_metrics_sum', 'TimeUnix'],
  ['otel_metrics_histogram', 'TimeUnix'],
  ['otel_metrics_exponential_histogram', 'TimeUnix'],
  ['otel_metrics_summary', 'TimeUnix'],
];

const ROLLUPS = [
  'inquest_operations_10s',
  'inquest_red_1m',
  'inquest_operations_1m',
  'inquest_presence_1m',
  'inquest_metrics_1m',
  'inquest_attributes_1h',
  'inquest_edges_1m',
];

/** One row of 2023 and one of now in every table of telemetry; what is left of each once the engine has tidied up. */
async function survivors(database: Database): Promise<Record<string, number>> {
  const times = [Date.UTC(2023, 5, 1), Date.now()].map((atMs) => `${atMs}000000`);
  const left: Record<string, number> = {};
  for (const [table, time] of TELEMETRY) {
    for (const at of times) await database.insert(table, [{ [time]: at, ServiceName: 'cart', TraceId: 'ab' }]);
    await database.command(`OPTIMIZE TABLE ${table} FINAL`);
    left[table] = (await namesOf(`SELECT ServiceName AS name FROM ${table}`, database)).length;
  }
  await database.command('OPTIMIZE TABLE otel_traces_trace_id_ts FINAL');
  left['otel_traces_trace_id_ts'] = (
    await namesOf('SELECT TraceId AS name FROM otel_traces_trace_id_ts', database)
  ).length;
  return left;
}
const everywhere = (rows: number) =>
  Object.fromEntries([...TELEMETRY.map(([table]) => table), 'otel_traces_trace_id_ts'].map((table) => [table, rows]));

describe('migrate', () => {
  it('applies what is missing, once', async () => {
    const database = await openFresh();
    const applied = await migrate(database, { retentionDays: 0 });
    expect(applied).toEqual(applied.toSorted());
    expect(applied[0]).toBe('0001-telemetry.sql');
    const tables = await namesOf(TABLES, database);
    expect(tables).toEqual(expect.arrayContaining(['otel_traces', 'inquest_audit', 'inquest_migrations']));

    expect(await migrate(database, { retentionDays: 30 })).toEqual([]);
    expect(await namesOf(TABLES, database)).toEqual(tables);
  });

  it('goes on where a crash ended it', async () => {
    const database = await openFresh();
    const applied = await migrate(database, { retentionDays: 0 });
    await database.command('TRUNCATE TABLE inquest_migrations'); // as if it had died before its note of the first file
    await database.command('DROP TABLE inquest_once');
    expect(await migrate(database, { retentionDays: 0 })).toEqual(applied);
    expect(await namesOf(TABLES, database)).toContain('inquest_once');
  });

  it('refuses a database to which another form of a file was applied', async () => {
    const database = await openFresh();
    await migrate(database, { retentionDays: 0 });
    await database.command(
      "ALTER TABLE inquest_migrations UPDATE Digest = 'edited' WHERE Name = '0001-telemetry.sql' SETTINGS mutations_sync = 1",
    );
    const failure = await migrate(database, { retentionDays: 0 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(String(failure)).toContain('0001-telemetry.sql');
  });

  it('without retention keeps telemetry of 2023', async () => {
    const database = await openFresh();
    await migrate(database, { retentionDays: 0 });
    expect(await survivors(database)).toEqual(everywhere(2));
  });

  it('with a retention of 30 days drops telemetry of 2023 and keeps that of today', async () => {
    const database = await openFresh();
    await migrate(database, { retentionDays: 30 });
    expect(await survivors(database)).toEqual(everywhere(1));
  });

  it('takes on another retention later, longer, shorter or none, and leaves the tables of others alone', async () => {
    const database = await openFresh();
    await migrate(database, { retentionDays: 0 });
    await database.command('DROP TABLE otel_logs');
    await database.command(
      `CREATE TABLE otel_logs (Timestamp DateTime64(9), ServiceName String, TraceId String, ResourceAttributes Map(String, String),
        LogAttributes Map(String, String), SeverityText String, SeverityNumber UInt8, TemplateId String) ENGINE = MergeTree ORDER BY Timestamp`,
    );
    const ours = [...Object.keys(everywhere(0)), ...ROLLUPS].filter((table) => table !== 'otel_logs');
    for (const [before, days] of [
      [0, 30],
      [30, 36_500],
      [36_500, 30],
      [30, 0],
      [0, 30],
    ] as const) {
      const changed = await applyRetention(database, days);
      const isCapped = before > 2 && days > 2; // both are 2 days to what is kept no longer
      const expected = isCapped ? ours.filter((table) => table !== 'inquest_operations_10s') : ours;
      expect(changed.map(({ table }) => table)).toEqual(expect.arrayContaining(expected));
      expect(changed.some(({ table }) => table === 'otel_logs')).toBe(false);
      const before10s = changed.filter(({ table }) => table === 'inquest_operations_10s');
      expect(before10s).toEqual(isCapped ? [] : [{ table: 'inquest_operations_10s', daysBefore: Math.min(before, 2) }]);
      expect(new Set(changed.filter((one) => !before10s.includes(one)).map(({ daysBefore }) => daysBefore))).toEqual(
        new Set([before]),
      );
      expect(await applyRetention(database, days)).toEqual([]);
    }
    expect(await survivors(database)).toEqual({ ...everywhere(1), otel_logs: 2 });
  });

  it('counts a new retention from the age of what is stored', async () => {
    const database = await openFresh();
    await migrate(database, { retentionDays: 36_500 });
    await database.insert('otel_logs', [{ Timestamp: `${Date.UTC(2023, 5, 1)}000000`, ServiceName: 'cart' }]);
    await applyRetention(database, 30);
    const rest = () => namesOf('SELECT ServiceName AS name FROM otel_logs', database);
    await database.command('OPTIMIZE TABLE otel_logs FINAL');
    expect(await rest()).toEqual([]);
  });

  it('fills rollups with what was stored before them, also when a crash has it do so twice', async () => {
    const database = await openFresh();
    await migrate(database, { retentionDays: 0 });
    const views = await namesOf(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'inquest%_mv' ORDER BY name",
      database,
    );
    for (const table of [...views, ...ROLLUPS]) await database.command(`DROP TABLE ${table} SYNC`);
    const days = [0, 1, 2, 2].map((day) => `${Date.UTC(2023, 5, 1 + day)}000000`);
    for (const [table, time] of TELEMETRY) {
      await database.insert(
        table,
        days.map((at) => ({ [time]: at, ServiceName: 'cart', ResourceAttributes: { a: 'b' } })),
      );
    }
    for (const _ of [1, 2]) {
      await database.command(
        "ALTER TABLE inquest_migrations DELETE WHERE match(Name, '^000[58]') SETTINGS mutations_sync = 1",
      );
      const again = ['0005-rollups.sql', '0008-operations-by-ten-seconds.sql'];
      expect(await migrate(database, { retentionDays: 0 })).toEqual(again);
    }
    await database.insert('otel_traces', [{ Timestamp: days[0], ServiceName: 'cart', ResourceAttributes: { a: 'b' } }]);
    const sums = ['inquest_operations_10s', 'inquest_red_1m'].map(
      (table) => `SELECT toString(sum(Calls)) AS name FROM ${table}`,
    );
    const others = [
      'SELECT toString(sum(Calls)) AS name FROM inquest_operations_1m',
      'SELECT toString(sum(TelemetryRows)) AS name FROM inquest_presence_1m',
      'SELECT toString(sum(Points)) AS name FROM inquest_metrics_1m',
      'SELECT toString(sum(Uses)) AS name FROM inquest_attributes_1h',
    ];
    const found = await Promise.all([...sums, ...others].map((sql) => namesOf(sql, database)));
    expect(found.flat()).toEqual(['5', '5', '5', `${4 * 7 + 1}`, `${4 * 5}`, '5']);
  });
});
