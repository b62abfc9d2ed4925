import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { UnavailableError } from '../platform/errors.ts';
import { retry } from '../platform/retry.ts';
import type { Database } from './database.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { createOnceTable, type OnceTable } from './once-register.ts';

let opened: TestDatabase;
let once: OnceTable;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());
beforeEach(async () => {
  await opened.database.command('TRUNCATE TABLE inquest_once');
  once = createOnceTable(opened.database);
});

it('has one winner of many at once, and everybody learns what it wrote', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, index) => once.putOnce('decision', `text ${index}`)),
  );
  expect(outcomes.filter(({ stored }) => stored)).toHaveLength(1);
  expect(new Set(outcomes.map(({ text }) => text))).toEqual(new Set(['text 0']));
  expect(await once.get('decision')).toBe('text 0');
});

it('keeps keys apart, whatever they look like', async () => {
  const keys = ['a', 'A', "it's", 'a\n\nDROP TABLE inquest_once', '', '\\', '%'];
  const outcomes = await Promise.all(keys.map((key) => once.putOnce(key, `of ${key}`)));
  expect(outcomes).toEqual(keys.map((key) => ({ stored: true, text: `of ${key}` })));
  expect(await once.get('b')).toBeUndefined();
});

it('stands after a restart', async () => {
  await once.putOnce('decision', 'first');
  const next = createOnceTable(await opened.reopen());
  expect(await next.putOnce('decision', 'second')).toEqual({ stored: false, text: 'first' });
});

it('goes on after a write that failed with the engine', async () => {
  process.kill(opened.engine.pid() ?? 0, 'SIGKILL');
  await expect(once.putOnce('decision', 'lost')).rejects.toBeInstanceOf(UnavailableError);
  const patience = { attempts: 500, baseDelayMs: 10, maxDelayMs: 40 };
  expect(await retry(() => once.putOnce('decision', 'kept'), patience)).toEqual({ stored: true, text: 'kept' });
});

it('has no second winner when the first gives up while its row is on its way', async () => {
  const caller = new AbortController();
  let arrival: Promise<void> = Promise.resolve();
  /** As the network can be: the row arrives, but after its caller gave up and the next one found the key free. */
  const slow: Database = {
    ...opened.database,
    insert: async (table, rows, signal) => {
      caller.abort();
      if (!signal?.aborted) return opened.database.insert(table, rows, signal);
      arrival = once.get('decision').then(() => opened.database.insert(table, rows));
      throw signal.reason;
    },
  };
  once = createOnceTable(slow);
  const outcomes = await Promise.allSettled([
    once.putOnce('decision', 'first', caller.signal),
    once.putOnce('decision', 'second'),
  ]);
  await arrival;
  const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value.stored);
  expect(winners).toHaveLength(1);
  expect(await once.get('decision')).toBe('first');
});
