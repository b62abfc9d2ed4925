/** The command `inquest worker` as people start it, beside real hosts: it helps, it drains, it takes over, it finds its host again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApiClient } from '../../api/api-client.ts';
import { HOST_LOCK_FILE, hostRecordSchema } from '../../api/host-lock.ts';
import { startEngineHost, stopEngineHost } from '../../clickhouse/engine.fixture.ts';
import { itOnRedis, watchServer } from '../../context-store/redis.fixture.ts';
import { type RedisServer, startRedis } from '../../context-store/redis-server.ts';
import type { Progress } from '../../domain/investigation.ts';

const BIN = fileURLToPath(new URL('../../bin/inquest.js', import.meta.url));
const SLOW_MS = 120_000;
const WAITS = { timeout: 60_000, interval: 250 };

let directory: string;
let children: ChildProcess[];
let server: RedisServer;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'inquest-worker-'));
  children = [];
  server = await startRedis();
});
afterEach(async () => {
  await Promise.all(children.map((child) => end(child, 'SIGKILL')));
  await server.stop();
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** Resolves with its exit status. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
  return child.exitCode;
}

interface Started {
  readonly child: ChildProcess;
  /** Lines of its stdout, one by one. */
  readonly next: () => Promise<string>;
}

/** @param dataDir of hosts, in the test's directory */
function start(
  command: 'serve' | 'worker',
  dataDir: string,
  environment: NodeJS.ProcessEnv = {},
  ...flags: string[]
): Started {
  const child = spawn(process.execPath, [BIN, command, '--data-dir', join(directory, dataDir), ...flags], {
    env: { ...process.env, INQUEST_PORT: '0', REDIS_URL: server.path, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, next: async () => String((await lines.next()).value) };
}

function clientOf(dataDir: string) {
  return createApiClient(
    hostRecordSchema.parse(JSON.parse(readFileSync(join(directory, dataDir, HOST_LOCK_FILE), 'utf8'))),
  );
}

const lastHour = () => ({ searchWindow: { startMs: Date.now() - 3_600_000, endMs: Date.now() } });

/** Once it watches; `first` is the first announcement of this kind. */
async function awaitAnnouncement(kind: Progress['kind']): Promise<{ readonly first: Promise<Progress> }> {
  const { promise, resolve } = Promise.withResolvers<Progress>();
  const stop = await watchServer(server.path, (progress) => {
    if (progress.kind === kind) resolve(progress);
  });
  return { first: promise.finally(stop) };
}

describe('inquest worker', () => {
  itOnRedis(
    'answers tasks of the host in its data directory, drains, and finds a new host',
    { timeout: SLOW_MS },
    async () => {
      const host = start('serve', 'data');
      expect(await host.next()).toContain('Inquest listens');
      const worker = start('worker', 'data', {}, '--roles', 'logs,traces', '--concurrency', '3');
      expect(await worker.next()).toMatch(/worker_\w+ works: logs, traces; 3 at a time/);
      const client = clientOf('data');
      const roles = async () => (await client.listWorkers()).workers.map((one) => one.roles.join(' '));
      // The host gives way to helpers from its next heartbeat on.
      await vi.waitFor(async () => expect(await roles()).toContain('logs traces'), WAITS);

      // The same Redis, another database: nothing is shared.
      const stranger = start('serve', 'another');
      await stranger.next();
      expect((await clientOf('another').listWorkers()).workers).toHaveLength(1);

      const { investigationId } = await client.openIncident(lastHour());
      await vi.waitFor(
        async () => expect((await client.getInvestigation(investigationId)).status).toBe('finished'),
        WAITS,
      );

      await end(host.child, 'SIGTERM');
      expect(await worker.next()).toBe('The host has gone or moved: waiting for it.');
      start('serve', 'data');
      expect(await worker.next()).toMatch(/works: logs, traces/);
      expect(await end(worker.child, 'SIGTERM')).toBe(0);
      await vi.waitFor(async () => expect((await clientOf('data').listWorkers()).workers).toHaveLength(1), WAITS);
    },
  );

  itOnRedis('supervises what a host that was killed left behind', { timeout: SLOW_MS }, async () => {
    const { process: engine, address } = await startEngineHost(join(directory, 'engine'));
    const shared = {
      CLICKHOUSE_URL: address.url,
      CLICKHOUSE_USER: address.user,
      CLICKHOUSE_PASSWORD: address.password,
    };
    try {
      const host = start('serve', 'one', shared);
      await host.next();
      const worker = start('worker', 'worker', shared);
      await worker.next();
      const other = start('serve', 'two', shared, '--grpc-port', 'off');
      await other.next();
      const { first } = await awaitAnnouncement('scoped');
      void clientOf('one')
        .openIncident(lastHour())
        .catch(() => undefined);
      const { investigationId } = await first;
      await end(host.child, 'SIGKILL');
      const client = clientOf('two');
      await vi.waitFor(async () => {
        expect((await client.getInvestigation(investigationId)).status).toBe('finished');
      }, WAITS);
      expect(await client.verifyAudit()).toMatchObject({ whole: true });
      const { entries } = await client.listAudit();
      expect(entries.filter((entry) => 'kind' in entry && entry.kind === 'investigation.finished')).toHaveLength(1);
    } finally {
      await stopEngineHost(engine);
    }
  });

  it.each([
    [['--roles', 'cooks'], '"cooks" is none of metrics, logs, traces, changes, supervisor'],
    [['--concurrency', '0'], 'from 1 to 1000'],
    [['--rolls', 'logs'], "Unknown option '--rolls'"],
  ])('says what is wrong: %j', async (flags, said) => {
    const child = spawn(process.execPath, [BIN, 'worker', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(child);
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const [code] = await once(child, 'close');
    expect([code, text]).toEqual([2, expect.stringContaining(said)]);
  });
});
