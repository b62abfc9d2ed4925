/** Versions for rows that replace each other: each call's is above all before it, in this process and in the table. */
import type { Clock } from '../platform/clock.ts';
import type { Database } from './database.ts';

/**
 * Microseconds of the clock where that is enough. A clock that was set back, also while no host ran, must not let what was
 * stored earlier win over what is stored now: the first call looks at the newest version of the table.
 */
export function createRowVersions(database: Database, table: string, clock: Clock): () => Promise<number> {
  let last: number | undefined;
  let reading: Promise<number> | undefined;

  return async () => {
    if (last === undefined) {
      reading ??= readNewestVersion(database, table).finally(() => {
        reading = undefined;
      });
      const newest = await reading;
      last ??= newest;
    }
    last = Math.max(last + 1, clock.nowMs() * 1_000);
    return last;
  };
}

export async function readNewestVersion(database: Database, table: string, signal?: AbortSignal): Promise<number> {
  const { rows } = await database.read<{ newest: number }>(
    `SELECT toFloat64(max(Version)) AS newest FROM ${table}`,
    {},
    { tag: 'versions', maxRows: 1, signal },
  );
  return rows[0]?.newest ?? 0;
}
