/** Mined templates in the tables and in the readers' answers, and the lines that were stored without. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTemplateGroups } from '../domain/log-templates/template-groups.ts';
import { tokenizeLine } from '../domain/log-templates/tokenize-line.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { makeExporterDatabase } from './exporter-tables.fixture.ts';
import { createTemplateStore } from './log-templates.ts';
import { createLogReader } from './read-logs.ts';
import { openTelemetrySource } from './telemetry-source.ts';

let opened: TestDatabase;
const T0_MS = Date.UTC(2026, 2, 4, 10);
const window = { startMs: T0_MS, endMs: T0_MS + 600_000 };
const baseline = { startMs: T0_MS - 600_000, endMs: T0_MS };
const bounds = { maxRows: 100 };
const USERS = ['ann', 'bob', 'cleo', 'dora', 'emil', 'fritz', 'gina', 'hanna'];

beforeAll(async () => {
  opened = await openTestDatabase();
  const { database } = opened;
  const store = createTemplateStore(database);
  const groups = createTemplateGroups();
  const rows: object[] = [];
  for (const [index, user] of USERS.entries()) {
    const body = `login of ${user} refused`;
    const id = groups.add(tokenizeLine(body));
    await store.save('shop', groups.takeChanged());
    rows.push(rowOf(index, body, { TemplateId: id, SeverityText: 'error' }));
  }
  rows.push(rowOf(0, 'login of nobody refused'), rowOf(61, 'stored 17 rows'), rowOf(62, 'stored 18 rows'));
  await database.insert('otel_logs', rows, undefined, { token: 'once' });
  await database.insert('otel_logs', rows, undefined, { token: 'once' });
});
afterAll(() => opened?.close());

function rowOf(second: number, Body: string, more: object = {}): object {
  return { Timestamp: `${T0_MS + second * 1_000}000000`, ServiceName: 'shop', Body, ...more };
}

test('what is stored is what a new process begins with; of two entries for an id the later version counts', async () => {
  const store = createTemplateStore(opened.database);
  const stored = await store.load(0);
  expect(stored).toHaveLength(9);
  const groups = createTemplateGroups();
  for (const { tokens } of stored) groups.restore(tokens);
  for (const { id, version } of stored) expect(groups.resolve(id)?.version).toBe(version);
  const newestMs = Math.max(...stored.map(({ storedAtMs }) => storedAtMs));
  expect(await store.load(newestMs + 1)).toEqual([]);
});

test('ids that were superseded are read as the template they belong to now; lines without an id are masked', async () => {
  const reader = createLogReader(opened.database);
  const { rows } = await reader.compareTemplates({ window, baseline }, bounds);
  expect(rows.map(({ template, windowCount }) => [template, windowCount]).toSorted()).toEqual([
    ['login of <*> refused', 8],
    ['login of nobody refused', 1],
    ['stored <*> rows', 2],
  ]);
});

test.each([
  ['login of <*> refused', 8],
  ['login of nobody refused', 1],
  ['stored <*> rows', 2],
  ['login of ann refused', 0],
])('lines of the template %j: %i', async (template, lines) => {
  const reader = createLogReader(opened.database);
  expect((await reader.countMatching({ window, template }, bounds)).rows).toEqual([{ lines }]);
  expect((await reader.search({ window, template, newestFirst: true }, bounds)).rows).toHaveLength(lines);
});

test('the rollup counts each line once, by minute, severity and id', async () => {
  const { rows } = await opened.database.read<{ minute: number; severity: number; hasId: number; lines: number }>(
    `SELECT toUInt32(intDiv(toUnixTimestamp(Time) - ${T0_MS / 1000}, 60)) AS minute, Severity AS severity,
       TemplateId != '' AS hasId, toFloat64(sum(Lines)) AS lines
     FROM inquest_log_templates_1m GROUP BY minute, severity, hasId ORDER BY minute, severity`,
    {},
    { tag: 'test', maxRows: 10 },
  );
  expect(rows).toEqual([
    { minute: 0, severity: 0, hasId: 0, lines: 1 },
    { minute: 0, severity: 17, hasId: 1, lines: 8 },
    { minute: 1, severity: 0, hasId: 0, lines: 2 },
  ]);
});

test('a database that somebody else filled has no templates: its lines are masked', async () => {
  await makeExporterDatabase(opened.database, 'theirs');
  const source = await openTelemetrySource({ ...opened.engine, database: 'theirs' }, opened.database);
  const reader = createLogReader(source.database);
  const { rows } = await reader.compareTemplates({ window, baseline }, bounds);
  expect(rows.map(({ template }) => template).toSorted()).toEqual(
    [...USERS, 'nobody']
      .map((user) => `login of ${user} refused`)
      .concat('stored <*> rows')
      .toSorted(),
  );
  const question = { window, template: 'stored <*> rows' };
  expect((await reader.countMatching(question, bounds)).rows).toEqual([{ lines: 2 }]);
  await source.database.close();
});
