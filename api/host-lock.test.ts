/** One host for a data directory: who is there, who wins, who takes over. Real files, sockets and processes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../platform/errors.ts';
import { HOST_LOCK_FILE, type HostRecord, inspectHost, proveHost, takeHostLock } from './host-lock.ts';

let dataDir: string;
let lockFile: string;
let servers: Server[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-lock-'));
  lockFile = join(dataDir, HOST_LOCK_FILE);
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers = [];
  rmSync(dataDir, { recursive: true, force: true });
});

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Something that answers for `token`, and the record that names it. */
async function startHost(token: string, pid = process.pid): Promise<HostRecord> {
  const url = await listen((request, response) => {
    const challenge = new URL(request.url ?? '/', 'http://host.invalid').searchParams.get('challenge') ?? '';
    expect(request.headers.authorization).toBeUndefined();
    response.end(JSON.stringify({ state: 'ready', version: '1', proof: proveHost(token, challenge) }));
  });
  return { pid, url, token, startedAtMs: 1, version: '1' };
}

async function pidOfTheDead(): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', 'console.log(process.pid)']);
  return Number(stdout);
}

const writeLock = (content: unknown) => writeFileSync(lockFile, JSON.stringify(content));

describe('the lock of a data directory', () => {
  it('is written whole, for its owner only, and removed on release', async () => {
    const record = await startHost('first');
    expect(await inspectHost(dataDir)).toEqual({ kind: 'none' });
    const lock = await takeHostLock(dataDir, record);
    expect(JSON.parse(readFileSync(lockFile, 'utf8'))).toEqual(record);
    expect(statSync(lockFile).mode & 0o777).toBe(0o600);
    expect(await inspectHost(dataDir)).toEqual({ kind: 'held', record, state: 'ready' });
    lock.release();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('makes the data directory if it is not there', async () => {
    const deeper = join(dataDir, 'deeper', 'still');
    (await takeHostLock(deeper, await startHost('first'))).release();
    expect(await inspectHost(deeper)).toEqual({ kind: 'none' });
  });

  it('refuses a second host, naming pid, address and what to do', async () => {
    const living = await startHost('first');
    await takeHostLock(dataDir, living);
    const refusal = takeHostLock(dataDir, await startHost('second'));
    await expect(refusal).rejects.toThrow(ConfigError);
    await expect(refusal).rejects.toThrow(`pid ${living.pid}`);
    await expect(refusal).rejects.toThrow(living.url);
    await expect(refusal).rejects.toThrow('--data-dir');
    expect(JSON.parse(readFileSync(lockFile, 'utf8'))).toEqual(living);
  });

  it('is not removed by a host that lost it', async () => {
    const lock = await takeHostLock(dataDir, await startHost('first'));
    writeLock({ another: 'host' });
    lock.release();
    expect(readdirSync(dataDir)).toEqual([HOST_LOCK_FILE]);
  });

  it('is stale, and taken over, when its process is gone', async () => {
    writeLock({ ...(await startHost('old')), pid: await pidOfTheDead() });
    expect(await inspectHost(dataDir)).toMatchObject({ kind: 'stale' });
    const record = await startHost('new');
    await takeHostLock(dataDir, record);
    expect(await inspectHost(dataDir)).toMatchObject({ kind: 'held', record });
    expect(readdirSync(dataDir)).toEqual([HOST_LOCK_FILE]);
  });

  it('is stale when the pid belongs to something else: nobody listens, or somebody without the token', async () => {
    const taken = await startHost('of another host');
    writeLock({ ...taken, token: 'old' });
    expect(await inspectHost(dataDir)).toMatchObject({ kind: 'stale' });
    writeLock({ ...taken, url: await listen((_request, response) => response.end('<html>')) });
    expect(await inspectHost(dataDir)).toMatchObject({ kind: 'stale' });
    writeLock({ ...taken, url: 'http://127.0.0.1:1' });
    expect(await inspectHost(dataDir)).toMatchObject({ kind: 'stale' });
  });

  it('is stale when it is not a record', async () => {
    for (const text of ['', '{', '[]', '{"pid":-1}']) {
      writeFileSync(lockFile, text);
      expect(await inspectHost(dataDir)).toEqual({ kind: 'stale', text });
    }
    await takeHostLock(dataDir, await startHost('new'));
  });

  it('is not taken from somebody who listens and does not answer', async () => {
    writeLock({ ...(await startHost('hanging')), url: await listen(() => undefined) });
    await expect(takeHostLock(dataDir, await startHost('new'))).rejects.toThrow(/does not answer.*kill -9/);
  });

  it('goes to one of many that try at the same time, free or stale', async () => {
    const stale = { ...(await startHost('old')), pid: await pidOfTheDead() };
    for (const before of [undefined, stale]) {
      rmSync(lockFile, { force: true });
      if (before) writeLock(before);
      const records = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((token) => startHost(token)));
      const outcomes = await Promise.allSettled(records.map((record) => takeHostLock(dataDir, record)));
      const winners = records.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(JSON.parse(readFileSync(lockFile, 'utf8'))).toEqual(winners[0]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConfigError);
      }
    }
  });

  it('survives a crash in the middle of a takeover', async () => {
    const mark = `${lockFile}.takeover`;
    for (const ageSeconds of [60, -3_600]) {
      writeLock({ ...(await startHost('old')), pid: await pidOfTheDead() });
      writeFileSync(mark, '1');
      const markedSeconds = Date.now() / 1000 - ageSeconds; // in the future: the clock was set back since
      utimesSync(mark, markedSeconds, markedSeconds);
      await takeHostLock(dataDir, await startHost('new'));
      expect(readdirSync(dataDir)).toEqual([HOST_LOCK_FILE]);
    }
  });

  it('goes to one of many processes', async () => {
    writeLock({ ...(await startHost('old')), pid: await pidOfTheDead() });
    const code = `
      import { createServer } from 'node:http';
      const { takeHostLock, proveHost } = await import(${JSON.stringify(new URL('./host-lock.ts', import.meta.url).href)});
      const token = String(process.pid);
      const server = createServer((request, response) => {
        const challenge = new URL(request.url, 'http://host.invalid').searchParams.get('challenge');
        response.end(JSON.stringify({ state: 'ready', version: '1', proof: proveHost(token, challenge) }));
      }).listen(0, '127.0.0.1', async () => {
        const url = 'http://127.0.0.1:' + server.address().port;
        const record = { pid: process.pid, url, token, startedAtMs: 1, version: '1' };
        await takeHostLock(${JSON.stringify(dataDir)}, record).then(() => console.log('won'), (error) => console.log(error.name));
        process.stdin.on('end', () => process.exit()).resume();
      });`;
    const outcomes: string[] = [];
    const contenders = Array.from({ length: 4 }, () => {
      const child = execFile(process.execPath, ['--input-type=module', '-e', code]);
      const ended = new Promise((resolve) => child.once('close', resolve));
      const told = new Promise<void>((resolve) => {
        child.stdout?.once('data', (text: string) => resolve(void outcomes.push(text.trim())));
        child.once('close', () => resolve());
      });
      return { child, ended, told };
    });
    await Promise.all(contenders.map(({ told }) => told));
    for (const { child } of contenders) child.stdin?.end();
    await Promise.all(contenders.map(({ ended }) => ended));
    expect(outcomes.sort()).toEqual(['ConfigError', 'ConfigError', 'ConfigError', 'won']);
  }, 20_000);
});
