/** The command `inquest serve` as people start it: a process with its engine, from the ready line to a crash and back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../../api/api-client.ts';
import { HOST_LOCK_FILE, hostRecordSchema } from '../../api/host-lock.ts';
import { UnavailableError } from '../../platform/errors.ts';

const BIN = fileURLToPath(new URL('../../bin/inquest.js', import.meta.url));
const SLOW_MS = 60_000;

let dataDir: string;
let lockFile: string;
let started: Served[] = [];

interface Served {
  readonly child: ChildProcess;
  /** The first line on stdout; rejects when the process ended before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-host-'));
  lockFile = join(dataDir, HOST_LOCK_FILE);
});

afterEach(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGKILL');
    await ended;
  }
  started = [];
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

function serve(...flags: string[]): Served {
  const args = [BIN, 'serve', '--port', '0', '--data-dir', dataDir, ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const line = Promise.withResolvers<string>();
  line.promise.catch(() => undefined);
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (stdout.includes('\n')) line.resolve(stdout.trim());
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => {
      line.reject(new UnavailableError(`ended before it was ready: ${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  const served = { child, ready: line.promise, ended };
  started.push(served);
  return served;
}

const readRecord = () => hostRecordSchema.parse(JSON.parse(readFileSync(lockFile, 'utf8')));
const readEngineUrl = () => String(JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8')).url);

const logsRequest = () => ({
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] },
      scopeLogs: [{ logRecords: [{ timeUnixNano: String(Date.now() * 1_000_000), body: { stringValue: 'hello' } }] }],
    },
  ],
});

async function sendLog(url: string): Promise<number> {
  const body = JSON.stringify(logsRequest());
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${url}/v1/logs`, { method: 'POST', headers, body })).status;
}

describe('inquest serve', () => {
  it('stores what it receives, refuses a second host, and leaves nothing behind on SIGTERM', {
    timeout: SLOW_MS,
  }, async () => {
    const host = serve();
    const line = await host.ready;
    const { url, grpcUrl, token, pid } = readRecord();
    expect(line).toBe(`Inquest listens on ${url} (OTLP/HTTP, API) and ${grpcUrl} (OTLP/gRPC)`);
    expect(pid).toBe(host.child.pid);

    expect(await sendLog(url)).toBe(200);
    const client = createApiClient({ url, token });
    expect((await client.status()).rows).toMatchObject({ otel_logs: 1 });

    const second = await serve().ended;
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toContain(`pid ${pid}, ${url}`);

    const engineUrl = readEngineUrl();
    expect((await fetch(`${engineUrl}/ping`)).status).toBe(200);
    host.child.kill('SIGTERM');
    expect(await host.ended).toEqual({ code: 0, stdout: `${line}\n`, stderr: '' });
    expect(existsSync(lockFile)).toBe(false);
    await expect(fetch(`${engineUrl}/ping`)).rejects.toThrow();
  });

  it('takes over after kill -9 with everything that was acknowledged', { timeout: SLOW_MS }, async () => {
    const crashed = serve();
    await crashed.ready;
    const before = readRecord();
    expect(await sendLog(before.url)).toBe(200);
    crashed.child.kill('SIGKILL');
    await crashed.ended;
    expect(readRecord()).toEqual(before);

    await serve().ready;
    const after = readRecord();
    expect(after.token).not.toBe(before.token);
    expect((await createApiClient(after).status()).rows).toMatchObject({ otel_logs: 1 });
    await expect(createApiClient(before).status()).rejects.toThrow();
  });

  it('takes Ctrl-C that npm tells twice for one', { timeout: SLOW_MS }, async () => {
    const host = serve();
    await host.ready;
    host.child.kill('SIGINT');
    host.child.kill('SIGINT');
    expect(await host.ended).toMatchObject({ code: 0 });
    expect(existsSync(lockFile)).toBe(false);
  });

  it('says what is wrong with its flags', async () => {
    const wrong = [
      ['--prot', '1'],
      ['--port', 'x'],
      ['--idle-exit', 'soon'],
    ];
    const ends = await Promise.all(wrong.map((flags) => serve(...flags).ended));
    for (const [index, { code, stderr }] of ends.entries()) {
      expect([code, stderr.includes(index === 1 ? 'INQUEST_PORT' : String(wrong[index]?.[0]))]).toEqual([2, true]);
    }
  });
});
