/** Rollups moved in time: the same counts at the other time, once however often it is done, and nothing at the old time changes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InputError } from '../platform/errors.ts';
import { cloneRollups } from './clone-rollups.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { readEdges } from './read-edges.ts';
import { createOperationStepReader } from './read-operation-steps.ts';
import { makeTraces, SPANS_END_MS, SPANS_START_MS } from './rollup-spans.fixture.ts';

const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 86_400_000;
/** Over midnight. */
const WINDOW = { startMs: SPANS_START_MS - 10 * MINUTE_MS, endMs: SPANS_END_MS + 20 * MINUTE_MS };

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
  const { database } = opened;
  await database.insert('otel_traces', makeTraces(100));
  const minutes = Array.from({ length: 20 }, (_, index) => SPANS_START_MS + index * MINUTE_MS);
  await database.insert(
    'otel_logs',
    minutes.map((atMs, index) => {
      return {
        Timestamp: `${atMs}000000`,
        ServiceName: 'web',
        TemplateId: `t${index % 3}`,
        Body: 'x',
        SeverityNumber: 9,
      };
    }),
  );
  await database.insert(
    'otel_metrics_gauge',
    minutes.map((atMs) => ({ TimeUnix: `${atMs}000000`, ServiceName: 'web', MetricName: 'cpu', Value: atMs % 7 })),
  );
});
afterAll(() => opened.close());

async function read<Row extends object>(sql: string): Promise<readonly Row[]> {
  const { rows } = await opened.database.read<Row>(
    sql,
    { database: opened.database.name },
    { tag: 'test', maxRows: 1_000 },
  );
  return rows;
}

/** What every rollup holds of the window `byMs` later, as if it were of the window itself. */
async function digestRollups(byMs: number): Promise<Record<string, string>> {
  const tables = await read<{ rollup: string; columns: string[] }>(
    `SELECT table AS rollup, groupArray(name) AS columns FROM system.columns
     WHERE database = {database:String} AND match(table, '^inquest_\\w+_(10s|1m|1h)$') AND table NOT LIKE 'inquest_baselines%' GROUP BY table`,
  );
  const digests: Record<string, string> = {};
  for (const { rollup, columns } of tables) {
    await opened.database.command(`OPTIMIZE TABLE ${rollup} FINAL`);
    const values = columns.map((column) => {
      if (column === 'Time') return `Time - ${byMs / 1000}`;
      return column === 'FirstMs' || column === 'LastMs' ? `${column} - ${byMs}` : column;
    });
    const [start, end] = [(WINDOW.startMs + byMs) / 1000, (WINDOW.endMs + byMs) / 1000];
    const [row] = await read<{ digest: string }>(
      `SELECT concat(toString(count()), ' ', toString(sum(cityHash64(${values.join(', ')})))) AS digest FROM ${rollup}
       WHERE Time >= toDateTime(${start}) AND Time < toDateTime(${end})`,
    );
    digests[rollup] = row?.digest ?? '';
  }
  return digests;
}

const shifted = (byMs: number) => ({ startMs: WINDOW.startMs + byMs, endMs: WINDOW.endMs + byMs });

async function readSteps(byMs: number): Promise<object[]> {
  const reader = createOperationStepReader(opened.database);
  const { rows } = await reader.readSteps({ window: shifted(byMs) }, { maxRows: 1_000 });
  return rows.map(({ atMs, ...rest }) => ({ ...rest, atMs: atMs - byMs }));
}

test('a stretch of time happens again, once, down to the last column of every rollup', async () => {
  const steps = await readSteps(0);
  expect(steps.length).toBeGreaterThan(20);
  const calls = await readEdges(opened.database, { window: WINDOW }, { maxRows: 100 });
  expect(await cloneRollups(opened.database, { window: WINDOW, byMs: WEEK_MS })).toBeGreaterThan(100);
  const before = await digestRollups(0);
  expect(Object.keys(before).length).toBeGreaterThanOrEqual(8);
  expect(Object.values(before).filter((digest) => digest.startsWith('0 '))).toEqual([]);
  await cloneRollups(opened.database, { window: WINDOW, byMs: WEEK_MS });
  expect(await digestRollups(WEEK_MS)).toEqual(before);
  expect(await digestRollups(0)).toEqual(before);
  expect(await readSteps(WEEK_MS)).toEqual(steps);
  expect((await readEdges(opened.database, { window: shifted(WEEK_MS) }, { maxRows: 100 })).rows).toEqual(calls.rows);
});

test('a window that would overlap itself is refused', async () => {
  await expect(cloneRollups(opened.database, { window: WINDOW, byMs: 5 * MINUTE_MS })).rejects.toThrow(InputError);
  await expect(cloneRollups(opened.database, { window: WINDOW, byMs: WEEK_MS + 1 })).rejects.toThrow(InputError);
});
