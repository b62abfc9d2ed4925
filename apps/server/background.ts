/** What a host does unasked: detection at an interval, and noticing that nobody needs it any more. */
import { setTimeout as delay } from 'node:timers/promises';
import type { HostLock } from '../../api/host-lock.ts';
import type { Incident } from '../../domain/incident.ts';
import { errorMessage } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Activity } from './activity.ts';

/** Scans one after the other, whoever asks; a failed one does not stop the next. */
export function createScanQueue(scanNow: (signal?: AbortSignal) => Promise<Incident[]>): typeof scanNow {
  let last: Promise<unknown> = Promise.resolve();
  return (signal) => {
    const scan = last.then(() => scanNow(signal));
    last = scan.catch(() => undefined);
    return scan;
  };
}

/** Scans, pauses, scans ... until `signal` is aborted; the pause begins when a scan has ended, so they never pile up. */
export async function scanRepeatedly(options: {
  readonly scan: (signal?: AbortSignal) => Promise<Incident[]>;
  readonly pauseMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { scan, pauseMs, logger, signal } = options;
  while (await paused(pauseMs, signal)) {
    try {
      await scan(signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ reason: errorMessage(error) }, 'a scan for anomalies failed');
    }
  }
}

/** Resolves when there was no request and no running investigation for `idleMs`, or when `signal` is aborted. */
export async function untilIdle(options: {
  readonly idleMs: number;
  readonly activity: Activity;
  readonly isInvestigating: (signal: AbortSignal) => Promise<boolean>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { idleMs, activity, isInvestigating, logger, signal } = options;
  /** An engine that is away is no reason to leave. */
  const isBusy = async () => {
    try {
      return await isInvestigating(signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ reason: errorMessage(error) }, 'the host cannot tell whether it is idle');
      return true;
    }
  };
  let busyAtMs = performance.now();
  for (;;) {
    const quietMs = Math.min(activity.idleMs(), performance.now() - busyAtMs);
    if (!(await paused(Math.max(0, idleMs - quietMs), signal))) return;
    if (await isBusy()) busyAtMs = performance.now();
    else if (activity.idleMs() >= idleMs) return;
  }
}

/** Resolves when the lock file is gone or another's, as with a directory that was deleted, or when `signal` is aborted. */
export async function untilLockLost(options: {
  readonly lock: Pick<HostLock, 'isHeld'>;
  readonly checkMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { lock, checkMs, logger, signal } = options;
  while (await paused(checkMs, signal)) {
    if (lock.isHeld()) continue;
    logger.error('the lock of the data directory is gone or another host has it: this host ends');
    return;
  }
}

/** False when the signal was aborted meanwhile. */
async function paused(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
