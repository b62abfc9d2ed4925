/** Has the hours that are over summed up for baselines, while the host runs: at once after its start, and then every few minutes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../clickhouse/database.ts';
import { refreshBaselines } from '../clickhouse/refresh-baselines.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { startRepeating } from './start-repeating.ts';

export interface RefreshingParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The host has more urgent things to do when it starts. */
const FIRST_PAUSE_MS = 20_000;
/** Nothing to do is one small question: a new hour is there soon after it is over, and late rows of old ones. */
const PAUSE_MS = 300_000;
/** Some seconds' work; a host that was away for long catches up over several turns. */
const HOURS_A_TURN = 200;
const CATCH_UP_PAUSE_MS = 2_000;

/** Returns how to end it. */
export function startRefreshing(parts: RefreshingParts): () => Promise<void> {
  return startRepeating({
    turn: async (signal) => {
      while (await refreshSome(parts, signal)) await delay(CATCH_UP_PAUSE_MS, undefined, { signal, ref: false });
    },
    firstPauseMs: FIRST_PAUSE_MS,
    pauseMs: PAUSE_MS,
    failure: 'baselines were not brought up to date',
    logger: parts.logger,
  });
}

/** All that is due, in turns; resolves when nothing is left. */
export async function refreshAll(parts: RefreshingParts, signal?: AbortSignal): Promise<void> {
  while (await refreshSome(parts, signal));
}

/** A turn's work; whether more may be left. */
async function refreshSome({ database, clock }: RefreshingParts, signal?: AbortSignal): Promise<boolean> {
  return (await refreshBaselines(database, { nowMs: clock.nowMs(), maxHours: HOURS_A_TURN, signal })) === HOURS_A_TURN;
}
