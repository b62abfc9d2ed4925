/** The host from start to end, in this process, with a runtime in memory: order, refusals, idleness, and what stays behind. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../../api/api-client.ts';
import { HOST_LOCK_FILE, hostRecordSchema, inspectHost } from '../../api/host-lock.ts';
import { jsonToProto } from '../../ingest/otlp/json-to-proto.ts';
import { createOtlpGrpcClient } from '../../ingest/otlp-grpc-client.ts';
import { type Config, loadConfig } from '../../platform/config.ts';
import { ConfigError, InvariantError, UnavailableError } from '../../platform/errors.ts';
import { createMemoryRuntime, type MemoryRuntime, WINDOW } from './fixture.contract.ts';
import { type ServeOptions, serve } from './serve.ts';

let dataDir: string;
let running: { stop: AbortController; ended: Promise<void> }[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-serve-'));
});

afterEach(async () => {
  for (const { stop, ended } of running) {
    stop.abort();
    await ended.catch(() => undefined);
  }
  running = [];
  rmSync(dataDir, { recursive: true, force: true });
});

const configOf = (environment: Record<string, string> = {}): Config =>
  loadConfig({ INQUEST_DATA_DIR: dataDir, INQUEST_PORT: '0', INQUEST_LOG_LEVEL: 'silent', ...environment });

interface Started {
  readonly runtime: MemoryRuntime;
  readonly closed: () => boolean;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  /** The line it printed; rejects when it ended before. */
  readonly ready: Promise<string>;
}

function start(config = configOf(), options: Partial<ServeOptions> = {}): Started {
  const runtime = createMemoryRuntime();
  let closed = false;
  const close = async () => {
    closed = true;
    await runtime.close();
  };
  const stop = new AbortController();
  const line = Promise.withResolvers<string>();
  const openRuntime = async () => ({ ...runtime, close });
  const ended = serve(config, { openRuntime, signal: stop.signal, print: line.resolve, ...options });
  ended.then(() => line.reject(new InvariantError('ended before it was ready')), line.reject);
  line.promise.catch(() => undefined);
  running.push({ stop, ended });
  return { runtime, closed: () => closed, stop, ended, ready: line.promise };
}

const lockFile = () => join(dataDir, HOST_LOCK_FILE);
const readRecord = () => hostRecordSchema.parse(JSON.parse(readFileSync(lockFile(), 'utf8')));

