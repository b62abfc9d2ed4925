/** Engines for tests: one of this process in a temporary directory, one of another process that is reached by its address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { type Database, type DatabaseOptions, openDatabase } from './database.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from './embedded-engine.ts';
import { migrate } from './migrate.ts';

export type EngineAddress = Omit<DatabaseOptions, 'database'>;

/** A directory that `remove` takes away, also while an engine that was killed is still leaving it. */
export function makeDataDir(): { readonly dataDir: string; remove(): void } {
  const dataDir = mkdtempSync(join(tmpdir(), 'inquest-engine-'));
  return { dataDir, remove: () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }) };
}

export interface TestDatabase {
  readonly database: Database;
  readonly engine: EmbeddedEngine;
  /** Another connection to the same database, as after a restart of the host. */
  reopen(): Promise<Database>;
  close(): Promise<void>;
}

/** A database of all our tables on an engine of its own. */
export async function openTestDatabase(options: { retentionDays?: number } = {}): Promise<TestDatabase> {
  const { dataDir, remove } = makeDataDir();
  const engine = await openEmbeddedEngine({ dataDir, logger: silentLogger });
  const opened: Database[] = [];
  const reopen = async () => {
    const database = await openDatabase({ ...engine, database: 'inquest_test' });
    opened.push(database);
    return database;
  };
  const database = await reopen();
  await migrate(database, { retentionDays: options.retentionDays ?? 0 });
  const close = async () => {
    for (const one of opened) await one.close();
    await engine.close();
    remove();
  };
  return { database, engine, reopen, close };
}

const addressSchema = z.object({ url: z.url(), user: z.string(), password: z.string() });

/** A process that did nothing but start an engine in `dataDir`: all that is known of it is where it listens. */
export async function startEngineHost(dataDir: string): Promise<{ process: ChildProcess; address: EngineAddress }> {
  const script = fileURLToPath(new URL('./engine-host.fixture.ts', import.meta.url));
  const host = spawn(process.execPath, [script, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: host.stdout })) {
    return { process: host, address: addressSchema.parse(JSON.parse(line)) };
  }
  throw new UnavailableError('the engine host ended before it said where its engine listens');
}

/** Ends it in order and waits until it is gone. */
export async function stopEngineHost(host: ChildProcess): Promise<void> {
  const gone = once(host, 'exit');
  host.stdin?.end();
  await gone;
}
