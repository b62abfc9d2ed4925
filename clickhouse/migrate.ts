/** Brings a database to the newest shape: numbered SQL files, each applied once, in order, and refused if it was edited since. */
import { readdirSync, readFileSync } from 'node:fs';
import { ConfigError, InvariantError } from '../platform/errors.ts';
import { digestOf } from '../platform/ids.ts';
import { RETENTION, ttlOf } from './apply-retention.ts';
import type { Database } from './database.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);

export interface MigrateOptions {
  /** Days after which tables made now delete telemetry; 0 keeps it for ever (needed for replayed history). */
  readonly retentionDays: number;
  readonly signal?: AbortSignal | undefined;
}

/** Applies what is missing; resolves with the names applied now. Throws ConfigError when an applied file has changed. */
export async function migrate(database: Database, options: MigrateOptions): Promise<string[]> {
  await database.command(
    'CREATE TABLE IF NOT EXISTS inquest_migrations (Name String, Digest String, AppliedAt DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY Name',
    options.signal,
  );
  const { rows } = await database.read<{ Name: string; Digest: string }>(
    'SELECT Name, Digest FROM inquest_migrations ORDER BY Name',
    {},
    { tag: 'migrate', maxRows: 10_000, signal: options.signal },
  );
  const applied = new Map(rows.map((row) => [row.Name, row.Digest]));
  const done: string[] = [];
  for (const name of listMigrations()) {
    const text = readFileSync(new URL(name, MIGRATIONS), 'utf8');
    const digest = digestOf(text);
    const before = applied.get(name);
    if (before !== undefined && before !== digest) {
      throw new ConfigError(
        `Migration ${name} was applied in another form: this Inquest does not fit the database ${database.name}.`,
      );
    }
    if (before !== undefined) continue;
    for (const statement of splitStatements(withRetention(text, options.retentionDays))) {
      for (const one of await eachDay(database, statement, options.signal)) await database.command(one, options.signal);
    }
    await database.insert('inquest_migrations', [{ Name: name, Digest: digest }], options.signal);
    done.push(name);
  }
  return done;
}

/** For who uses a database that somebody else keeps; throws ConfigError where its shape is another than this Inquest's. */
export async function checkMigrated(database: Database, signal?: AbortSignal): Promise<void> {
  const { rows } = await database.read<{ Name: string; Digest: string }>(
    'SELECT Name, Digest FROM inquest_migrations ORDER BY Name',
    {},
    { tag: 'migrate', maxRows: 10_000, signal },
  );
  const applied = new Map(rows.map((row) => [row.Name, row.Digest]));
  const isSame = listMigrations().every(
    (name) => applied.get(name) === digestOf(readFileSync(new URL(name, MIGRATIONS), 'utf8')),
  );
  if (isSame && applied.size === listMigrations().length) return;
  throw new ConfigError(
    `The database ${database.name} has another shape than this version of Inquest knows: run one version everywhere.`,
  );
}

export interface ViewDefinition {
  readonly name: string;
  /** The table that it fills. */
  readonly target: string;
  readonly select: string;
}

/** The materialized views of all migrations, in their order. */
export function listViews(): ViewDefinition[] {
  const texts = listMigrations().map((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8'));
  const made = /CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+) AS\s+([^;]+);/g;
  return [...texts.join('\n').matchAll(made)].map(([, name = '', target = '', select = '']) => ({
    name,
    target,
    select,
  }));
}

function listMigrations(): string[] {
  return readdirSync(MIGRATIONS)
    .filter((file) => file.endsWith('.sql'))
    .sort();
}

function withRetention(text: string, retentionDays: number): string {
  return text.replaceAll(RETENTION, (_, column: string, mostDays?: string) =>
    retentionDays > 0 ? `TTL ${ttlOf(column, Math.min(retentionDays, Number(mostDays ?? retentionDays)))}` : '',
  );
}

const DAY = /\{\{day (\w+) (\w+)\}\}/;

/**
 * An INSERT ... SELECT with `{{day TABLE COLUMN}}` once for each day that the table holds, so that what is stored already fills a
 * rollup with little memory. Each day goes in as one block under its token: when a crash, or another host, has it run again, it
 * stores nothing.
 */
async function eachDay(database: Database, statement: string, signal: AbortSignal | undefined): Promise<string[]> {
  const [marker, table = '', column = ''] = DAY.exec(statement) ?? [];
  if (marker === undefined) return [statement];
  const { rows } = await database.read<{ day: string }>(
    `SELECT DISTINCT toString(toDate(${column})) AS day FROM ${table} ORDER BY day`,
    {},
    { tag: 'migrate', maxRows: 100_000, signal },
  );
  return rows.map(({ day }) => {
    const token = digestOf(`${statement} ${day}`);
    return `${statement.replace(marker, `toDate('${day}')`)}
SETTINGS insert_deduplication_token = '${token}', deduplicate_blocks_in_dependent_materialized_views = 1, max_insert_threads = 1,
  max_insert_block_size = 1000000000, min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0`;
  });
}

/** Our own files keep semicolons at the ends of statements only. */
function splitStatements(text: string): string[] {
  const statements = text
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  if (statements.length === 0) throw new InvariantError('a migration without statements');
  return statements;
}
