import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../platform/logger.ts';
import { type Database, openDatabase } from './database.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from './embedded-engine.ts';
import { LOG_TEMPLATE, SEVERITY } from './log-sql.ts';

let engine: EmbeddedEngine;
let database: Database;
const dataDir = mkdtempSync(join(tmpdir(), 'inquest-log-sql-'));

beforeAll(async () => {
  engine = await openEmbeddedEngine({ dataDir, logger: silentLogger });
  database = await openDatabase({ ...engine, database: 'inquest_test' });
});
afterAll(async () => {
  await database?.close();
  await engine?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function templateOf(body: string): Promise<string | undefined> {
  const sql = `SELECT ${LOG_TEMPLATE} AS template FROM (SELECT {body:String} AS Body)`;
  const { rows } = await database.read<{ template: string }>(sql, { body }, { tag: 'test', maxRows: 1 });
  return rows[0]?.template;
}

test.each([
  ['order 17 placed for user-42', 'order <*> placed for user-<*>'],
  ['2026-03-04T10:00:00.123Z started', '<*> started'],
  ['2026-03-04 10:00:00,123 [worker-3] done in 12.5ms', '<*> <*> <*> done in <*>'],
  ['id 550e8400-e29b-41d4-a716-446655440000 and abcdefab-cdef-abcd-efab-cdefabcdefab', 'id <*> and <*>'],
  ['commit deadbeefcafe missing, face stays', 'commit <*> missing, face stays'],
  ['dial tcp 10.0.3.17:8080: connection refused', 'dial tcp <*>: connection refused'],
  ['GET http://payments:8080/charge/99?token=abc&user=x failed', 'GET http://payments:<*>/charge/<*><*> failed'],
  ['\u001b[31mERROR\u001b[0m no route', 'ERROR no route'],
  ['{"level":"info","items":[1,2,3],"ok":true}', '{"level":"info","items":<*>,"ok":true}'],
  ['OrderService#451 [create] saved Order(id=17, lines=[a, b])', 'OrderService#451<*> [create] saved Order<*>'],
  ['File "app/orders.py:12", in place', 'File "app/orders.py:12<*>", in place'],
  ['result [first, second, third', 'result <*>'],
  ['ünïcode ✓ 5', 'ünïcode ✓ <*>'],
  ['no variables here', 'no variables here'],
  ['', ''],
])('%j has the template %j', async (body, template) => {
  expect(await templateOf(body)).toBe(template);
});

test('cuts what is long', async () => {
  expect(await templateOf('word '.repeat(1_000))).toHaveLength(300);
});

test.each([
  [17, 'INFO', 17],
  [0, 'error', 17],
  [0, 'Warning', 13],
  [0, 'SEVERE', 17],
  [0, 'notice', 9],
  [0, 'CRITICAL', 21],
  [0, '', 0],
  [0, 'whatever', 0],
])('severity number %i and text %j mean %i', async (number, text, expected) => {
  const sql = `SELECT ${SEVERITY} AS severity FROM (SELECT {number:UInt8} AS SeverityNumber, {text:String} AS SeverityText)`;
  const { rows } = await database.read<{ severity: number }>(sql, { number, text }, { tag: 'test', maxRows: 1 });
  expect(rows).toEqual([{ severity: expected }]);
});
