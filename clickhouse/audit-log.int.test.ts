import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuditContent, findBrokenEntry, GENESIS_HASH } from '../domain/audit.ts';
import { UnavailableError } from '../platform/errors.ts';
import { retry } from '../platform/retry.ts';
import { type AuditLog, createAuditLog } from './audit-log.ts';
import type { Database } from './database.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';

let opened: TestDatabase;
let log: AuditLog;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());
beforeEach(async () => {
  await opened.database.command('TRUNCATE TABLE inquest_audit');
  log = createAuditLog(opened.database);
});

const content = (subject: string): AuditContent => ({
  atMs: 1_767_225_600_000,
  actor: 'alice',
  kind: 'approval.decided',
  subject,
  details: { reason: `it's "fine"\n\n\\ ✓`, nested: { list: [1, 0.5, null], left: undefined }, at: new Date(0) },
});
const subjects = async () => (await log.list(1, 1_000)).map(({ subject }) => subject);
const numbered = Array.from({ length: 60 }, (_, index) => `inc_${index}`);

describe('the chain', () => {
  it('is whole, and in the order of the calls, however many append at once', async () => {
    const appended = await Promise.all(numbered.map((subject) => log.append(content(subject))));
    const entries = await log.list(1, 1_000);
    expect(entries.map(({ subject }) => subject)).toEqual(numbered);
    expect(entries.map(({ hash }) => hash)).toEqual(appended.map(({ hash }) => hash));
    expect(entries[0]).toMatchObject({ sequence: 1, previousHash: GENESIS_HASH });
    expect(findBrokenEntry(entries)).toBeUndefined();
  });

  it('goes on after a restart', async () => {
    await log.append(content('before'));
    const next = createAuditLog(await opened.reopen());
    await next.append(content('after'));
    const entries = await next.list(1, 10);
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
    expect(await subjects()).toEqual(['before', 'after']);
    expect(findBrokenEntry(await log.list(1, 10))).toBeUndefined();
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
    log = createAuditLog(slow);
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
    expect((await log.list(2, 2)).map(({ subject }) => subject)).toEqual(['b', 'c']);
    expect(await log.list(9, 10)).toEqual([]);
  });
});

describe('tampering', () => {
  beforeEach(async () => {
    for (const subject of ['a', 'b', 'c', 'd']) await log.append(content(subject));
  });

  it.each([
    ['a changed reason', "UPDATE Body = replaceOne(Body, 'fine', 'bad') WHERE Sequence = 2", 2],
    ['another actor', "UPDATE Body = replaceOne(Body, 'alice', 'mallory') WHERE Sequence = 4", 4],
    ['an entry taken out', 'DELETE WHERE Sequence = 3', 3],
    ['the first entry taken out', 'DELETE WHERE Sequence = 1', 1],
  ])('%s is found where it was done', async (_, mutation, sequence) => {
    await opened.database.command(`ALTER TABLE inquest_audit ${mutation} SETTINGS mutations_sync = 1`);
    expect(findBrokenEntry(await log.list(1, 10))).toBe(sequence);
  });
});
