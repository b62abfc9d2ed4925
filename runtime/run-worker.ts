/**
 * A worker from start to end: joins the database and the Redis of a host, answers tasks, supervises what others left behind. It
 * keeps nothing of its own, so it may be killed at any moment.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerRole } from '../domain/worker.ts';
import { workTasks } from '../graph/work-tasks.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { AppError, ConfigError, errorMessage } from '../platform/errors.ts';
import { canonicalJson } from '../platform/ids.ts';
import { createLifecycle } from '../platform/lifecycle.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { findAddress, joinConfiguredDatabase } from './open-database.ts';
import { openInvestigations } from './open-investigations.ts';
import { openShared } from './open-shared.ts';

export interface RunWorkerOptions {
  readonly roles: readonly WorkerRole[];
  /** Tasks that it works on at the same time. */
  readonly concurrency: number;
  /** Aborted: it takes nothing new, and ends when what it has in hand is done. */
  readonly draining: AbortSignal;
  /** Aborted: it gives back what it has in hand, and ends. */
  readonly stopping: AbortSignal;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Told one line when it is listed, and when it waits for its host. */
  readonly print: (line: string) => void;
}

/** How often it looks whether its host is still the one that it joined. */
const LOOK_MS = 1_000;

/**
 * Resolves when it was told to end. A host that goes away is waited for, one that was started anew is joined again. Rejects with
 * ConfigError without REDIS_URL, and with whatever keeps it from joining the first time.
 */
export async function runWorker(config: Config, options: RunWorkerOptions): Promise<void> {
  const { draining, print } = options;
  const logger = options.logger ?? createLogger(config.logLevel);
  if (!config.redis) throw new ConfigError('A worker shares a Redis with its host: set REDIS_URL for both.');
  for (let isFirst = true; !draining.aborted; isFirst = false) {
    try {
      await workUntilMoved(config, { ...options, logger });
    } catch (error) {
      if (isFirst || draining.aborted || !(error instanceof AppError) || !error.retryable) throw error;
      logger.warn({ reason: errorMessage(error) }, 'a worker cannot join its host; it tries again');
    }
    if (draining.aborted) return;
    print('The host has gone or moved: waiting for it.');
    await untilThere(config, draining);
  }
}

async function workUntilMoved(config: Config, options: RunWorkerOptions & { readonly logger: Logger }): Promise<void> {
  const { roles, concurrency, logger, clock = systemClock, print } = options;
  const lifecycle = createLifecycle();
  const moved = watchHost(config, logger);
  lifecycle.add('the look for its host', moved.close);
  const draining = AbortSignal.any([options.draining, moved.signal]);
  const stopping = AbortSignal.any([options.stopping, moved.signal]);
  try {
    const { database, source } = await joinConfiguredDatabase(config, lifecycle, logger);
    const shared = await openShared(config, { database, clock, logger, lifecycle });
    const investigations = await openInvestigations({
      ...{ config, database, source, shared, clock, logger, lifecycle },
      worker: { roles: [...roles], concurrency },
    });
    const { parts, workerId } = investigations;
    if (roles.includes('supervisor')) await investigations.openDesk().resumeInterrupted();
    print(`Inquest worker ${workerId} works: ${roles.join(', ')}; ${concurrency} at a time`);
    const agents = parts.agents.filter(({ signal }) => roles.includes(signal)).map(({ name }) => name);
    await workTasks(parts, { agents, concurrency, draining, stopping });
  } finally {
    await lifecycle.close();
  }
}

/** Aborts when the database is no longer where it was. */
function watchHost(config: Config, logger: Logger): { readonly signal: AbortSignal; close(): void } {
  const joined = canonicalJson(findAddress(config) ?? null);
  const moved = new AbortController();
  const look = setInterval(() => {
    try {
      if (canonicalJson(findAddress(config) ?? null) !== joined) moved.abort(new DOMException('moved', 'AbortError'));
    } catch (error) {
      logger.warn({ reason: errorMessage(error) }, 'it cannot be seen where the host is');
    }
  }, LOOK_MS);
  return { signal: moved.signal, close: () => clearInterval(look) };
}

async function untilThere(config: Config, signal: AbortSignal): Promise<void> {
  do await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted && !findAddress(config));
}
