/**
 * Starts the embedded engine's child process, keeps its password and address in the data directory (0600), and starts it
 * again when it dies. Callers of the engine meanwhile see a refused connection, which database.ts turns into one retryable
 * error.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ConfigError, errorMessage, UnavailableError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { EmbeddedServerOptions } from './embedded-server.ts';

export interface EmbeddedEngine {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** The child's process id now; it changes when the engine was restarted. */
  pid(): number | undefined;
  /** How often it was started again after dying. */
  restarts(): number;
  /** Why it does not run now and what happens next, as a sentence; undefined while it runs. */
  problem(): string | undefined;
  /** Resolves when it runs, at once if it does; or after `patienceMs`, whatever came of it. */
  untilRunning(patienceMs: number): Promise<void>;
  /** Stops the child and waits until it is gone. */
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
/** Started again at once so many times a minute; an engine that dies or fails more often rests in between, ever longer. */
const QUICK_RESTARTS_PER_MINUTE = 20;
const FIRST_REST_MS = 250;
const MAX_REST_MS = 30_000;

/** Name of the file in the data directory through which workers find the engine: `{url, user, password, pid}`. */
export const ENGINE_ADDRESS_FILE = 'engine.json';

/** Opens the engine in `dataDir`; throws ConfigError when it cannot start (no chdb, directory locked or not writable). */
export async function openEmbeddedEngine(options: { dataDir: string; logger: Logger }): Promise<EmbeddedEngine> {
  const { dataDir, logger } = options;
  makeDataDirectory(dataDir);
  const password = randomBytes(24).toString('base64url');
  const server = { engineDir: join(dataDir, 'engine'), spoolDir: join(dataDir, 'incoming'), password };
  const closing = new AbortController();
  const rests = createRests();
  let restarts = 0;
  let restarting: Promise<void> = Promise.resolve();
  let problem: string | undefined;
  let { child, port } = await startChild({ ...server, port: 0 }, closing.signal);
  const address = { url: `http://127.0.0.1:${port}`, user: 'default', password };
  const addressFile = join(dataDir, ENGINE_ADDRESS_FILE);
  watch(child);

  function watch(watched: ChildProcess): void {
    noteAddress(addressFile, { ...address, pid: watched.pid }, logger);
    watched.once('exit', (code, killSignal) => {
      if (closing.signal.aborted) return;
      logger.error({ code, killSignal }, 'the embedded engine stopped; starting it again');
      problem = `The embedded ClickHouse ended (${killSignal ?? code}) and is started again: try again in a moment.`;
      restarting = restart();
    });
  }

  /** Resolves when it runs again or is closed: an engine that does not come back today may do so when the disk has room. */
  async function restart(): Promise<void> {
    for (let failures = 0; await rested(failures); failures++) {
      try {
        restarts++;
        ({ child } = await startChild({ ...server, port }, closing.signal));
        problem = undefined;
        watch(child);
        return;
      } catch (error) {
        if (closing.signal.aborted) return;
        problem = `${errorMessage(error)} It has been tried ${failures + 1} times and is tried again by itself.`;
        logger.error({ reason: errorMessage(error), failures: failures + 1 }, 'the embedded engine did not start');
      }
    }
  }

  /** False when it is closed. */
  async function rested(failures: number): Promise<boolean> {
    await delay(rests.nextMs(failures), undefined, { signal: closing.signal }).catch(() => undefined);
    return !closing.signal.aborted;
  }

  return {
    ...address,
    pid: () => child.pid,
    restarts: () => restarts,
    problem: () => problem,
    untilRunning: async (patienceMs) => {
      const enough = new AbortController();
      const patience = delay(patienceMs, undefined, { signal: enough.signal }).catch(() => undefined);
      await Promise.race([restarting, patience]);
      enough.abort();
    },
    close: async () => {
      closing.abort();
      await restarting;
      await stopChild(child);
      rmSync(addressFile, { force: true });
    },
  };
}

/** How long to wait before the next start: not at all after a few deaths, ever longer after failures and many deaths. */
function createRests(): { nextMs(failures: number): number } {
  let startsMs: number[] = [];
  return {
    nextMs: (failures) => {
      const nowMs = performance.now();
      startsMs = [...startsMs.filter((atMs) => nowMs - atMs < 60_000), nowMs];
      const beyond = Math.max(failures, startsMs.length - QUICK_RESTARTS_PER_MINUTE);
      return beyond <= 0 ? 0 : Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** (beyond - 1));
    },
  };
}

/** Written whole, so that nobody reads half of it; a disk without room must not end what runs. */
const addressSchema = z.object({ url: z.url(), user: z.string(), password: z.string() });
export type EngineAddress = z.infer<typeof addressSchema>;

/** Where the engine of a data directory listens; undefined while no host runs there. */
export function readEngineAddress(dataDir: string): EngineAddress | undefined {
  try {
    return addressSchema.parse(JSON.parse(readFileSync(join(dataDir, ENGINE_ADDRESS_FILE), 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new ConfigError(`${join(dataDir, ENGINE_ADDRESS_FILE)} does not say where the engine is.`, { cause: error });
  }
}

function noteAddress(path: string, address: object, logger: Logger): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(address), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    logger.error(
      { reason: errorMessage(error) },
      'workers cannot find the embedded engine: its address was not written',
    );
  }
}

function makeDataDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError(`The data directory ${dataDir} cannot be made: choose another with INQUEST_DATA_DIR.`, {
      cause: error,
    });
  }
}

async function startChild(
  options: EmbeddedServerOptions,
  signal: AbortSignal,
): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(
    new URL(`./embedded-server${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const child = fork(script, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: '/usr/bin:/bin', UV_THREADPOOL_SIZE: '8', NODE_NO_WARNINGS: '1' },
  });
  child.on('error', () => undefined); // 'exit' tells as much as anybody here can use
  child.send(options);
  try {
    return { child, port: await readPort(child, signal) };
  } catch (error) {
    await stopChild(child);
    throw new ConfigError(
      `The embedded ClickHouse in ${options.engineDir} did not start: ${errorMessage(error)}. Is another Inquest using the ` +
        'directory? Is the optional package chdb installed? A server of your own is used with CLICKHOUSE_URL.',
      { cause: error },
    );
  }
}

/** What the child says first; rejects when it names a problem, ends, takes too long or is not wanted any more. */
function readPort(child: ChildProcess, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (problem: string) => {
      settle();
      reject(new UnavailableError(problem));
    };
    const onMessage = (message: { port?: number; problem?: string }) => {
      settle();
      if (message.port === undefined) reject(new UnavailableError(message.problem ?? 'no reason given'));
      else resolve(message.port);
    };
    const onExit = (code: number | null, killSignal: string | null) =>
      fail(`its process ended (${killSignal ?? code})`);
    const onAbort = () => fail('it is being closed');
    const timer = setTimeout(() => fail('it did not answer in time'), START_TIMEOUT_MS);
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      child.off('message', onMessage).off('exit', onExit).off('error', onSpawnError);
    };
    const onSpawnError = (error: Error) => fail(error.message);
    child.once('message', onMessage).once('exit', onExit).once('error', onSpawnError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(timer);
}
