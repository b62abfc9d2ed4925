/** First write wins: a key's text is what was stored under it first. One process owns it (the host); within it, calls queue. */
import type { Database } from './database.ts';

export interface OnceTable {
  /** Stores `text` unless the key has one already; answers what stands there and whether this call put it there. */
  putOnce(
    key: string,
    text: string,
    signal?: AbortSignal,
  ): Promise<{ readonly stored: boolean; readonly text: string }>;
  get(key: string, signal?: AbortSignal): Promise<string | undefined>;
}

export function createOnceTable(database: Database): OnceTable {
  let last: Promise<unknown> = Promise.resolve();

  async function get(key: string, signal?: AbortSignal): Promise<string | undefined> {
    const { rows } = await database.read<{ Text: string }>(
      'SELECT Text FROM inquest_once WHERE Key = {key:String} ORDER BY WrittenAt, Text LIMIT 1',
      { key },
      { tag: 'once.get', maxRows: 1, signal },
    );
    return rows[0]?.Text;
  }

  async function put(key: string, text: string, signal?: AbortSignal): Promise<{ stored: boolean; text: string }> {
    const before = await get(key, signal);
    if (before !== undefined) return { stored: false, text: before };
    // Once on its way it is not called back: it could arrive after another call had found the key free.
    signal?.throwIfAborted();
    await database.insert('inquest_once', [{ Key: key, Text: text }], undefined, { repeatable: true });
    return { stored: true, text };
  }

  return {
    get,
    putOnce: (key, text, signal) => {
      const next = last.then(
        () => put(key, text, signal),
        () => put(key, text, signal),
      );
      last = next;
      return next;
    },
  };
}
