/** A redis-server of one's own, for drills and tests: on a socket in a temporary directory, to be frozen, killed and started again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { UnavailableError } from '../platform/errors.ts';

export interface RedisServer {
  /** What clients connect to, in place of a URL. */
  readonly path: string;
  signal(name: NodeJS.Signals): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** Again on the same path, empty. */
  restart(): Promise<void>;
  /** For good, with its directory. */
  stop(): Promise<void>;
}

/** A sentence when there is no redis-server on this machine; with `required`, as CI asks for, that is an error. */
export function whyNoRedis(required: boolean): string | undefined {
  if (spawnSync('redis-server', ['--version']).status === 0) return undefined;
  const reason =
    'No redis-server here: it comes with the package redis-server of Debian and Ubuntu, or redis of Homebrew.';
  if (required) throw new UnavailableError(reason);
  return reason;
}

/** @param settings more arguments, such as `--cluster-enabled yes` */
export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'inquest-redis-'));
  const path = join(directory, 'redis.sock');
  const all = ['--port', '0', '--unixsocket', path, '--dir', directory, '--save', '', ...settings];
  let server = await startServer(all);
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  return {
    path,
    signal: (name) => void server.kill(name),
    kill,
    restart: async () => {
      await kill();
      server = await startServer(all);
    },
    stop: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves when it takes connections. */
async function startServer(settings: readonly string[]): Promise<ChildProcess> {
  const server = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  const failed = once(server, 'error').then(([error]) => {
    throw new UnavailableError('redis-server does not start', { cause: error });
  });
  await Promise.race([untilReady(server.stdout), failed]);
  server.stdout.resume();
  return server;
}

async function untilReady(output: Readable): Promise<void> {
  let text = '';
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes('ready to accept connections')) return;
  }
  throw new UnavailableError(`redis-server ended before it was ready: ${text.slice(-500)}`);
}
