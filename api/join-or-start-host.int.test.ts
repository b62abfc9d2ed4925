/** Commands that look for a host: they join, they start one, several at a time, and they say why it did not start. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, InputError } from '../platform/errors.ts';
import { HOST_LOCK_FILE, inspectHost } from './host-lock.ts';
import { HOST_LOG_FILE, joinOrStartHost } from './join-or-start-host.ts';

const SLOW_MS = 60_000;
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-join-'));
});

afterEach(async () => {
  const presence = await inspectHost(dataDir);
  if (presence.kind === 'held') process.kill(presence.record.pid, 'SIGTERM');
  await untilVacant();
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** Waits until the host has ended. Looks at its file only: asking it would keep it up. */
async function untilVacant(): Promise<void> {
  while (existsSync(join(dataDir, HOST_LOCK_FILE))) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('joinOrStartHost', () => {
  it('starts one host for many commands, and it ends by itself when nobody needs it', {
    timeout: SLOW_MS,
  }, async () => {
    const joined = await Promise.all([1, 2, 3].map(() => joinOrStartHost({ dataDir, idleExitSeconds: 1 })));
    expect(new Set(joined.map(({ pid }) => pid)).size).toBe(1);
    expect(joined.filter(({ started }) => started)).toHaveLength(1);
    for (const { client } of joined) expect(await client.status()).toMatchObject({ pid: joined[0]?.pid, dataDir });
    expect(await joinOrStartHost({ dataDir })).toMatchObject({ started: false, pid: joined[0]?.pid });
    await untilVacant();
    expect(await inspectHost(dataDir)).toEqual({ kind: 'none' });
  });

  it('shows the end of its log when the host does not start', { timeout: SLOW_MS }, async () => {
    writeFileSync(join(dataDir, HOST_LOG_FILE), 'of an earlier start\n');
    const env = { ...process.env, INQUEST_RETENTION_DAYS: 'for ever' };
    const failed = joinOrStartHost({ dataDir, env });
    await expect(failed).rejects.toThrow(ConfigError);
    await expect(failed).rejects.toThrow(/INQUEST_RETENTION_DAYS/);
    await expect(failed).rejects.not.toThrow(/of an earlier start/);
    expect(readFileSync(join(dataDir, HOST_LOG_FILE), 'utf8')).toContain('of an earlier start');
  });

  it('leaves neither host nor engine behind when the command that started it is killed', {
    timeout: SLOW_MS,
  }, async () => {
    const script = `
      const { joinOrStartHost } = await import(${JSON.stringify(new URL('./join-or-start-host.ts', import.meta.url).href)});
      await joinOrStartHost({ dataDir: ${JSON.stringify(dataDir)}, idleExitSeconds: 1 });
      console.log('joined');
      setInterval(() => undefined, 1_000);`;
    const command = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(command.stdout, 'data');
    const engine = JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8'));
    const gone = once(command, 'exit');
    command.kill('SIGKILL');
    await gone;
    await untilVacant();
    await expect(fetch(`${engine.url}/ping`)).rejects.toThrow();
    expect(() => process.kill(engine.pid, 0)).toThrow('ESRCH');
  });

  it('ends the host that it started when its caller gives up', { timeout: SLOW_MS }, async () => {
    const caller = new AbortController();
    const joining = joinOrStartHost({ dataDir, signal: caller.signal });
    joining.catch(() => undefined);
    while ((await inspectHost(dataDir)).kind !== 'held') await new Promise((resolve) => setTimeout(resolve, 10));
    caller.abort(new InputError('enough'));
    await expect(joining).rejects.toThrow();
    await untilVacant();
  });
});
