/** What is asked again when the engine goes away, and what never is. */
import { describe, expect, it } from 'vitest';
import { InputError, UnavailableError } from '../platform/errors.ts';
import type { Database } from './database.ts';
import { createPatientDatabase } from './patient-database.ts';

const cutOff = () => new UnavailableError('cut off', { cause: { code: 'ECONNRESET' } });
const refused = () => new UnavailableError('refused', { cause: { code: 'ECONNREFUSED' } });

/** A database that fails as told, then answers; calls and waits are noted. */
function open(failures: readonly Error[]) {
  const rest = [...failures];
  const seen = { calls: 0, waits: 0 };
  const answer = async () => {
    seen.calls++;
    const failure = rest.shift();
    if (failure) throw failure;
  };
  const database = {
    read: async () => {
      await answer();
      return { rows: [{ n: 1 }] };
    },
    insert: answer,
    version: async () => {
      await answer();
      return '1';
    },
  } as unknown as Database;
  const engine = {
    problem: () => undefined,
    untilRunning: async () => {
      seen.waits++;
    },
  };
  return { database: createPatientDatabase(database, engine), seen };
}
const BOUNDS = { tag: 'test', maxRows: 1 };

describe('an engine that dies', () => {
  it('is waited for, and what was read is read again', async () => {
    const { database, seen } = open([cutOff(), refused()]);
    expect((await database.read('SELECT 1', {}, BOUNDS)).rows).toEqual([{ n: 1 }]);
    expect(seen).toEqual({ calls: 3, waits: 2 });
    expect(await open([cutOff()]).database.version()).toBe('1');
  });

  it('may have stored what it was sent: that is sent again only when twice is as good as once', async () => {
    const plain = open([cutOff()]);
    await expect(plain.database.insert('t', [{}])).rejects.toThrow('cut off');
    expect(plain.seen.calls).toBe(1);
    const repeatable = open([cutOff(), cutOff()]);
    await repeatable.database.insert('t', [{}], undefined, { repeatable: true });
    expect(repeatable.seen.calls).toBe(3);
  });

  it('has stored nothing of what nobody took: that is sent again', async () => {
    const { database, seen } = open([refused(), refused()]);
    await database.insert('t', [{}]);
    expect(seen.calls).toBe(3);
    const mixed = open([refused(), cutOff()]);
    await expect(mixed.database.insert('t', [{}])).rejects.toThrow('cut off');
    expect(mixed.seen.calls).toBe(2);
  });

  it('for good is not waited for without end', async () => {
    const { database, seen } = open(Array.from({ length: 100 }, refused));
    await expect(database.read('SELECT 1', {}, BOUNDS)).rejects.toThrow('refused');
    expect(seen.calls).toBeLessThan(20);
  });
});

it('what is wrong is not asked again, nor what nobody waits for', async () => {
  const wrong = open([new InputError('wrong')]);
  await expect(wrong.database.read('SELECT', {}, BOUNDS)).rejects.toThrow('wrong');
  expect(wrong.seen.calls).toBe(1);
  const given = open([cutOff()]);
  await expect(given.database.read('SELECT 1', {}, { ...BOUNDS, signal: AbortSignal.abort() })).rejects.toThrow();
  expect(given.seen.calls).toBe(1);
});
