/** LangGraph's own validation suite against our saver over the real table. */
import { validate } from '@langchain/langgraph-checkpoint-validation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCheckpointTable } from '../clickhouse/checkpoints.ts';
import { openTestDatabase, type TestDatabase } from '../clickhouse/engine.fixture.ts';
import type { CheckpointRow } from './checkpoint-store.ts';
import { createCheckpointer } from './checkpointer.ts';
import { createFence } from './fence.ts';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

const createTable = () => createCheckpointTable<CheckpointRow['kind']>(opened.database);

validate({
  checkpointerName: 'StoredCheckpointSaver over ClickHouse',
  createCheckpointer: async () => {
    await opened.database.command('TRUNCATE TABLE inquest_checkpoints');
    return createCheckpointer(createTable(), createFence(1));
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

  it('keeps the greatest version of each row, whenever it came, the newest first', async () => {
    const table = createTable();
    await table.put([row('a', '1'), row('b', '1'), row('Z', '1')], 1);
    await table.put([row('a', '3')], 3);
    await table.put([row('a', '2'), row('c', '2')], 2);
    for (const merged of [false, true]) {
      if (merged) await opened.database.command('OPTIMIZE TABLE inquest_checkpoints FINAL');
      expect(await table.read(query)).toEqual([row('a', '3'), row('c', '2'), row('b', '1'), row('Z', '1')]);
    }
    expect(await table.newestVersion()).toBe(3);
    expect(await table.read({ ...query, maxRows: 1 })).toEqual([row('a', '3')]);
    expect(await table.read({ ...query, keys: ['a', 'Z', 'none'] })).toHaveLength(2);
    expect(await table.read({ ...query, keyPrefix: 'a' })).toEqual([row('a', '3')]);
  });

  it('forgets one thread, and takes it up again', async () => {
    const table = createTable();
    const mine = { ...query, threadId: 'inv_2' };
    const other = row('a', 'other', { threadId: "inv_3'\\" });
    await table.put(
      [row('a', '1', { threadId: 'inv_2' }), row('b', '1', { threadId: 'inv_2', namespace: 'sub' }), other],
      2 ** 52,
    );
    expect(await table.listThreads()).toEqual(expect.arrayContaining(['inv_2', other.threadId]));
    await table.deleteThread('inv_2');
    expect(await table.listThreads()).not.toContain('inv_2');
    expect(await table.read({ kind: 'write', threadId: 'inv_2' })).toEqual([]);
    expect(await table.read({ kind: 'write', threadId: other.threadId })).toEqual([other]);
    await table.put([row('a', '2', { threadId: 'inv_2' })], 2 ** 52 + 2);
    expect(await table.read(mine)).toEqual([row('a', '2', { threadId: 'inv_2' })]);
    expect(await table.listThreads()).toContain('inv_2');
    await table.deleteThread('nobody');
  });
});
