/** Brings a database to the newest shape: numbered SQL files, each applied once, in order, and refused if it was edited since. */
import { readdirSync, readFileSync } from 'node:fs';
import { ConfigError, InvariantError } from '../platform/errors.ts';
import { digestOf } from '../platform/ids.ts';
import { ttlOf } from './apply-retention.ts';
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
  for (const name of readdirSync(MIGRATIONS)
    .filter((file) => file.endsWith('.sql'))
    .sort()) {
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
      await database.command(statement, options.signal);
    }
    await database.insert('inquest_migrations', [{ Name: name, Digest: digest }], options.signal);
    done.push(name);
  }
  return done;
}

function withRetention(text: string, retentionDays: number): string {
  return text.replaceAll(/^\{\{retention (\w+)\}\}$/gm, (_, column: string) =>
    retentionDays > 0 ? `TTL ${ttlOf(column, retentionDays)}` : '',
  );
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
