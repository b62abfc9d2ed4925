/** Has the calls between services of finished minutes written down, every minute, while the host runs. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../clickhouse/database.ts';
import { settleEdges } from '../clickhouse/settle-edges.ts';
import type { Clock } from '../platform/clock.ts';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface SettlingParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

const PAUSE_MS = 60_000;
/** A few seconds' work; a host that was away for long catches up over several turns. */
const MINUTES_A_TURN = 60;

/** Returns how to end it. */
export function startSettling({ database, clock, logger }: SettlingParts): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  async function settle(): Promise<void> {
    for (;;) {
      await delay(PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await settleEdges(database, { nowMs: clock.nowMs(), maxMinutes: MINUTES_A_TURN, signal });
      } catch (error) {
        if (!signal.aborted) logger.warn({ reason: errorMessage(error) }, 'calls between services were not settled');
      }
    }
  }
  const settling = settle();
  return async () => {
    stopping.abort();
    await settling;
  };
}
