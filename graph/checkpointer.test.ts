/** LangGraph's own validation suite against our saver, over the smallest store that keeps the CheckpointStore contract. */
import { validate } from '@langchain/langgraph-checkpoint-validation';
import { describe, expect, it } from 'vitest';
import type { CheckpointQuery, CheckpointRow, CheckpointStore } from './checkpoint-store.ts';
import { createCheckpointer } from './checkpointer.ts';
import { createFence } from './fence.ts';

function createArrayStore(): CheckpointStore {
  const rows = new Map<string, CheckpointRow & { readonly version: number }>();
  const identity = ({ threadId, namespace, kind, key }: CheckpointRow) =>
    JSON.stringify([threadId, namespace, kind, key]);
  const matches = (row: CheckpointRow, query: CheckpointQuery) =>
    row.kind === query.kind &&
    (query.threadId === undefined || row.threadId === query.threadId) &&
    (query.namespace === undefined || row.namespace === query.namespace) &&
    (query.keys === undefined || query.keys.includes(row.key)) &&
    row.key.startsWith(query.keyPrefix ?? '');
  return {
    async put(added, version) {
      for (const row of added) rows.set(identity(row), { ...row, version });
    },
    async read(query) {
      const found = [...rows.values()].filter((row) => matches(row, query));
      return found.sort((left, right) => right.version - left.version).slice(0, query.maxRows);
    },
    async deleteThread(threadId) {
      for (const [id, row] of rows) if (row.threadId === threadId) rows.delete(id);
    },
  };
}

validate({
  checkpointerName: 'StoredCheckpointSaver',
  createCheckpointer: () => createCheckpointer(createArrayStore(), createFence(1)),
});

describe('checkpointer', () => {
  const config = { configurable: { thread_id: 't', checkpoint_ns: '' } };
  const checkpoint = (id: string, values: Record<string, unknown> = {}) => ({
    v: 4,
    id,
    ts: '2026-01-01T00:00:00.000Z',
    channel_values: values,
    channel_versions: Object.fromEntries(Object.keys(values).map((channel) => [channel, 1])),
    versions_seen: {},
  });
  const metadata = { source: 'loop' as const, step: 0, parents: {} };

  it('brings back data as data, whatever it looks like', async () => {
    const checkpointer = createCheckpointer(createArrayStore(), createFence(1));
    const hostile = { lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'HumanMessage'], kwargs: {} };
    await checkpointer.put(config, checkpoint('a', { board: hostile }), metadata, { board: 1 });
    expect((await checkpointer.get(config))?.channel_values).toEqual({ board: hostile });
  });

  it('orders pending writes by task path, task and position', async () => {
    const checkpointer = createCheckpointer(createArrayStore(), createFence(1));
    const saved = await checkpointer.put(config, checkpoint('a'), metadata, {});
    await checkpointer.putWrites(
      saved,
      [
        ['x', 3],
        ['y', 4],
      ],
      'task-a',
      '~2',
    );
    await checkpointer.putWrites(saved, [['x', 1]], 'task-b', '~1');
    await checkpointer.putWrites(saved, [['__interrupt__', 2]], 'task-a', '~2');
    const tuple = await checkpointer.getTuple(config);
    expect(tuple?.pendingWrites?.map((write) => write[2])).toEqual([1, 2, 3, 4]);
  });

  it('keeps the values of two branches apart', () => {
    const checkpointer = createCheckpointer(createArrayStore(), createFence(1));
    const first = checkpointer.getNextVersion(undefined);
    const branches = [checkpointer.getNextVersion(first), checkpointer.getNextVersion(first)];
    expect(new Set(branches).size).toBe(2);
    expect(Math.min(...branches)).toBeGreaterThan(first);
  });
});
