/**
 * The lock file `host.json` of a data directory: which process hosts it, and how to reach it. Says whether that process is
 * there, lets exactly one take its place, and removes the file only for its owner.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AppError, ConfigError, errorMessage } from '../platform/errors.ts';

export const HOST_LOCK_FILE = 'host.json';

export const hostRecordSchema = z.object({
  pid: z.int().positive(),
  /** Base of the HTTP API, without a slash at the end. */
  url: z.url(),
  /** Where OTLP/gRPC is taken, as senders write it; left out: nowhere. */
  grpcUrl: z.url().optional(),
  token: z.string().min(1),
  startedAtMs: z.int().nonnegative(),
  version: z.string(),
});
export type HostRecord = z.infer<typeof hostRecordSchema>;

const hostStateSchema = z.enum(['starting', 'ready', 'stopping']);
export type HostState = z.infer<typeof hostStateSchema>;

/** GET /healthz. `proof` answers `?challenge=TEXT`: only the process that has the token can compute it. */
export const healthSchema = z.object({ state: hostStateSchema, version: z.string(), proof: z.string().optional() });

/**
 * What the lock file is worth now. `stale`: its process is gone, or its address is answered by something without the
 * token. `silent`: somebody listens there and says nothing, so nobody can tell.
 */
export type HostPresence =
  | { readonly kind: 'none' }
  | { readonly kind: 'stale'; readonly text: string }
  | { readonly kind: 'silent'; readonly record: HostRecord }
  | { readonly kind: 'held'; readonly record: HostRecord; readonly state: HostState };

export interface HostLock {
  /** False once the file is gone or another's: nobody finds this host any more. True when it cannot be told. */
  isHeld(): boolean;
  /** Removes the lock file if it is still ours. */
  release(): void;
}

const ANSWER_TIMEOUT_MS = 2_000;
const TAKEOVER_WAIT_MS = 50;
const TAKEOVER_ATTEMPTS = 100;
/** A takeover lasts microseconds; a mark of one that is older than this was left by a crash in the middle. */
const TAKEOVER_LEFTOVER_MS = 3_000;

/** The proof that a host owes to a challenger: HMAC-SHA-256 of the challenge under its token, in hex. */
export function proveHost(token: string, challenge: string): string {
  return createHmac('sha256', token).update(challenge).digest('hex');
}

/** Looks at the lock file and asks the process behind it. The token itself is not sent to whoever listens there. */
export async function inspectHost(dataDir: string, signal?: AbortSignal): Promise<HostPresence> {
  const text = readIfThere(join(dataDir, HOST_LOCK_FILE));
  if (text === undefined) return { kind: 'none' };
  const record = parseOrUndefined(hostRecordSchema, text);
  if (record === undefined || !isProcessThere(record.pid)) return { kind: 'stale', text };
  const answer = await askHost(record, signal);
  if (answer === 'nobody') return { kind: 'stale', text };
  if (answer === 'silent') return { kind: 'silent', record };
  return { kind: 'held', record, state: answer };
}

/**
 * Makes `record` the host of the data directory. Of any number of processes that try, one succeeds; a stale lock is taken
 * over. Throws ConfigError, naming pid and address, when a living host has it or the directory cannot be written.
 */
export async function takeHostLock(dataDir: string, record: HostRecord, signal?: AbortSignal): Promise<HostLock> {
  const path = join(dataDir, HOST_LOCK_FILE);
  const text = `${JSON.stringify(record)}\n`;
  for (let attempt = 0; attempt < TAKEOVER_ATTEMPTS; attempt++) {
    signal?.throwIfAborted();
    const presence = await inspectHost(dataDir, signal);
    refuseIfHosted(dataDir, presence);
    const taken = presence.kind === 'stale' ? replaceStale(path, presence.text, text) : createWhole(path, text);
    if (taken) return { isHeld: () => isHeld(path, text), release: () => releaseLock(path, text) };
    await delay(TAKEOVER_WAIT_MS, undefined, { signal });
  }
  throw new ConfigError(
    `${path} keeps changing hands: stop the other starts of Inquest on this directory and try again.`,
  );
}

