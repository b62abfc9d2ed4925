/** What the machine around a host may do to it: a full disk, a read-only one, somebody else's directory. Real processes and mounts. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { LEDGER_KEYS } from '../clickhouse/read-ledger.ts';
import { UnavailableError } from '../platform/errors.ts';
import { retry } from '../platform/retry.ts';
import { type DrillHost, spawnHost, startDrillHost } from './drill-host.ts';
import { numberedBody } from './numbered-telemetry.ts';

const MIB = 1024 ** 2;
const NOBODY_UID = 65_534;
const ENV = { INQUEST_RETENTION_DAYS: '0', INQUEST_SCAN_SECONDS: '86400', INQUEST_LOG_LEVEL: 'silent' };
const isRoot = process.getuid?.() === 0;

let directory: string;
let mounted: string[];
let hosts: DrillHost[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inquest-environment-'));
  [mounted, hosts] = [[], []];
});
afterEach(async () => {
  for (const host of hosts) {
    host.signal('SIGKILL');
    await host.ended;
  }
  for (const path of mounted)
    await retry(async () => unmount(path), { attempts: 50, baseDelayMs: 20, maxDelayMs: 100 });
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** The runner's summary tells no reasons. */
function skip(context: TestContext, reason: string): void {
  process.stderr.write(`skipped: ${context.task.name}: ${reason}\n`);
  context.skip(reason);
}

/** A disk of its own, or the test is skipped with the reason. */
function mountDisk(context: TestContext, sizeMib: number): string {
  const path = join(directory, 'disk');
  mkdirSync(path);
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    skip(context, `a small disk cannot be mounted here (${error})`);
  }
  mounted.push(path);
  return path;
}

/** The engine of a host that was killed needs a moment to leave. */
function unmount(path: string): void {
  try {
    execFileSync('/bin/umount', [path], { stdio: 'pipe' });
  } catch (error) {
    throw new UnavailableError(`${path} is in use`, { cause: error });
  }
}

async function refusalOf(dataDir: string, uid?: number) {
  return spawnHost({ dataDir, port: 0, env: ENV, ...(uid === undefined ? {} : { uid }) }).ended;
}

describe('a full disk', () => {
  const RECORDS = 500;
  let sent = 0;

  async function send(url: string) {
    const request = `full.${++sent}`;
    const body = numberedBody({
      request,
      signal: 'logs',
      service: 'full',
      records: RECORDS,
      atMs: Date.now(),
      keys: LEDGER_KEYS,
    });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1/logs`, { method: 'POST', headers, body });
    return { status: response.status, retryAfter: response.headers.get('retry-after'), answer: await response.json() };
  }

  it('refuses telemetry until there is room again: senders keep it, and nothing acknowledged is lost', async (context) => {
    const disk = mountDisk(context, 96);
    const dataDir = join(disk, 'data');
    const host = await startDrillHost({ dataDir, port: 0, env: ENV });
    hosts.push(host);
    const outcomes = [await send(host.url)];
    const ballast = join(disk, 'ballast');

    // First so far that inserts leave the last of it alone, then to the last byte.
    for (const leftMib of [20, 0]) {
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(`${ballast}.${leftMib}`, Buffer.alloc(Math.max(0, bavail * bsize - leftMib * MIB - 64 * 1024)));
      for (let attempt = 0; attempt < 3; attempt++) {
        const refused = await send(host.url);
        expect(refused).toMatchObject({ status: 503, answer: { code: 14 } });
        expect(Number(refused.retryAfter)).toBeGreaterThan(0);
        expect(refused.answer.message).toMatch(/disk of ClickHouse is full.*until somebody makes room/);
        expect(refused.answer.message).toContain(dataDir);
      }
      expect((await host.client.status()).rows).toMatchObject({ otel_logs: RECORDS });
    }

    for (const leftMib of [20, 0]) rmSync(`${ballast}.${leftMib}`);
    outcomes.push(await send(host.url), await send(host.url));
    expect(outcomes.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await host.client.status()).rows).toMatchObject({ otel_logs: 3 * RECORDS });
  });
});

describe('a data directory that cannot be written', () => {
  it('because its disk is read-only, is named, with what to do', async (context) => {
    const disk = mountDisk(context, 8);
    execFileSync('/bin/mount', ['-o', 'remount,ro', disk]);
    const { code, stderr } = await refusalOf(disk);
    expect(code).toBe(2);
    expect(stderr).toContain(`${disk}/host.json cannot be written (EROFS`);
    expect(stderr).toContain('--data-dir');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it("because it is somebody else's, is named, with what to do", async (context) => {
    if (!isRoot) skip(context, 'only root can start a host as somebody else');
    const theirs = join('/tmp', `inquest-theirs-${process.pid}`); // TMPDIR may be closed to them anyway
    mkdirSync(theirs, { mode: 0o755 });
    try {
      const readable = await refusalOf(theirs, NOBODY_UID);
      expect(readable).toMatchObject({ code: 2 });
      expect(readable.stderr).toContain(`${theirs}/host.json cannot be written (EACCES`);
      expect(readable.stderr).toContain('--data-dir');
    } finally {
      rmSync(theirs, { recursive: true });
    }
  });
});
