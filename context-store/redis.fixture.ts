/** A real redis-server of the test's own, on a socket in a temporary directory. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnavailableError } from '../platform/errors.ts';

export interface RedisServer {
  readonly path: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export const hasRedis = (): boolean => spawnSync('redis-server', ['--version']).status === 0;

export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'inquest-redis-'));
  const path = join(directory, 'redis.sock');
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', path, '--dir', directory, '--save', '', ...settings],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const chunk of server.stdout) {
    if (String(chunk).includes('ready to accept connections')) {
      server.stdout.resume();
      return {
        path,
        process: server,
        stop: async () => {
          if (server.exitCode === null && server.signalCode === null) {
            const gone = once(server, 'exit');
            server.kill('SIGKILL');
            await gone;
          }
          await rm(directory, { recursive: true, force: true });
        },
      };
    }
  }
  throw new UnavailableError('redis-server ended before it was ready');
}
