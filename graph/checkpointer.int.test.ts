/** LangGraph's own validation suite against our saver over the real table. */
import { validate } from '@langchain/langgraph-checkpoint-validation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCheckpointTable } from '../clickhouse/checkpoints.ts';
import { openTestDatabase, type TestDatabase } from '../clickhouse/engine.fixture.ts';
import { createManualClock, systemClock } from '../platform/clock.ts';
import type { CheckpointRow } from './checkpoint-store.ts';
import { createCheckpointer } from './checkpointer.ts';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

const createTable = (clock = systemClock) => createCheckpointTable<CheckpointRow['kind']>(opened.database, clock);

validate({
  checkpointerName: 'StoredCheckpointSaver over ClickHouse',
  createCheckpointer: async () => {
    await opened.database.command('TRUNCATE TABLE inquest_checkpoints');
    return createCheckpointer(createTable());
  },
});

describe('the table of checkpoints', () => {
  const row = (key: string, text: string, change: Partial<CheckpointRow> = {}): CheckpointRow => ({
    threadId: 'inv_1',
    namespace: '',
    kind: 'write',
    key,
    text,
    ...change,
  });
  const query = { kind: 'write' as const, threadId: 'inv_1', namespace: '' };

  it('keeps the last row of each key, also within one millisecond, in descending order of keys', async () => {
    const table = createTable(createManualClock(Date.UTC(2026, 0, 1)));
    await table.put([row('a', '1'), row('b', '1'), row('Z', '1')]);
    await table.put([row('a', '2')]);
    await table.put([row('a', '3')]);
    await opened.database.command('OPTIMIZE TABLE inquest_checkpoints FINAL');
    const rows = await table.read(query);
    expect(rows).toEqual([row('b', '1'), row('a', '3'), row('Z', '1')]);
    expect(await table.read({ ...query, maxRows: 1 })).toEqual([row('b', '1')]);
    expect(await table.read({ ...query, keys: ['a', 'Z', 'none'] })).toHaveLength(2);
    expect(await table.read({ ...query, keyPrefix: 'a' })).toEqual([row('a', '3')]);
  });

  it('forgets one thread, and takes it up again', async () => {
    const table = createTable();
    const mine = { ...query, threadId: 'inv_2' };
    const other = row('a', 'other', { threadId: "inv_3'\\" });
    await table.put([
      row('a', '1', { threadId: 'inv_2' }),
      row('b', '1', { threadId: 'inv_2', namespace: 'sub' }),
      other,
    ]);
    expect(await table.listThreads()).toEqual(expect.arrayContaining(['inv_2', other.threadId]));
    await table.deleteThread('inv_2');
    expect(await table.listThreads()).not.toContain('inv_2');
    expect(await table.read({ kind: 'write', threadId: 'inv_2' })).toEqual([]);
    expect(await table.read({ kind: 'write', threadId: other.threadId })).toEqual([other]);
    await table.put([row('a', '2', { threadId: 'inv_2' })]);
    expect(await table.read(mine)).toEqual([row('a', '2', { threadId: 'inv_2' })]);
    expect(await table.listThreads()).toContain('inv_2');
    await table.deleteThread('nobody');
  });
});
