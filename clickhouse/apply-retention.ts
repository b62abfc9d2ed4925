/** Retention after the first start: the telemetry tables of an existing database take on the days that are configured now. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from './database.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);

/** `{{retention COLUMN}}` or `{{retention COLUMN at most DAYS}}` on a line of its own. */
export const RETENTION = /^\{\{retention (\w+)(?: at most (\d+))?\}\}$/gm;

interface RetainedTable {
  readonly table: string;
  readonly column: string;
  readonly sortingKey: string;
  /** It keeps no more than so many days, whatever is configured. */
  readonly mostDays: number;
}

/**
 * Changes the TTL of each table that has another one, 0 days: none. Old rows go when the engine next merges; nothing is
 * rewritten for it. Tables that somebody else made, by their sorting key or TTL, are left alone. Resolves with what changed.
 */
export async function applyRetention(
  database: Database,
  retentionDays: number,
  signal?: AbortSignal,
): Promise<{ table: string; daysBefore: number }[]> {
  const { rows } = await database.read<{ name: string; sorting_key: string; create_table_query: string }>(
    'SELECT name, sorting_key, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name',
    {},
    { tag: 'retention', maxRows: 10_000, signal },
  );
  const changed: { table: string; daysBefore: number }[] = [];
  for (const { table, column, sortingKey, mostDays } of listRetained()) {
    const found = rows.find(({ name, sorting_key }) => name === table && sorting_key === sortingKey);
    const daysBefore = found && readDays(found.create_table_query, column);
    const days = Math.min(retentionDays, mostDays);
    if (daysBefore === undefined || daysBefore === days) continue;
    if (days === 0) await database.command(`ALTER TABLE ${table} REMOVE TTL`, signal);
    else {
      // A longer time counts for old parts too, so theirs is worked out again: it alone, not the rows.
      await database.command(`ALTER TABLE ${table} MODIFY SETTING materialize_ttl_recalculate_only = 1`, signal);
      await database.command(`ALTER TABLE ${table} MODIFY TTL ${ttlOf(column, days)}`, signal);
    }
    changed.push({ table, daysBefore });
  }
  return changed;
}

/** The TTL that a migration's `{{retention COLUMN}}` stands for. */
export function ttlOf(column: string, retentionDays: number): string {
  return `toDateTime(${column}) + toIntervalDay(${retentionDays})`;
}

function listRetained(): RetainedTable[] {
  const sql = readdirSync(MIGRATIONS).map((file) => readFileSync(new URL(file, MIGRATIONS), 'utf8'));
  const made =
    /CREATE TABLE IF NOT EXISTS (\w+)(?:(?!CREATE TABLE)[\s\S])*?ORDER BY \((.*)\)\n\{\{retention (\w+)(?: at most (\d+))?\}\}/g;
  return [...sql.join('\n').matchAll(made)].map(([, table = '', sortingKey = '', column = '', mostDays]) => ({
    table,
    sortingKey,
    column,
    mostDays: Number(mostDays ?? Number.POSITIVE_INFINITY),
  }));
}

/** 0: no TTL; undefined: one that is not ours. */
function readDays(createQuery: string, column: string): number | undefined {
  const ttl = /\sTTL (.*?)(?= SETTINGS |$)/.exec(createQuery)?.[1];
  if (ttl === undefined) return 0;
  const days = Number(/toIntervalDay\((\d+)\)$/.exec(ttl)?.[1] ?? Number.NaN);
  return ttl === ttlOf(column, days) ? days : undefined;
}
