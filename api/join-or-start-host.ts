/**
 * How a command finds its host: it joins the one that the data directory's lock file names, or starts one in the background
 * that goes away by itself when nobody needs it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError, errorMessage, UnavailableError } from '../platform/errors.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type HostPresence, type HostRecord, inspectHost, refuseIfHosted } from './host-lock.ts';
import { PACKAGE_ROOT } from './inquest-version.ts';

export interface JoinOptions {
  readonly dataDir: string;
  /** Environment of a host that has to be started; left out: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Seconds without a request or a running investigation after which a started host ends. */
  readonly idleExitSeconds?: number;
  /** How long a host may take until it answers. */
  readonly startTimeoutMs?: number;
}

export interface JoinedHost {
  readonly client: ApiClient;
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** True when this call started it. */
  readonly started: boolean;
}

/** Log of the hosts that were started in the background, in the data directory. */
export const HOST_LOG_FILE = 'host.log';

const DEFAULT_IDLE_EXIT_SECONDS = 120;
const DEFAULT_START_TIMEOUT_MS = 60_000;
const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 250;
const MAX_LOG_BYTES = 1024 * 1024;
const SHOWN_LOG_LINES = 15;

/**
 * Resolves when the host is ready. Rejects with ConfigError when it cannot start (with the last lines of its log),
 * UnavailableError when it is not ready in time, or the signal's reason; a host started for nothing is ended again.
 */
export async function joinOrStartHost(options: JoinOptions): Promise<JoinedHost> {
  const { dataDir, signal } = options;
  const deadlineMs = performance.now() + (options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS);
  let child: StartedChild | undefined;
  try {
    for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(MAX_POLL_MS, pauseMs * 1.5)) {
      const presence = await inspectHost(dataDir, signal);
      if (presence.kind === 'held' && presence.state === 'ready') return joined(presence.record, child);
      const isVacant = presence.kind === 'none' || presence.kind === 'stale';
      if (isVacant) {
        refuseEnded(child, dataDir);
        child ??= startChild(options);
      }
      if (performance.now() > deadlineMs) throw tooLate(presence, child, dataDir);
      await delay(pauseMs, undefined, { signal });
    }
  } catch (error) {
    child?.process.kill('SIGTERM');
    throw error;
  }
}

function joined({ url, token, pid }: HostRecord, child: StartedChild | undefined): JoinedHost {
  // Of several commands that start a host at the same time one wins; the children of the others end by themselves.
  return { client: createApiClient({ url, token }), url, token, pid, started: child?.process.pid === pid };
}

interface StartedChild {
  readonly process: ChildProcess;
  /** Size of the log when it was started: what follows is its own. */
  readonly logOffset: number;
  problem: string | undefined;
}

function startChild({ dataDir, env, idleExitSeconds = DEFAULT_IDLE_EXIT_SECONDS }: JoinOptions): StartedChild {
  const { log, logOffset } = openLog(dataDir);
  try {
    const bin = fileURLToPath(new URL('bin/inquest.js', PACKAGE_ROOT));
    const flags = ['--idle-exit', String(idleExitSeconds), '--port', '0', '--grpc-port', '0', '--data-dir', dataDir];
    const child = spawn(process.execPath, [bin, 'serve', ...flags], {
      detached: true, // Ctrl-C of the command that started it is not meant for it.
      stdio: ['ignore', log, log],
      ...(env ? { env: { ...env } } : {}),
    });
    const started: StartedChild = { process: child, logOffset, problem: undefined };
    child.once('error', (error) => {
      started.problem = error.message;
    });
    child.unref();
    return started;
  } finally {
    closeSync(log);
  }
}

function openLog(dataDir: string): { log: number; logOffset: number } {
  const path = join(dataDir, HOST_LOG_FILE);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const isFull = bytes > MAX_LOG_BYTES;
    return { log: openSync(path, isFull ? 'w' : 'a', 0o600), logOffset: isFull ? 0 : bytes };
  } catch (error) {
    throw new ConfigError(
      `${path} cannot be written (${errorMessage(error)}): choose another directory with --data-dir or INQUEST_DATA_DIR.`,
      { cause: error },
    );
  }
}

/** Nobody hosts the directory: unless our child is still on its way, it failed. */
function refuseEnded(child: StartedChild | undefined, dataDir: string): void {
  if (child === undefined) return;
  const { exitCode, signalCode } = child.process;
  if (exitCode === null && signalCode === null && child.problem === undefined) return;
  const how = child.problem ?? `exit ${signalCode ?? exitCode}`;
  throw new ConfigError(`The Inquest host for ${dataDir} did not start (${how}).${tailOf(child, dataDir)}`);
}

function tooLate(presence: HostPresence, child: StartedChild | undefined, dataDir: string): Error {
  if (presence.kind === 'silent') refuseIfHosted(dataDir, presence);
  const tail = child ? tailOf(child, dataDir) : '';
  return new UnavailableError(`The Inquest host for ${dataDir} is not ready yet: try again in a moment.${tail}`);
}

/** The last lines that the child wrote, after what they are. */
function tailOf(child: StartedChild, dataDir: string): string {
  const path = join(dataDir, HOST_LOG_FILE);
  const text = readFileSync(path).subarray(child.logOffset).toString('utf8').trim();
  if (text === '') return ` Its log ${path} says nothing.`;
  return ` The end of its log ${path}:\n${text.split('\n').slice(-SHOWN_LOG_LINES).join('\n')}`;
}
