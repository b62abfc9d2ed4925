/**
 * Lets stored time happen again at another time: copies the rollups of a window, moved by a whole number of minutes. For evals of
 * detection over weeks: rollups are all that it reads, and raw rows need not be stored for them.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import { InputError } from '../platform/errors.ts';
import type { Database } from './database.ts';
import { settleWindow } from './settle-edges.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Columns beside Time that say when, in milliseconds. */
const MILLISECOND_COLUMNS = ['FirstMs', 'LastMs'];

/**
 * Copies every rollup's rows of the window to `byMs` later. A rollup that holds anything on a day of the place where they go is
 * left as it is there, so that the same copy made again adds nothing. Resolves with the rows copied.
 * Throws InputError unless the window and the shift are whole minutes and do not overlap.
 */
export async function cloneRollups(
  database: Database,
  { window, byMs }: { readonly window: TimeWindow; readonly byMs: number },
  signal?: AbortSignal,
): Promise<number> {
  const { startMs, endMs } = window;
  if ([startMs, endMs, byMs].some((ms) => ms % MINUTE_MS !== 0) || Math.abs(byMs) < endMs - startMs) {
    throw new InputError('A window is cloned by whole minutes, to where it does not overlap itself.');
  }
  // Where the spans do not go, only what is written down tells who calls whom.
  await settleWindow(database, window, signal);
  const targets = splitByDay({ startMs: startMs + byMs, endMs: endMs + byMs });
  let copied = 0;
  for (const rollup of await listRollups(database, signal)) {
    for (const target of targets) copied += await cloneDay(database, rollup, { target, byMs }, signal);
  }
  return copied;
}

/** A table's partition is a day: what goes into one at once is there in full or not at all. */
function splitByDay({ startMs, endMs }: TimeWindow): TimeWindow[] {
  const days: TimeWindow[] = [];
  for (let fromMs = startMs; fromMs < endMs; fromMs = days.at(-1)?.endMs ?? endMs) {
    days.push({ startMs: fromMs, endMs: Math.min(endMs, (Math.floor(fromMs / DAY_MS) + 1) * DAY_MS) });
  }
  return days;
}

/**
 * No insert token: the engine counts the blocks that a select makes, before it joins them, and their number depends on the parts
 * that are read, so that the same token let the same rows in twice.
 */
async function cloneDay(
  database: Database,
  { rollup, columns }: Rollup,
  { target, byMs }: { readonly target: TimeWindow; readonly byMs: number },
  signal: AbortSignal | undefined,
): Promise<number> {
  const source = { startMs: target.startMs - byMs, endMs: target.endMs - byMs };
  if ((await countRows(database, rollup, target, signal)) > 0) return 0;
  const changes = columns
    .filter((column) => column === 'Time' || MILLISECOND_COLUMNS.includes(column))
    .map((column) =>
      column === 'Time' ? `Time + toIntervalSecond(${byMs / 1000}) AS Time` : `${column} + ${byMs} AS ${column}`,
    );
  await database.command(
    `INSERT INTO ${rollup} SELECT * REPLACE (${changes.join(', ')}) FROM (SELECT * FROM ${rollup} WHERE ${within(source)})
     SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 10000000, min_insert_block_size_bytes = 4000000000`,
    signal,
    'clone',
  );
  return countRows(database, rollup, target, signal);
}

async function countRows(
  database: Database,
  rollup: string,
  window: TimeWindow,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { rows } = await database.read<{ count: string }>(
    `SELECT toString(count()) AS count FROM ${rollup} WHERE ${within(window)}`,
    {},
    { tag: 'clone', maxRows: 1, signal },
  );
  return Number(rows[0]?.count ?? 0);
}

function within({ startMs, endMs }: TimeWindow): string {
  return `Time >= toDateTime(${startMs / 1000}) AND Time < toDateTime(${endMs / 1000})`;
}

interface Rollup {
  readonly rollup: string;
  readonly columns: readonly string[];
}

/** Every table of ours that counts by time. */
async function listRollups(database: Database, signal: AbortSignal | undefined): Promise<readonly Rollup[]> {
  const { rows } = await database.read<Rollup>(
    `SELECT table AS rollup, groupArray(name) AS columns FROM system.columns
     WHERE database = {database:String} AND match(table, '^inquest_\\w+_(10s|1m|1h)$') AND table NOT LIKE 'inquest_baselines%'
     GROUP BY table HAVING has(columns, 'Time') ORDER BY table`,
    { database: database.name },
    { tag: 'clone', maxRows: 1_000, signal },
  );
  return rows;
}
