/** Has the calls between services of finished minutes written down, every minute, while the host runs. */
import type { Database } from '../clickhouse/database.ts';
import { settleEdges } from '../clickhouse/settle-edges.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { startRepeating } from './start-repeating.ts';

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
  return startRepeating({
    turn: (signal) => settleEdges(database, { nowMs: clock.nowMs(), maxMinutes: MINUTES_A_TURN, signal }),
    firstPauseMs: PAUSE_MS,
    pauseMs: PAUSE_MS,
    failure: 'calls between services were not settled',
    logger,
  });
}
