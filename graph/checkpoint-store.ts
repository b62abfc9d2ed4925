/** Where checkpoints are kept: rows of text under a key, nothing of LangGraph in it, so that any database can hold them. */

/**
 * One row. (threadId, namespace, kind, key) is its identity; `text` is JSON.
 * `checkpoint`: the key is the checkpoint's id. `channel`: one value of one state channel, shared by all
 * checkpoints since it changed. `write`: what one task of the step after a checkpoint has answered; the key begins with the
 * checkpoint's id.
 */
export interface CheckpointRow {
  readonly threadId: string;
  readonly namespace: string;
  readonly kind: 'checkpoint' | 'channel' | 'write';
  readonly key: string;
  readonly text: string;
}

/** What is left out does not narrow. */
export interface CheckpointQuery {
  readonly kind: CheckpointRow['kind'];
  readonly threadId?: string | undefined;
  readonly namespace?: string | undefined;
  /** Exactly these keys. */
  readonly keys?: readonly string[];
  readonly keyPrefix?: string;
  readonly maxRows?: number;
}

/** May reject with UnavailableError. */
export interface CheckpointStore {
  /**
   * Stores all rows or none; a row that is there under a lesser version is replaced. Resolves when they would survive a crash.
   */
  put(rows: readonly CheckpointRow[], version: number, signal?: AbortSignal): Promise<void>;

  /** The newest version of each row, in descending order of versions, then of keys (by code unit). */
  read(query: CheckpointQuery, signal?: AbortSignal): Promise<readonly CheckpointRow[]>;

  /** Forgets every row of a thread. */
  deleteThread(threadId: string, signal?: AbortSignal): Promise<void>;
}
