/** What openDatabase gives on every ClickHouse, embedded or not: one suite, run against each of them. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { ConfigError, InputError, InvariantError, LimitError, UnavailableError } from '../platform/errors.ts';
import { digestOf } from '../platform/ids.ts';
import { type Database, openDatabase } from './database.ts';
import type { EngineAddress } from './engine.fixture.ts';

export interface ReachedEngine {
  readonly address: EngineAddress;
  /** Made and dropped by the suite. */
  readonly database: string;
  close(): Promise<void>;
}

const HOSTILE_TEXTS = [
  '',
  ' spaces around ',
  `it's "quoted" \`thrice\``,
  'back\\slash \\n \\0 \\x41 \\',
  'tab\there, line\nbreak\r\n\n\nDROP TABLE kept',
  "'; DROP TABLE kept; --",
  "') FORMAT JSONEachRow {}\n\nDROP TABLE kept",
  '{name:String} %s $1 ?',
  'grün ✓ 審問 😀 \u2028',
  '\u0000nul\u0000 \b\f\v\u0001\u001f\u007f',
  'NULL',
  '\\N',
  'x'.repeat(100_000),
];

const bounds = { tag: 'contract', maxRows: 100_000 };

export function describeDatabase(name: string, reach: () => Promise<ReachedEngine>): void {
  describe(`database on ${name}`, () => {
    let reached: ReachedEngine;
    let database: Database;

    beforeAll(async () => {
      reached = await reach();
      database = await openDatabase({ ...reached.address, database: reached.database });
      await database.command(
        `CREATE TABLE kept (Number UInt64, Text String, Labels Map(String, String), At DateTime64(9))
         ENGINE = MergeTree ORDER BY Number`,
      );
    });
    afterAll(async () => {
      await database?.command(`DROP DATABASE ${reached.database}`);
      await database?.close();
      await reached?.close();
    });

    const readRows = async <Row extends object>(sql: string, parameters = {}, options = {}) =>
      (await database.read<Row>(sql, parameters, { ...bounds, ...options })).rows;
    const countOf = async (condition: string) =>
      Number((await readRows<{ count: string }>(`SELECT count() AS count FROM kept WHERE ${condition}`))[0]?.count);
    const failureOf = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => 'no failure',
        (error: unknown) => error,
      );

    describe('parameters', () => {
      test.each(HOSTILE_TEXTS.map((text) => [text.slice(0, 40), text]))('%j comes back as it is', async (_, text) => {
        const sql =
          'SELECT {one:String} AS one, {many:Array(String)} AS many, {one:String} = {many:Array(String)}[2] AS same';
        const rows = await readRows(sql, { one: text, many: ['a', text, "b'"] });
        expect(rows).toEqual([{ one: text, many: ['a', text, "b'"], same: 1 }]);
      });

      it('are numbers, truth values and arrays too', async () => {
        const sql = `SELECT {int:Int64} AS int, {float:Float64} AS float, {yes:Bool} AS yes, {no:Bool} AS no,
          {numbers:Array(Float64)} AS numbers, {none:Array(String)} AS none`;
        const given = { int: -5, float: 1.5e-300, yes: true, no: false, numbers: [1.5, -2, 0], none: [] };
        expect(await readRows(sql, given)).toEqual([{ ...given, int: '-5' }]);
      });

      it('do not mix when many are read at once', async () => {
        const reads = Array.from({ length: 100 }, async (_, index) => {
          const sql = `SELECT {a:UInt32} AS a, {b:String} AS b ${index % 2 === 0 ? ', {c:String} AS c' : ''} FROM numbers(3)`;
          const given = { a: index, b: `text ${index}`, ...(index % 2 === 0 ? { c: `odd ${index}` } : {}) };
          expect(await readRows(sql, given)).toEqual([given, given, given]);
        });
        await Promise.all(reads);
      });

      it('are refused when one is missing, also when others gave it before', async () => {
        await Promise.all(
          Array.from({ length: 12 }, () => readRows('SELECT {mine:String} AS mine', { mine: 'secret' })),
        );
        const failures = await Promise.all(
          Array.from({ length: 12 }, () => failureOf(readRows('SELECT {mine:String} AS mine'))),
        );
        for (const failure of failures) expect(failure).toBeInstanceOf(InvariantError);
      });

      it('may stand in literals as text', async () => {
        expect(await readRows("SELECT '{mine:String}; ' AS text -- it's {theirs:String}; or not")).toEqual([
          { text: '{mine:String}; ' },
        ]);
      });

      it('are refused when they do not fit their type, or the statement', async () => {
        expect(await failureOf(readRows('SELECT {n:Int64} AS n', { n: 'many' }))).toBeInstanceOf(InputError);
        const failure = await failureOf(readRows('SELECT {t:String} AS t', { t: 'ü'.repeat(500_000) }));
        expect(failure).toBeInstanceOf(LimitError);
      });
    });

    describe('reads', () => {
      it('are evidence: statement, parameters, row count and digest', async () => {
        const sql = '\n SELECT number AS n, n / 3 AS third FROM numbers({rows:UInt8}) \n';
        const first = await database.read(sql, { rows: 3 }, bounds);
        expect(first.query).toEqual({
          sql: sql.trim(),
          parameters: { rows: 3 },
          rowCount: 3,
          digest: digestOf([
            { n: '0', third: 0 },
            { n: '1', third: 0.333333333 },
            { n: '2', third: 0.666666667 },
          ]),
        });
        expect((await database.read(sql, { rows: 3 }, bounds)).query).toEqual(first.query);
        expect((await database.read(sql, { rows: 4 }, bounds)).query.digest).not.toBe(first.query.digest);
      });

      it('give 64-bit integers as text, whole', async () => {
        const sql = "SELECT toUInt64('18446744073709551615') AS most, toInt64('-9223372036854775808') AS least";
        expect(await readRows(sql)).toEqual([{ most: '18446744073709551615', least: '-9223372036854775808' }]);
      });

      it('reject with LimitError beyond their rows and are never cut', async () => {
        expect(await readRows('SELECT number FROM numbers(1000)', {}, { maxRows: 1_000 })).toHaveLength(1_000);
        const one = await failureOf(readRows('SELECT number FROM numbers(1001)', {}, { maxRows: 1_000 }));
        expect(one).toBeInstanceOf(LimitError);
      });

      it('reject with LimitError also when the limit is met after many rows went out', async () => {
        const sql = "SELECT number, repeat('x', 50) AS text FROM numbers(400000)";
        for (let run = 0; run < 5; run++) {
          expect(await failureOf(readRows(sql, {}, { maxRows: 150_000 + run }))).toBeInstanceOf(LimitError);
        }
      });

      it('reject with LimitError beyond their memory, and leave the engine room for others', async () => {
        const sql = 'SELECT length(groupArray(number)) AS length FROM numbers(20000000)';
        const failure = await failureOf(readRows(sql, {}, { maxMemoryBytes: 20_000_000 }));
        expect(failure).toBeInstanceOf(LimitError);
        expect(await readRows(sql)).toEqual([{ length: '20000000' }]);
      });

      it('reject with LimitError after their time', async () => {
        const sql = 'SELECT count() AS count FROM numbers(10000000000000) WHERE cityHash64(number) = 1';
        expect(await failureOf(readRows(sql, {}, { timeoutMs: 500 }))).toBeInstanceOf(LimitError);
      });

      it('tell a statement of ours that breaks from an engine that is away', async () => {
        const late = "SELECT throwIf(number = 300000) AS ok, repeat('x', 50) AS text FROM numbers(400000)";
        for (const sql of [late, 'SELECT nothing FROM nowhere']) {
          expect(await failureOf(readRows(sql, {}, { maxRows: 1_000_000 }))).toBeInstanceOf(InvariantError);
        }
        expect(await failureOf(readRows('SELEC 1'))).toBeInstanceOf(InputError);
      });

      it('end with the reason of their signal, and leave room for others', async () => {
        const sql = "SELECT number, repeat('x', 1000) AS text FROM numbers(2000000)";
        const reads = Array.from({ length: 12 }, async (_, index) => {
          const signal = AbortSignal.timeout(50 + 40 * index);
          const failure = await failureOf(readRows(sql, {}, { maxRows: 2_000_000, signal }));
          expect(failure).toBe(signal.reason);
        });
        await Promise.all(reads);
        expect(await readRows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      });

      it('see their own database only', async () => {
        const other = await openDatabase({ ...reached.address, database: `${reached.database}_other` });
        try {
          await other.command('CREATE TABLE mine (n UInt8) ENGINE = MergeTree ORDER BY n');
          const names = 'SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name';
          expect((await other.read(names, {}, bounds)).rows).toEqual([{ name: 'mine' }]);
          expect(await readRows(names)).toEqual([{ name: 'kept' }]);
        } finally {
          await other.command(`DROP DATABASE ${other.name}`);
          await other.close();
        }
      });
    });

    describe('inserts', () => {
      const row = (number: number, text: string) => ({
        Number: String(number),
        Text: text,
        Labels: { [text]: text },
        At: '1767225600123456789',
      });

      it('store what looks like SQL as the text it is', async () => {
        const given = HOSTILE_TEXTS.map((text, index) => row(index, text));
        await database.insert('kept', given);
        const sql = `SELECT Number, Text, Labels, toString(toUnixTimestamp64Nano(At)) AS At FROM kept WHERE Number < 100 ORDER BY Number`;
        expect(await readRows(sql)).toEqual(given);
      });

      it('are all or nothing: one bad row refuses them with InputError', async () => {
        const good = Array.from({ length: 20_000 }, (_, index) => row(1_000 + index, 'good'));
        const bad = { ...row(1_000, 'bad'), Number: 'many' };
        for (const given of [[bad], [...good, bad], [bad, ...good]]) {
          expect(await failureOf(database.insert('kept', given))).toBeInstanceOf(InputError);
        }
        const badTime = { ...row(1_000, 'bad'), At: 'yesterday' };
        expect(await failureOf(database.insert('kept', [...good, badTime]))).toBeInstanceOf(InputError);
        expect(await countOf('Number >= 1000')).toBe(0);
      });

      it('of nothing are nothing, into nowhere are our mistake', async () => {
        await database.insert('kept', []);
        expect(await failureOf(database.insert('nowhere', [{ n: 1 }]))).toBeInstanceOf(InvariantError);
      });

      it('go in side by side', async () => {
        const inserts = Array.from({ length: 20 }, (_, index) =>
          database.insert('kept', [row(500_000 + index, 'side')]),
        );
        await Promise.all(inserts);
        expect(await countOf("Text = 'side'")).toBe(20);
      });
    });

    it('refuses a second statement behind the first', async () => {
      const failure = await failureOf(database.command('OPTIMIZE TABLE kept; DROP TABLE kept'));
      expect(failure).toBeInstanceOf(InputError);
      expect(await countOf('1')).toBeGreaterThanOrEqual(0);
    });

    it('answers with its version', async () => {
      expect(await database.version()).toMatch(/^\d+\.\d+\./);
    });

    it('does not open with a wrong password, nor where nobody listens', async () => {
      const wrong = { ...reached.address, password: 'not it', database: reached.database };
      expect(await failureOf(openDatabase(wrong))).toBeInstanceOf(ConfigError);
      const nobody = { ...reached.address, url: 'http://127.0.0.1:1', database: reached.database };
      expect(await failureOf(openDatabase(nobody))).toBeInstanceOf(UnavailableError);
    });
  });
}
