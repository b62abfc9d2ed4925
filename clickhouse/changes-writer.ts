/** Recorded changes into their table; a change that is sent again under its id replaces the earlier one. */
import type { Change } from '../domain/change.ts';
import type { Database } from './database.ts';

export type WriteChanges = (changes: readonly Change[], signal?: AbortSignal) => Promise<void>;

/** The writer resolves when the changes are stored; rejects with UnavailableError (retry) or InputError. */
export function createChangesWriter(database: Database): WriteChanges {
  return async (changes, signal) => {
    const rows = changes.map((change) => ({
      ChangeId: change.changeId,
      Kind: change.kind,
      ServiceName: change.service,
      Timestamp: String(change.atMs),
      Version: change.version,
      Summary: change.summary,
      Author: change.author,
      Url: change.url,
      Attributes: change.attributes,
      Diff: change.diff,
    }));
    await database.insert('inquest_changes', rows, signal);
  };
}
