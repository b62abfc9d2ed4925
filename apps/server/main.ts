/** `inquest serve`: flags and signals in, one line on stdout when ready, an exit status out. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, loadProcessConfig } from '../../platform/config.ts';
import { AppError, ConfigError, errorMessage, InputError } from '../../platform/errors.ts';
import { openHostRuntime } from './open-host-runtime.ts';
import { serve } from './serve.ts';

const USAGE = `Usage: inquest serve [--port PORT] [--grpc-port PORT] [--host HOST] [--data-dir DIR] [--idle-exit SECONDS]

Receives telemetry (OTLP/HTTP and OTLP/gRPC) and changes, detects, investigates, and answers the other commands.

  --port PORT          where to listen; 0: any free port (INQUEST_PORT, 4318)
  --grpc-port PORT     where to take OTLP/gRPC; 0: any free port, off: nowhere (INQUEST_GRPC_PORT, 4317)
  --host HOST          address to listen on (INQUEST_HOST, 127.0.0.1)
  --data-dir DIR       what it stores, its lock and its token (INQUEST_DATA_DIR, ~/.inquest)
  --idle-exit SECONDS  end when nobody asked and nothing was investigated for so long
`;

/** A second signal within this time is the first one told twice: npm repeats what the terminal sent to everybody. */
const REPEATED_SIGNAL_MS = 1_000;

const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** Resolves with the exit status when the host has stopped. */
export async function main(args: readonly string[]): Promise<number> {
  const { signal, release } = stopOnSignals();
  try {
    const flags = parseFlags(args);
    if (flags === 'help') {
      process.stdout.write(USAGE);
      return EXIT_OK;
    }
    const print = (line: string) => void process.stdout.write(`${line}\n`);
    await serve(flags.config, { openRuntime: openHostRuntime, idleExitSeconds: flags.idleExitSeconds, signal, print });
    return EXIT_OK;
  } catch (error) {
    process.stderr.write(`inquest serve: ${errorMessage(error)}\n`);
    if (!(error instanceof AppError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return error instanceof ConfigError || error instanceof InputError ? EXIT_USAGE : EXIT_FAILURE;
  } finally {
    release();
  }
}

function parseFlags(args: readonly string[]): { config: Config; idleExitSeconds: number | undefined } | 'help' {
  const values = readFlags(args);
  if (values.help) return 'help';
  const overrides = {
    INQUEST_PORT: values.port,
    INQUEST_GRPC_PORT: values['grpc-port'],
    INQUEST_HOST: values.host,
    INQUEST_DATA_DIR: values['data-dir'] === undefined ? undefined : resolve(values['data-dir']),
  };
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return { config: loadProcessConfig(given), idleExitSeconds: parseIdleExit(values['idle-exit']) };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        'grpc-port': { type: 'string' },
        host: { type: 'string' },
        'data-dir': { type: 'string' },
        'idle-exit': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new InputError(`${errorMessage(error).replace(/\.?$/, '.')} Help: inquest serve --help`, { cause: error });
  }
}

function parseIdleExit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 1_000_000))
    throw new InputError(`--idle-exit ${text}: give a number of seconds above 0.`);
  return seconds;
}

function stopOnSignals(): { signal: AbortSignal; release: () => void } {
  const stopping = new AbortController();
  let firstAtMs: number | undefined;
  const onSignal = () => {
    const nowMs = performance.now();
    firstAtMs ??= nowMs;
    stopping.abort();
    if (nowMs - firstAtMs > REPEATED_SIGNAL_MS) process.exit(EXIT_INTERRUPTED);
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: stopping.signal,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
