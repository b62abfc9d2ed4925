/** Posts one JSON body over HTTP and says who must act when it is not taken; waits for a host that is busy, if asked to. */
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { errorMessage, InputError, UnavailableError } from '../platform/errors.ts';

export interface PostOptions {
  /** Base address of the host; the path is appended. */
  readonly url: string;
  readonly signal: AbortSignal;
  readonly fetch?: typeof globalThis.fetch;
  /** Left out: false. */
  readonly gzip?: boolean;
  /** Bearer token of a host that asks for one. */
  readonly token?: string;
  /**
   * True: what the host turns away for now is sent again, up to 6 times when it does not answer or is in trouble (5xx), for up
   * to two minutes while it says that it is busy (429, 503), never sooner than its Retry-After asks.
   */
  readonly patient?: boolean;
  /** Told before each further attempt. */
  readonly onRetry?: (reason: string) => void;
}

const compress = promisify(gzip);
const ATTEMPTS = 6;
const BASE_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;
const BUSY_PATIENCE_MS = 120_000;
const BUSY = new Set([429, 503]);

/**
 * @returns the answer's text
 *
 * UnavailableError (retryable; `details.retryAfterSeconds` when the host names it) for connection failures, 429 and 5xx;
 * InputError (`details.status`) for other refusals. An abort rejects with the signal's reason.
 */
export async function postRequest(path: string, body: object, options: PostOptions): Promise<string> {
  const payload = await encode(body, options);
  const startedMs = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await postOnce(path, payload, options);
    } catch (error) {
      const isWorthIt = options.patient && error instanceof UnavailableError;
      if (!isWorthIt || isEnough(error, attempt, performance.now() - startedMs)) throw error;
      options.onRetry?.(error.message);
      await delay(pauseMs(error, attempt), undefined, { signal: options.signal });
    }
  }
}

/** A host that says it is busy is alive: it gets time rather than a number of attempts. */
function isEnough({ details }: UnavailableError, attempt: number, waitedMs: number): boolean {
  return BUSY.has(Number(details['status'])) ? waitedMs >= BUSY_PATIENCE_MS : attempt >= ATTEMPTS;
}

/** Exponential back-off with full jitter on top of what the host asks for. */
function pauseMs({ details }: UnavailableError, attempt: number): number {
  const { retryAfterSeconds = 0 } = details;
  const ceilingMs = Math.min(LONGEST_PAUSE_MS, BASE_PAUSE_MS * 2 ** (attempt - 1));
  return Math.min(BUSY_PATIENCE_MS, Number(retryAfterSeconds) * 1000) + Math.random() * ceilingMs;
}

async function encode(body: object, { gzip: isCompressed }: PostOptions): Promise<string | Uint8Array<ArrayBuffer>> {
  const text = JSON.stringify(body);
  return isCompressed ? new Uint8Array(await compress(text)) : text;
}

async function postOnce(path: string, payload: BodyInit, options: PostOptions): Promise<string> {
  const { url, signal, fetch = globalThis.fetch, token } = options;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (options.gzip) headers['content-encoding'] = 'gzip';
  let response: Response;
  let answer: string;
  try {
    response = await fetch(new URL(path, url), { method: 'POST', headers, body: payload, signal });
    answer = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new UnavailableError(`No answer from ${url}${path}: ${errorMessage(error)}. Is the host running?`, {
      cause: error,
    });
  }
  if (response.ok) return answer;
  const { status } = response;
  const said = `${path} answered ${status}: ${answer.slice(0, 300)}`;
  // OTLP/HTTP calls 429, 502, 503 and 504 retryable; other 5xx are the host's trouble too, so they count as such here.
  if (status !== 429 && status < 500) throw new InputError(said, { details: { status } });
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new UnavailableError(said, {
    details: { status, ...(Number.isFinite(retryAfterSeconds) ? { retryAfterSeconds } : {}) },
  });
}
