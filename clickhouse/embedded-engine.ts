/**
 * Starts the embedded engine's child process, keeps its password and address in the data directory (0600), and starts it
 * again when it dies. Callers of the engine meanwhile see a refused connection, which database.ts turns into one retryable
 * error.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../platform/errors.ts';
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
  /** Stops the child and waits until it is gone. */
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const MAX_RESTARTS_PER_MINUTE = 6;

/** Name of the file in the data directory through which workers find the engine: `{url, user, password}`. */
export const ENGINE_ADDRESS_FILE = 'engine.json';

/** Opens the engine in `dataDir`; throws ConfigError when it cannot start (no chdb, directory locked or not writable). */
export async function openEmbeddedEngine(options: { dataDir: string; logger: Logger }): Promise<EmbeddedEngine> {
  const { dataDir, logger } = options;
  makeDataDirectory(dataDir);
  const password = randomBytes(24).toString('base64url');
  const server = { engineDir: join(dataDir, 'engine'), spoolDir: join(dataDir, 'incoming'), password };
  let closing = false;
  let restartTimesMs: number[] = [];
  let restarts = 0;
  let { child, port } = await startChild({ ...server, port: 0 });
  watch(child);

  function watch(watched: ChildProcess): void {
    watched.once('exit', (code, killSignal) => {
      if (closing) return;
      logger.error({ code, killSignal }, 'the embedded engine stopped; starting it again');
      void restart();
    });
  }

  async function restart(): Promise<void> {
    const nowMs = Date.now();
    restartTimesMs = [...restartTimesMs.filter((atMs) => nowMs - atMs < 60_000), nowMs];
    if (restartTimesMs.length > MAX_RESTARTS_PER_MINUTE) {
      logger.error({ restarts }, 'the embedded engine keeps stopping; given up: start Inquest again after looking at its log');
      return;
    }
    try {
      restarts++;
      const started = await startChild({ ...server, port });
      if (closing) {
        started.child.kill('SIGKILL');
        return;
      }
      child = started.child;
      watch(child);
    } catch (error) {
      logger.error({ error: String(error) }, 'the embedded engine did not start again; trying once more');
      if (!closing) void restart();
    }
  }

  const address = { url: `http://127.0.0.1:${port}`, user: 'default', password };
  const addressFile = join(dataDir, ENGINE_ADDRESS_FILE);
  writeFileSync(addressFile, JSON.stringify(address), { mode: 0o600 });
  return {
    ...address,
    pid: () => child.pid,
    restarts: () => restarts,
    close: async () => {
      closing = true;
      rmSync(addressFile, { force: true });
      await stopChild(child);
    },
  };
}

function makeDataDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError(`The data directory ${dataDir} cannot be made: choose another with INQUEST_DATA_DIR.`, { cause: error });
  }
}

async function startChild(options: EmbeddedServerOptions): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL(`./embedded-server${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
  const child = fork(script, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: '/usr/bin:/bin', UV_THREADPOOL_SIZE: '8', NODE_NO_WARNINGS: '1' },
  });
  child.send(options);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail('it did not answer in time'), START_TIMEOUT_MS);
    const fail = (problem: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(
        new ConfigError(
          `The embedded ClickHouse in ${options.engineDir} did not start: ${problem}. Is another Inquest using the directory? ` +
            'Is the optional package chdb installed? A server of your own is used with CLICKHOUSE_URL.',
        ),
      );
    };
    child.once('exit', (code, killSignal) => fail(`its process ended (${killSignal ?? code})`));
    child.once('error', (error) => fail(error.message));
    child.once('message', (message: { port?: number; problem?: string }) => {
      if (message.port === undefined) {
        fail(message.problem ?? 'no reason given');
        return;
      }
      clearTimeout(timer);
      child.removeAllListeners('exit').removeAllListeners('error');
      child.on('error', () => undefined);
      resolve({ child, port: message.port });
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(timer);
}
