/** Durable rows for the graph's checkpoints: text under (thread, namespace, kind, key), the newest version of each. */
import type { Database } from './database.ts';
import { readNewestVersion } from './row-versions.ts';

export interface CheckpointTextRow<Kind extends string> {
  readonly threadId: string;
  readonly namespace: string;
  readonly kind: Kind;
  readonly key: string;
  readonly text: string;
}

export interface CheckpointTextQuery<Kind extends string> {
  readonly kind: Kind;
  readonly threadId?: string | undefined;
  readonly namespace?: string | undefined;
  readonly keys?: readonly string[];
  readonly keyPrefix?: string;
  readonly maxRows?: number;
}

export interface CheckpointTable<Kind extends string> {
  /** One insert: all rows or none. Resolves when they would survive a crash of this process or the engine. */
  put(rows: readonly CheckpointTextRow<Kind>[], version: number, signal?: AbortSignal): Promise<void>;
  /** The greatest version of each row, in descending order of versions, then of keys. */
  read(query: CheckpointTextQuery<Kind>, signal?: AbortSignal): Promise<readonly CheckpointTextRow<Kind>[]>;
  deleteThread(threadId: string, signal?: AbortSignal): Promise<void>;
  /** The greatest version that any row has. */
  newestVersion(signal?: AbortSignal): Promise<number>;
  /** Threads of which anything is left. */
  listThreads(signal?: AbortSignal): Promise<readonly string[]>;
}

const MAX_ROWS = 100_000;

export function createCheckpointTable<Kind extends string>(database: Database): CheckpointTable<Kind> {
  return {
    put: async (rows, version, signal) => {
      const stored = rows.map(({ threadId, namespace, kind, key, text }) => ({
        ThreadId: threadId,
        Namespace: namespace,
        Kind: kind,
        Key: key,
        Text: text,
        Version: String(version),
      }));
      await database.insert('inquest_checkpoints', stored, signal, { repeatable: true });
    },
    read: (query, signal) => readRows(database, query, signal),
    newestVersion: (signal) => readNewestVersion(database, 'inquest_checkpoints', signal),
    listThreads: async (signal) => {
      const { rows } = await database.read<{ ThreadId: string }>(
        `SELECT DISTINCT ThreadId FROM (
           SELECT ThreadId, argMax(IsDeleted, (Version, IsDeleted)) AS Gone
           FROM inquest_checkpoints GROUP BY ThreadId, Namespace, Kind, Key
         ) WHERE Gone = 0 ORDER BY ThreadId`,
        {},
        { tag: 'checkpoints.threads', maxRows: MAX_ROWS, signal },
      );
      return rows.map(({ ThreadId }) => ThreadId);
    },
    deleteThread: async (threadId, signal) => {
      // Tombstones instead of a mutation: inserts are what the engine does safely and at once.
      const { rows } = await database.read<{ Namespace: string; Kind: string; Key: string; Version: string }>(
        `SELECT Namespace, Kind, Key, toString(max(Version) + 1) AS Version
         FROM inquest_checkpoints WHERE ThreadId = {threadId:String}
         GROUP BY Namespace, Kind, Key ORDER BY Namespace, Kind, Key`,
        { threadId },
        { tag: 'checkpoints.delete', maxRows: MAX_ROWS, signal },
      );
      const tombstones = rows.map((row) => ({ ...row, ThreadId: threadId, Text: '', IsDeleted: 1 }));
      await database.insert('inquest_checkpoints', tombstones, signal, { repeatable: true });
    },
  };
}

interface StoredRow<Kind> {
  ThreadId: string;
  Namespace: string;
  Kind: Kind;
  Key: string;
  Newest: string;
}

async function readRows<Kind extends string>(
  database: Database,
  query: CheckpointTextQuery<Kind>,
  signal: AbortSignal | undefined,
): Promise<CheckpointTextRow<Kind>[]> {
  const conditions = ['Kind = {kind:String}'];
  const parameters: Record<string, string | number | string[]> = {
    kind: query.kind,
    maxRows: query.maxRows ?? MAX_ROWS,
  };
  if (query.threadId !== undefined) {
    conditions.push('ThreadId = {threadId:String}');
    parameters['threadId'] = query.threadId;
  }
  if (query.namespace !== undefined) {
    conditions.push('Namespace = {namespace:String}');
    parameters['namespace'] = query.namespace;
  }
  if (query.keys !== undefined) {
    conditions.push('Key IN {keys:Array(String)}');
    parameters['keys'] = [...query.keys];
  }
  if (query.keyPrefix !== undefined) {
    conditions.push('startsWith(Key, {keyPrefix:String})');
    parameters['keyPrefix'] = query.keyPrefix;
  }
  const { rows } = await database.read<StoredRow<Kind>>(
    `SELECT ThreadId, Namespace, Kind, Key, argMax(Text, (Version, IsDeleted)) AS Newest
     FROM inquest_checkpoints
     WHERE ${conditions.join(' AND ')}
     GROUP BY ThreadId, Namespace, Kind, Key
     HAVING argMax(IsDeleted, (Version, IsDeleted)) = 0
     ORDER BY max(Version) DESC, Key DESC, ThreadId, Namespace
     LIMIT {maxRows:UInt32}`,
    parameters,
    { tag: 'checkpoints.read', maxRows: MAX_ROWS, signal },
  );
  return rows.map((row) => ({
    threadId: row.ThreadId,
    namespace: row.Namespace,
    kind: row.Kind,
    key: row.Key,
    text: row.Newest,
  }));
}
