/** `inquest worker`: flags and signals in, one line on stdout when it works, an exit status out. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { WORKER_ROLES, type WorkerRole } from '../../domain/worker.ts';
import { type Config, loadProcessConfig } from '../../platform/config.ts';
import { AppError, ConfigError, errorMessage, InputError } from '../../platform/errors.ts';
import { runWorker } from '../../runtime/run-worker.ts';

/** A host is listed with them, a worker is none. */
const ROLES = WORKER_ROLES.filter((role) => role !== 'host');

const USAGE = `Usage: inquest worker [--roles ROLE,...] [--concurrency N] [--drain SECONDS] [--data-dir DIR]

Helps the hosts that share its Redis (REDIS_URL) and database (CLICKHOUSE_URL, or the engine of the host in the data
directory): answers tasks of their investigations, and supervises those whose process has died. Any number may run.

  --roles ROLE,...     what it takes on: ${ROLES.join(', ')} (default: all)
  --concurrency N      tasks at a time (default: the number of processors)
  --drain SECONDS      after SIGTERM, time for what it has in hand before it is given back (30)
  --data-dir DIR       where the host's embedded engine is found (INQUEST_DATA_DIR, ~/.inquest)

SIGTERM: takes nothing new and ends when it is done. Twice, or Ctrl-C: gives everything back and ends.
`;

const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const DEFAULT_DRAIN_SECONDS = 30;
/** npm repeats what a terminal sent to everybody. */
const REPEATED_SIGNAL_MS = 1_000;

interface Flags {
  readonly config: Config;
  readonly roles: readonly WorkerRole[];
  readonly concurrency: number;
  readonly drainSeconds: number;
}

/** Resolves with the exit status when the worker has ended. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const flags = readFlags(args);
    if (flags === 'help') {
      process.stdout.write(USAGE);
      return EXIT_OK;
    }
    const { config, roles, concurrency, drainSeconds } = flags;
    const print = (line: string) => void process.stdout.write(`${line}\n`);
    const ending = endOnSignals(drainSeconds * 1_000);
    try {
      await runWorker(config, { roles, concurrency, draining: ending.draining, stopping: ending.stopping, print });
    } finally {
      ending.release();
    }
    return EXIT_OK;
  } catch (error) {
    process.stderr.write(`inquest worker: ${errorMessage(error)}\n`);
    if (!(error instanceof AppError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return error instanceof ConfigError || error instanceof InputError ? EXIT_USAGE : EXIT_FAILURE;
  }
}

function readFlags(args: readonly string[]): Flags | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const dataDir = values['data-dir'];
  return {
    config: loadProcessConfig(dataDir === undefined ? {} : { INQUEST_DATA_DIR: resolve(dataDir) }),
    roles: values.roles === undefined ? ROLES : readRoles(values.roles),
    concurrency: readNumber('--concurrency', values.concurrency, availableParallelism()),
    drainSeconds: readNumber('--drain', values.drain, DEFAULT_DRAIN_SECONDS),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        roles: { type: 'string' },
        concurrency: { type: 'string' },
        drain: { type: 'string' },
        'data-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new InputError(`${errorMessage(error).replace(/\.?$/, '.')} Help: inquest worker --help`, { cause: error });
  }
}

function readRoles(text: string): WorkerRole[] {
  return text.split(',').map((word) => {
    const role = ROLES.find((one) => one === word.trim());
    if (role) return role;
    throw new InputError(`--roles: ${JSON.stringify(word)} is none of ${ROLES.join(', ')}.`);
  });
}

function readNumber(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 1_000) return number;
  throw new InputError(`${flag} ${text}: give a whole number from 1 to 1000.`);
}

/** SIGTERM drains; a second one, Ctrl-C, or the end of the drain's time stops. */
function endOnSignals(drainMs: number) {
  const draining = new AbortController();
  const stopping = new AbortController();
  let firstAtMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = () => stopping.abort(new DOMException('the worker stops', 'AbortError'));
  const onSignal = (name: NodeJS.Signals) => {
    const nowMs = performance.now();
    firstAtMs ??= nowMs;
    draining.abort(new DOMException('the worker takes nothing new', 'AbortError'));
    if (name === 'SIGINT' || nowMs - firstAtMs > REPEATED_SIGNAL_MS) stop();
    timer ??= setTimeout(stop, drainMs).unref();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    draining: draining.signal,
    stopping: stopping.signal,
    release: () => {
      clearTimeout(timer);
      for (const name of names) process.off(name, onSignal);
    },
  };
}
