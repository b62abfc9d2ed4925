/**
 * Connections to Redis that fail fast: while the server is away, or does not answer in time, a call rejects at once and nothing
 * is queued or sent a second time; the connection itself comes back as soon as the server does.
 */
import { Redis, ReplyError } from 'ioredis';
import { AppError, ConfigError, errorMessage, InvariantError, UnavailableError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface RedisConnectionOptions {
  /** redis://, rediss:// or the path of a socket. */
  readonly url: string;
  readonly logger: Logger;
  /** A call that has no answer after so long has failed, though what it asked for may have been done. */
  readonly timeoutMs: number;
}

const MAX_RECONNECT_MS = 500;

/** The connection is being made; commands before it is ready are refused: see `untilReady`. */
export function connectRedis({ url, logger, timeoutMs }: RedisConnectionOptions): Redis {
  const redis = new Redis(url, {
    commandTimeout: timeoutMs,
    // A server that stands still keeps its connections: give it up, so that the calls after it fail at once.
    socketTimeout: 2 * timeoutMs,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(MAX_RECONNECT_MS, 20 * 2 ** attempt),
    // A master that became a replica answers READONLY: the name may lead to the new master by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  let isAway = false;
  redis.on('ready', () => {
    if (isAway) logger.info('Redis is back');
    isAway = false;
  });
  redis.on('error', (error) => {
    if (!isAway) logger.warn({ reason: errorMessage(error) }, 'Redis is away');
    isAway = true;
  });
  return redis;
}

/** Resolves when the connection can be used; rejects with UnavailableError when that takes longer than `timeoutMs`. */
export async function untilReady(redis: Redis, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (redis.status === 'ready') return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let reason = 'no answer';
  const onError = (error: unknown) => {
    reason = errorMessage(error);
  };
  const onAbort = () => reject(signal?.reason);
  const timer = setTimeout(() => reject(unavailable(reason)), timeoutMs);
  redis.once('ready', resolve).on('error', onError);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    redis.off('ready', resolve).off('error', onError);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Runs `work` and translates what Redis or its driver reject with. */
export async function askRedis<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AppError ? error : translate(error);
  }
}

/** Redis answers errors that begin with a code; of these, the first mean the caller's mistake, the second the operator's. */
const OUR_CODES = new Set(['ERR', 'WRONGTYPE', 'NOSCRIPT', 'CROSSSLOT', 'EXECABORT']);
const OPERATOR_CODES = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM']);

function translate(error: unknown): Error {
  const text = errorMessage(error);
  const code = error instanceof ReplyError ? text.split(' ', 1)[0] : undefined;
  if (code && OUR_CODES.has(code))
    return new InvariantError(`Redis refused what it was asked: ${text}`, { cause: error });
  if (code && OPERATOR_CODES.has(code)) {
    return new ConfigError(`Redis does not let Inquest in (${text}): check the user and password of REDIS_URL.`, {
      cause: error,
    });
  }
  return unavailable(text, error);
}

function unavailable(reason: string, cause?: unknown): UnavailableError {
  return new UnavailableError(`Redis cannot answer now (${reason}): try again in a moment.`, {
    code: 'context-store-away',
    cause,
  });
}

/** Warns when the server is set to forget what it was not told to. Servers that do not tell are taken at their word. */
export async function warnOfEviction(redis: Redis, logger: Logger): Promise<void> {
  const policy = await redis.config('GET', 'maxmemory-policy').then(
    (answer) => (Array.isArray(answer) ? String(answer[1]) : undefined),
    () => undefined,
  );
  if (policy === undefined || policy === 'noeviction') return;
  logger.warn(
    { policy },
    'Redis may evict the boards of running investigations when its memory is full: set maxmemory-policy to noeviction',
  );
}
