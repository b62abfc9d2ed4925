import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type AuditContent,
  type AuditEntry,
  auditEntrySchema,
  findBrokenEntry,
  GENESIS,
  HEAD_REPLACED,
  sealAuditEntry,
} from '../domain/audit.ts';
import { UnavailableError } from '../platform/errors.ts';
import { retry } from '../platform/retry.ts';
import { AUDIT_KEY_FILE, auditHeadFile, createAuditHead } from '../runtime/audit-head.ts';
import { type AuditHead, type AuditLog, createAuditLog } from './audit-log.ts';
import type { Database } from './database.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';

let opened: TestDatabase;
let log: AuditLog;
let head: AuditHead;
let dataDir: string;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());
beforeEach(async () => {
  await opened.database.command('TRUNCATE TABLE inquest_audit');
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-audit-'));
  head = createAuditHead({ dataDir, name: 'test' });
  log = createAuditLog(opened.database, head);
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const content = (subject: string): AuditContent => ({
  atMs: 1_767_225_600_000,
  actor: 'alice',
  kind: 'approval.decided',
  subject,
  details: { reason: `it's "fine"\n\n\\ ✓`, nested: { list: [1, 0.5, null], left: undefined }, at: new Date(0) },
});
const entriesOf = async (from = 1, limit = 1_000) => z.array(auditEntrySchema).parse(await log.list(from, limit));
const subjects = async () => (await entriesOf()).map(({ subject }) => subject);
const numbered = Array.from({ length: 20 }, (_, index) => `inc_${index}`);

describe('the chain', () => {
  it('is whole, and in the order of the calls, however many append at once', async () => {
    const appended = await Promise.all(numbered.map((subject) => log.append(content(subject))));
    const entries = await entriesOf();
    expect(entries.map(({ subject }) => subject)).toEqual(numbered);
    expect(entries.map(({ hash }) => hash)).toEqual(appended.map(({ hash }) => hash));
    expect(entries[0]).toMatchObject({ sequence: 1, previousHash: GENESIS.hash });
    expect(findBrokenEntry(entries)).toBeUndefined();
  });

  it('goes on after a restart', async () => {
    await log.append(content('before'));
    log = createAuditLog(await opened.reopen(), createAuditHead({ dataDir, name: 'test' }));
    await log.append(content('after'));
    const entries = await entriesOf();
    expect(entries.map(({ sequence, subject }) => [sequence, subject])).toEqual([
      [1, 'before'],
      [2, 'after'],
    ]);
    expect(findBrokenEntry(entries)).toBeUndefined();
  });

  it('goes on after an append that failed with the engine', async () => {
    await log.append(content('before'));
    process.kill(opened.engine.pid() ?? 0, 'SIGKILL');
    await expect(log.append(content('lost'))).rejects.toBeInstanceOf(UnavailableError);
    await retry(() => log.append(content('after')), { attempts: 500, baseDelayMs: 10, maxDelayMs: 40 });
    // It was on its way, so it is told: nobody knows what its caller did when it failed.
    expect(await subjects()).toEqual(['before', 'lost', 'after']);
    expect(await log.verify()).toMatchObject({ whole: true, entries: 3 });
  });

  it('is not split by a caller that gives up while its row is on its way', async () => {
    const caller = new AbortController();
    let arrival: Promise<void> = Promise.resolve();
    /** As the network can be: the row arrives, but after its caller gave up and the next one asked for the head. */
    const slow: Database = {
      ...opened.database,
      insert: async (table, rows, signal) => {
        caller.abort();
        if (!signal?.aborted) return opened.database.insert(table, rows, signal);
        arrival = log.list(1, 10).then(() => opened.database.insert(table, rows));
        throw signal.reason;
      },
    };
    log = createAuditLog(slow, head);
    await Promise.allSettled([log.append(content('first'), caller.signal)]);
    await log.append(content('second'));
    await arrival;
    expect(findBrokenEntry(await log.list(1, 10))).toBeUndefined();
  });

  it('has nothing of a caller that had given up before', async () => {
    const reason = new DOMException('stopped', 'AbortError');
    await expect(log.append(content('never'), AbortSignal.abort(reason))).rejects.toBe(reason);
    await log.append(content('next'));
    expect(await subjects()).toEqual(['next']);
  });
});

describe('a list', () => {
  it('is a part of the chain, by sequence', async () => {
    for (const subject of ['a', 'b', 'c', 'd']) await log.append(content(subject));
    expect((await entriesOf(2, 2)).map(({ subject }) => subject)).toEqual(['b', 'c']);
    expect(await log.list(9, 10)).toEqual([]);
    const newest = z.array(auditEntrySchema).parse(await log.list(undefined, 3));
    expect(newest.map(({ subject }) => subject)).toEqual(['b', 'c', 'd']);
  });
});

describe('a crash between two steps of an append', () => {
  /** As after a kill: what was written stays, nothing more is. */
  const crashing = (at: 'first head' | 'row' | 'second head', survives: boolean): AuditLog => {
    let heads = 0;
    const crash = new UnavailableError('killed');
    const database: Database = {
      ...opened.database,
      insert: async (table, rows) => {
        if (at !== 'row' || survives) await opened.database.insert(table, rows);
        if (at === 'row') throw crash;
      },
    };
    const write: AuditHead['write'] = async (record, expected) => {
      heads += 1;
      const isHere = heads === (at === 'first head' ? 1 : 2);
      if (!isHere || survives) await head.write(record, expected);
      if (isHere) throw crash;
      return true;
    };
    return createAuditLog(database, { ...head, write });
  };

  it.each([
    ['first head', false, ['a', 'c']],
    ['first head', true, ['a', 'b', 'c']],
    ['row', false, ['a', 'b', 'c']],
    ['row', true, ['a', 'b', 'c']],
    ['second head', false, ['a', 'b', 'c']],
    ['second head', true, ['a', 'b', 'c']],
  ] as const)('is no tampering: at its %s, written: %s', async (at, survives, told) => {
    await log.append(content('a'));
    await expect(crashing(at, survives).append(content('b'))).rejects.toThrow('killed');
    expect(await log.verify()).toMatchObject({ whole: true });
    log = createAuditLog(opened.database, createAuditHead({ dataDir, name: 'test' }));
    await log.append(content('c'));
    expect(await subjects()).toEqual(told);
    expect(await log.verify()).toMatchObject({ whole: true, problems: [] });
  });

  it('is none either when the row comes late, beside the one that was written for it', async () => {
    await log.append(content('a'));
    await expect(crashing('row', false).append(content('b'))).rejects.toThrow('killed');
    await log.append(content('c'));
    const [, late] = await entriesOf();
    if (!late) return expect.fail('there are three');
    await insertEntry(late);
    await log.append(content('d'));
    expect(await subjects()).toEqual(['a', 'b', 'c', 'd']);
    expect(await log.verify()).toMatchObject({ whole: true });
  });

  it('leaves nothing said when the disk takes no head', async () => {
    const full = { ...head, write: () => Promise.reject(new UnavailableError('no space')) };
    await expect(createAuditLog(opened.database, full).append(content('a'))).rejects.toThrow('no space');
    expect(await log.list(1, 10)).toEqual([]);
  });
});

/** As somebody with the database's password would. */
async function insertEntry(entry: AuditEntry): Promise<void> {
  const { sequence, atMs, actor, kind, subject } = entry;
  const row = { Sequence: sequence, AtTime: atMs, Actor: actor, Kind: kind, Subject: subject };
  await opened.database.insert('inquest_audit', [{ ...row, Body: JSON.stringify(entry) }]);
}

async function rewriteWith(change: (contents: AuditContent[]) => AuditContent[]): Promise<void> {
  const contents = (await entriesOf()).map(({ sequence: _, previousHash: __, hash: ___, ...rest }) => rest);
  await opened.database.command('TRUNCATE TABLE inquest_audit');
  let previous: AuditEntry | undefined;
  for (const one of change(contents)) {
    previous = sealAuditEntry(one, previous);
    await insertEntry(previous);
  }
}

const mutate = (mutation: string) =>
  opened.database.command(`ALTER TABLE inquest_audit ${mutation} SETTINGS mutations_sync = 1`);

describe('tampering', () => {
  beforeEach(async () => {
    for (const subject of ['a', 'b', 'c', 'd']) await log.append(content(subject));
  });
  const keyPath = () => join(dataDir, AUDIT_KEY_FILE);
  const headPath = () => join(dataDir, auditHeadFile('test'));
  const editHead = (edit: (text: string) => string) =>
    writeFileSync(headPath(), edit(readFileSync(headPath(), 'utf8')));

  const matrix: [what: string, tamper: () => unknown, sequence: number | undefined, problem: RegExp][] = [
    ['a changed reason', () => mutate("UPDATE Body = replaceOne(Body, 'fine', 'bad') WHERE Sequence = 2"), 2, /edited/],
    [
      'another actor',
      () => mutate("UPDATE Body = replaceOne(Body, 'alice', 'eve') WHERE Sequence = 4"),
      4,
      /contradict/,
    ],
    ['another actor beside the body', () => mutate("UPDATE Actor = 'eve' WHERE Sequence = 3"), 3, /contradict/],
    ['a body that is none', () => mutate('UPDATE Body = \'{"x"\' WHERE Sequence = 3'), 3, /no audit entry/],
    ['an empty body at the end', () => mutate("UPDATE Body = '' WHERE Sequence = 4"), 4, /no audit entry/],
    ['an entry taken out', () => mutate('DELETE WHERE Sequence = 3'), 3, /missing/],
    ['the first entry taken out', () => mutate('DELETE WHERE Sequence = 1'), 1, /missing/],
    ['the last entry cut off', () => mutate('DELETE WHERE Sequence = 4'), 4, /vouches for 4/],
    ['the tail cut off', () => mutate('DELETE WHERE Sequence >= 3'), 3, /vouches for 4/],
    ['all taken out', () => opened.database.command('TRUNCATE TABLE inquest_audit'), 1, /vouches for 4/],
    ['an entry put in', () => insertEntry(sealAuditEntry(content('x'), GENESIS)), 1, /./],
    [
      'an entry put behind',
      async () => insertEntry(sealAuditEntry(content('x'), (await entriesOf())[3])),
      5,
      /not written by this Inquest/,
    ],
    ['one with a number beyond all', () => insertEntry({ ...sealAuditEntry(content('x')), sequence: 2 ** 60 }), 5, /./],
    ['the whole table rewritten', () => rewriteWith((all) => all.with(1, content('z'))), 4, /rewritten/],
    ['it rewritten shorter', () => rewriteWith((all) => all.toSpliced(1, 1)), 4, /vouches for 4/],
    ['the head deleted', () => rmSync(headPath()), undefined, /head .* is missing/],
    ['the head emptied', () => editHead(() => ''), undefined, /head .* was altered/],
    ['the head edited', () => editHead((text) => text.replace('"sequence":4', '"sequence":3')), undefined, /altered/],
    ['the key deleted', () => rmSync(keyPath()), undefined, /key .* is missing/],
    ['the key replaced', () => writeFileSync(keyPath(), 'a'.repeat(64)), undefined, /altered/],
    [
      'key and head deleted',
      () => {
        rmSync(keyPath());
        rmSync(headPath());
      },
      undefined,
      /key .* is missing/,
    ],
  ];

  it.each(matrix)('is found: %s', async (_, tamper, sequence, problem) => {
    expect(await log.verify()).toMatchObject({ whole: true, entries: 4, problems: [] });
    await tamper();
    const { whole, problems } = await log.verify();
    expect(whole).toBe(false);
    expect(problems[0]?.sequence).toBe(sequence);
    expect(problems[0]?.problem).toMatch(problem);
    expect(await log.list(1, 10)).toBeInstanceOf(Array);

    // And it stays found, whatever is appended after it, by this process or the next.
    await log.append(content('after'));
    expect((await log.verify()).whole).toBe(false);
    await createAuditLog(opened.database, createAuditHead({ dataDir, name: 'test' })).append(content('later'));
    expect((await log.verify()).whole).toBe(false);
  });

  it('a head that was lost is replaced under a mark that says so', async () => {
    rmSync(headPath());
    await log.append(content('after'));
    expect((await entriesOf()).slice(4)).toMatchObject([
      { sequence: 5, kind: HEAD_REPLACED, details: { reason: expect.stringContaining('missing') } },
      { sequence: 6, subject: 'after' },
    ]);
    expect((await log.verify()).problems).toEqual([
      { sequence: 5, problem: expect.stringContaining('nobody vouches for what stands before') },
    ]);
  });

  it('cannot be hidden by another log of the same data directory', async () => {
    rmSync(headPath());
    await createAuditHead({ dataDir, name: 'other' }).write({ standing: GENESIS }, await head.read());
    writeFileSync(headPath(), readFileSync(join(dataDir, auditHeadFile('other'))));
    expect((await log.verify()).problems[0]?.problem).toContain('altered');
  });

  it('needs the key, which is for its owner only', () => {
    for (const path of [keyPath(), headPath()]) expect(statSync(path).mode & 0o077).toBe(0);
  });
});

it('reads a chain that is longer than a page', async () => {
  let previous: AuditEntry | undefined;
  const rows: object[] = [];
  for (let count = 0; count < 2_500; count++) {
    previous = sealAuditEntry(content(`inc_${count}`), previous);
    const { sequence, atMs, actor, kind, subject } = previous;
    const columns = { Sequence: sequence, AtTime: atMs, Actor: actor, Kind: kind, Subject: subject };
    rows.push({ ...columns, Body: JSON.stringify(previous) });
  }
  await opened.database.insert('inquest_audit', rows);
  if (previous) await head.write({ standing: { sequence: previous.sequence, hash: previous.hash } }, await head.read());
  expect(await log.verify()).toMatchObject({ whole: true, entries: 2_500, last: { sequence: 2_500 } });
  await mutate('DELETE WHERE Sequence = 1001');
  expect((await log.verify()).problems[0]).toMatchObject({ sequence: 1_001 });
});