/** Throws the ConfigError of a data directory that somebody else hosts. */
export function refuseIfHosted(dataDir: string, presence: HostPresence): void {
  if (presence.kind === 'held') {
    const { pid, url } = presence.record;
    throw new ConfigError(
      `Another Inquest (pid ${pid}, ${url}, ${presence.state}) hosts ${dataDir}: ` +
        `use it, stop it with "kill ${pid}", or choose another directory with --data-dir or INQUEST_DATA_DIR.`,
      { details: { pid, url } },
    );
  }
  if (presence.kind === 'silent') {
    const { pid, url } = presence.record;
    throw new ConfigError(
      `${join(dataDir, HOST_LOCK_FILE)} names pid ${pid} at ${url}, where somebody listens but does not answer. If that is ` +
        `a hanging Inquest, end it with "kill -9 ${pid}"; if it is not Inquest, delete the file. Then start again.`,
      { details: { pid, url } },
    );
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    if (hasCode(error, 'ENOTDIR')) throw new ConfigError(`${dirname(path)} is not a directory.`, { cause: error });
    throw new ConfigError(`${path} cannot be read (${errorMessage(error)}): is the directory another user's?`, {
      cause: error,
    });
  }
}

/** Undefined for what is not ours, or from a version that wrote something else. */
function parseOrUndefined<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function isProcessThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

async function askHost(record: HostRecord, signal?: AbortSignal): Promise<HostState | 'nobody' | 'silent'> {
  const challenge = randomBytes(16).toString('hex');
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  try {
    const response = await fetch(`${record.url}/healthz?challenge=${challenge}`, {
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      redirect: 'error',
    });
    const health = parseOrUndefined(healthSchema, await response.text());
    const isProven = health !== undefined && isSame(health.proof ?? '', proveHost(record.token, challenge));
    return isProven ? health.state : 'nobody';
  } catch {
    signal?.throwIfAborted();
    return timeout.aborted ? 'silent' : 'nobody';
  }
}

/** Compares in a time that does not depend on where the texts differ. */
export function isSame(left: string, right: string): boolean {
  const [leftDigest, rightDigest] = [left, right].map((text) => createHmac('sha256', 'compare').update(text).digest());
  return leftDigest !== undefined && rightDigest !== undefined && timingSafeEqual(leftDigest, rightDigest);
}

/** False when the file exists. A link appears with its whole content, so nobody ever reads half a record. */
function createWhole(path: string, text: string): boolean {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw unwritable(path, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Puts our record where the stale one is; false when somebody else is about to, or did. The mark makes "is it still the
 * stale one, then replace it" one step among processes; nothing inside waits.
 */
function replaceStale(path: string, staleText: string, text: string): boolean {
  const mark = `${path}.takeover`;
  if (!createWhole(mark, String(process.pid))) {
    dropLeftover(mark);
    return false;
  }
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    if (readIfThere(path) !== staleText) return false;
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
    renameSync(draft, path);
    return true;
  } catch (error) {
    throw error instanceof AppError ? error : unwritable(path, error);
  } finally {
    rmSync(draft, { force: true });
    rmSync(mark, { force: true });
  }
}

function dropLeftover(mark: string): void {
  const ageMs = Date.now() - (statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  // From the future: the clock was set back since.
  if (Math.abs(ageMs) > TAKEOVER_LEFTOVER_MS) rmSync(mark, { force: true });
}

function isHeld(path: string, text: string): boolean {
  try {
    return readIfThere(path) === text;
  } catch {
    return true;
  }
}

function releaseLock(path: string, text: string): void {
  if (readIfThere(path) === text) rmSync(path, { force: true });
}

function unwritable(path: string, error: unknown): ConfigError {
  return new ConfigError(
    `${path} cannot be written (${errorMessage(error)}): choose another directory with --data-dir or INQUEST_DATA_DIR.`,
    { cause: error },
  );
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
