/**
 * A database whose engine may die under it: what can be asked again without harm is, once the engine is back. Rows
 * that may have arrived are sent again only under a token, or when their writer says that twice is as good as once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '../platform/errors.ts';
import { type Database, isNeverSent } from './database.ts';
import type { EmbeddedEngine } from './embedded-engine.ts';

/** The engine's death is seen by its callers before it is seen here: the first repetitions may come too early. */
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 10;
/** Most restarts take less than a second; a longer absence is for the caller to bear. */
const PATIENCE_MS = 10_000;

export function createPatientDatabase(
  database: Database,
  /** Left out: a server, of which is only known whether it answers. */
  engine?: Pick<EmbeddedEngine, 'untilRunning'>,
): Database {
  async function again<T>(
    work: () => Promise<T>,
    mayRepeat: (error: UnavailableError) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const leftMs = deadlineMs - performance.now();
        const isOver = attempt === ATTEMPTS || leftMs <= 0;
        if (isOver || !(error instanceof UnavailableError) || !mayRepeat(error)) throw error;
        await delay(FIRST_PAUSE_MS * 2 ** attempt, undefined, { signal });
        await engine?.untilRunning(leftMs);
      }
    }
  }
  return {
    ...database,
    read: (sql, parameters, options) =>
      again(
        () => database.read(sql, parameters, options),
        () => true,
        options.signal,
      ),
    insert: (table, rows, signal, options) =>
      again(
        () => database.insert(table, rows, signal, options),
        (error) => options?.repeatable === true || options?.token !== undefined || isNeverSent(error),
        signal,
      ),
    version: (signal) =>
      again(
        () => database.version(signal),
        () => true,
        signal,
      ),
  };
}