describe('serve', () => {
  it('says where it listens, answers for its lock, and leaves nothing behind', async () => {
    const { ready, ended, stop, closed, runtime } = start();
    const line = await ready;
    const { url, grpcUrl = '', token } = readRecord();
    expect(line).toBe(`Inquest listens on ${url} (OTLP/HTTP, API) and ${grpcUrl} (OTLP/gRPC)`);
    expect(await createApiClient({ url, token }).status()).toMatchObject({ dataDir, grpcUrl });
    const body = JSON.stringify({ kind: 'deploy', service: 'cart', summary: 'v2' });
    await fetch(`${url}/v1/changes`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(runtime.stored.changes).toBe(1);
    stop.abort();
    await ended;
    expect(closed()).toBe(true);
    expect(readdirSync(dataDir)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('holds the lock before the runtime opens and until it has closed', async () => {
    const opening = Promise.withResolvers<void>();
    const seen: string[] = [];
    const look = async () => {
      const presence = await inspectHost(dataDir);
      seen.push(presence.kind === 'held' ? presence.state : presence.kind);
    };
    const runtime = createMemoryRuntime();
    const openRuntime = async () => {
      await look();
      opening.resolve();
      return { ...runtime, close: look };
    };
    const { ready, stop, ended } = start(configOf(), { openRuntime });
    await opening.promise;
    await ready;
    await look();
    stop.abort();
    await ended;
    await look();
    expect(seen).toEqual(['starting', 'ready', 'stopping', 'none']);
  });

  it('refuses a second host on the same directory, also on the same port', async () => {
    const first = start();
    await first.ready;
    const { url, pid } = readRecord();
    for (const port of ['0', new URL(url).port]) {
      const second = start(configOf({ INQUEST_PORT: port }));
      await expect(second.ended).rejects.toThrow(ConfigError);
      await expect(second.ended).rejects.toThrow(`(pid ${pid}, ${url}, ready)`);
    }
    expect(readRecord().url).toBe(url);
  });

  it('says that the port is taken, and how to choose another', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const refusal = start(configOf({ INQUEST_PORT: String(port) })).ended;
      await expect(refusal).rejects.toThrow(ConfigError);
      await expect(refusal).rejects.toThrow(new RegExp(`Port ${port} .* taken .*--port`));
      expect(readdirSync(dataDir)).toEqual([]);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await expect(start(configOf({ INQUEST_HOST: '192.0.2.1' })).ended).rejects.toThrow(/no address 192.0.2.1.*--host/);
  });

  it('says the same of the port for gRPC, and can do without', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const refusal = start(configOf({ INQUEST_GRPC_PORT: String(port) })).ended;
      await expect(refusal).rejects.toThrow(new RegExp(`Port ${port} .* taken .*--grpc-port or INQUEST_GRPC_PORT`));
      expect(readdirSync(dataDir)).toEqual([]);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    const line = await start(configOf({ INQUEST_GRPC_PORT: 'off' })).ready;
    const { url, grpcUrl } = readRecord();
    expect([line, grpcUrl]).toEqual([`Inquest listens on ${url} (OTLP/HTTP, API)`, undefined]);
  });

  it('takes telemetry over gRPC when it is ready, and is told to wait before and after', async () => {
    const opening = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const runtime = createMemoryRuntime();
    const openRuntime = async () => {
      opening.resolve();
      await gate.promise;
      return runtime;
    };
    const { ready, stop, ended } = start(configOf(), { openRuntime });
    await opening.promise;
    const client = createOtlpGrpcClient(new URL(readRecord().grpcUrl ?? '').host);
    const attributes: object[] = [];
    const logRecords = [{ timeUnixNano: String(BigInt(Date.now()) * 1_000_000n), body: { stringValue: 'hello' } }];
    const request = { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] };
    const send = () => client.send('logs', jsonToProto('logs', request), 10_000);
    expect(await send()).toMatchObject({ code: 14, message: 'The host is starting: try again in a moment.' });
    gate.resolve();
    await ready;
    expect(await send()).toMatchObject({ code: 0 });
    expect(runtime.stored.telemetry).toBe(1);
    stop.abort();
    await ended;
    expect(await send()).toMatchObject({ code: 14 });
    client.close();
  });

  it('ends when its directory is deleted or given to another host, and leaves the lock of that one alone', async () => {
    for (const take of [
      () => rmSync(dataDir, { recursive: true }),
      () => writeFileSync(lockFile(), 'of another host'),
    ]) {
      const { ready, ended, closed } = start(configOf(), { lockCheckMs: 5 });
      await ready;
      take();
      await ended;
      expect(closed()).toBe(true);
    }
    expect(readFileSync(lockFile(), 'utf8')).toBe('of another host');
  });

  it('leaves no lock when the runtime does not open', async () => {
    const openRuntime = () => Promise.reject(new ConfigError('no engine'));
    await expect(start(configOf(), { openRuntime }).ended).rejects.toThrow('no engine');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('closes what it opened when it is stopped while it starts', async () => {
    const opening = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    const runtime = createMemoryRuntime();
    let closed = false;
    const openRuntime = async () => {
      opening.resolve();
      await opened.promise;
      const close = async () => {
        closed = true;
      };
      return { ...runtime, close };
    };
    const { stop, ended } = start(configOf(), { openRuntime });
    await opening.promise;
    stop.abort();
    opened.resolve();
    await ended;
    expect(closed).toBe(true);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('takes over what a crash left', async () => {
    const record = { pid: process.pid, url: 'http://127.0.0.1:1', token: 'old', startedAtMs: 1, version: '0' };
    writeFileSync(join(dataDir, HOST_LOCK_FILE), JSON.stringify(record));
    await start().ready;
    expect(readRecord().token).not.toBe('old');
  });

  it('stops when it is asked to over the API, after its answer', async () => {
    const { ready, ended } = start();
    await ready;
    const { url, token } = readRecord();
    expect(await createApiClient({ url, token }).shutdown()).toEqual({ stopping: true });
    await ended;
  });

  it('ends the streams of its watchers when it stops', async () => {
    const { ready, ended, stop } = start();
    await ready;
    const client = createApiClient(readRecord());
    const { investigationId } = await client.openIncident({ searchWindow: WINDOW });
    const watched = client.watchInvestigation(investigationId);
    expect((await watched.next()).value).toMatchObject({ kind: 'started' });
    stop.abort();
    await expect(watched.next()).rejects.toThrow(UnavailableError);
    await ended;
  });

  it('ends by itself when idle, and not while it investigates', async () => {
    const memory = createMemoryRuntime();
    const looked: boolean[] = [];
    const lookedTwice = Promise.withResolvers<void>();
    /** How the host finds out whether something runs. */
    const listIncidents: MemoryRuntime['listIncidents'] = async (limit) => {
      const incidents = await memory.listIncidents(limit);
      looked.push(incidents.some(({ status }) => status === 'investigating'));
      if (looked.length === 2) lookedTwice.resolve();
      return incidents;
    };
    const openRuntime = async () => ({ ...memory, listIncidents });
    const { ready, ended } = start(configOf(), { openRuntime, idleExitSeconds: 0.05 });
    await ready;
    const client = createApiClient(readRecord());
    const { incident, investigationId } = await client.openIncident({ searchWindow: WINDOW });
    await lookedTwice.promise;
    expect(looked).toEqual([true, true]);
    const resolved = { ...incident, status: 'resolved' as const };
    await memory.step(investigationId, 'finished', { status: 'finished', incident: resolved });
    await ended;
    expect(looked.at(-1)).toBe(false);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('scans again and again, never twice at a time, and goes on after a failure', async () => {
    const config = configOf();
    const { ready, runtime } = start({ ...config, detection: { scanSeconds: 0.005 } });
    await ready;
    const client = createApiClient(readRecord());
    runtime.failWith(new UnavailableError('engine away'));
    await expect(client.scan()).rejects.toThrow('engine away');
    runtime.failWith(undefined);
    const before = runtime.scans.count;
    while (runtime.scans.count < before + 5) await Promise.all([client.scan(), client.scan()]);
    while (runtime.scans.count < before + 10) await client.listApprovals();
    expect(runtime.scans.overlapping).toBe(0);
  });
});
