import { describe, expect, test } from 'vitest';
import type { ExecutedQuery } from '../domain/evidence.ts';
import { InputError } from '../platform/errors.ts';
import type { Database } from './database.ts';
import { createQueryRerunner } from './rerun-query.ts';

const asked: string[] = [];
const digest = 'd'.repeat(64);
const database = {
  read: async (sql: string, parameters: object) => {
    asked.push(sql);
    return { rows: [], query: { sql, parameters, rowCount: 0, digest } };
  },
} as unknown as Database;
const rerun = createQueryRerunner(database);
const query = (sql: string): ExecutedQuery => ({ sql, parameters: {}, rowCount: 1, digest });

describe('runs one SELECT over tables', () => {
  test.each([
    'SELECT 1',
    '  with x as (select 1 as y) select y from x',
    "SELECT * FROM otel_logs WHERE Body = 'a; DROP TABLE -- \\' format' AND ServiceName = {service:String}",
    "SELECT 'it''s; settings' AS a, `format` FROM otel_traces",
    "SELECT a FROM (SELECT 1 AS a) ORDER BY position('a', a)",
    'SELECT count() FROM a INNER JOIN b USING (id)',
    'SELECT x FROM a ARRAY JOIN range(3) AS x',
  ])('%s', async (sql) => {
    expect(await rerun(query(sql))).toMatchObject({ sql, rowCount: 0 });
    expect(asked.at(-1)).toBe(sql);
  });
});

describe('refuses', () => {
  test.each([
    ['DROP TABLE otel_logs', 'begin with SELECT'],
    ['EXPLAIN SELECT 1', 'begin with SELECT'],
    ['SELECT 1; DROP TABLE otel_logs', 'more than one'],
    ["SELECT '\\\\'; DROP TABLE otel_logs --'", 'more than one'],
    ['SELECT 1 /* x */', 'comment'],
    ['SELECT 1 -- x', 'comment'],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", 'file'],
    ['SELECT 1 SETTINGS readonly = 0', 'settings'],
    ['SELECT 1 FORMAT Native', 'settings or format'],
    ['WITH 1 AS x INSERT INTO otel_logs SELECT 1', 'INSERT'],
    ['SELECT * FROM numbers(10)', 'table function'],
    ["SELECT * FROM a JOIN remote('x', y, z) USING a", 'table function'],
    ["SELECT file('/etc/passwd')", 'outside'],
    ["SELECT * FROM a WHERE x IN (SELECT y FROM\n url ('http://x'))", 'table function'],
    ["SELECT * FROM a, url('http://x')", 'outside'],
  ])('%s', async (sql, reason) => {
    const before = asked.length;
    const refusal = await rerun(query(sql)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InputError);
    expect(String(refusal)).toContain(reason);
    expect(asked).toHaveLength(before);
  });
});
