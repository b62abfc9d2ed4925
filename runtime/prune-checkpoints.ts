/** Forgets the checkpoints of investigations that ended a while ago: their report is in the archive, nobody resumes them. */
import type { CheckpointTable } from '../clickhouse/checkpoints.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { startRepeating } from './start-repeating.ts';

export interface PruneParts {
  readonly checkpoints: Pick<CheckpointTable<string>, 'listThreads' | 'deleteThread'>;
  readonly archive: Pick<IncidentArchive, 'find'>;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
/** Who decides late on what was decided is told so by the checkpoints. */
const KEPT_MS = 7 * DAY_MS;

/** Resolves with how many investigations' checkpoints were forgotten. What is not finished, or not archived, stays. */
export async function pruneCheckpoints(parts: PruneParts, signal: AbortSignal): Promise<number> {
  const { checkpoints, archive, clock } = parts;
  let pruned = 0;
  for (const investigationId of await checkpoints.listThreads(signal)) {
    const investigation = await archive.find('investigation', investigationId, signal);
    const { status, finishedAtMs = Number.POSITIVE_INFINITY } = investigation ?? {};
    if (status !== 'finished' || finishedAtMs > clock.nowMs() - KEPT_MS) continue;
    await checkpoints.deleteThread(investigationId, signal);
    pruned++;
  }
  return pruned;
}

/** Prunes now and every day; returns how to end it. */
export function startPruning(parts: PruneParts & { readonly logger: Logger }): () => Promise<void> {
  return startRepeating({
    turn: (signal) => pruneCheckpoints(parts, signal),
    pauseMs: DAY_MS,
    failure: 'old checkpoints were not pruned',
    logger: parts.logger,
  });
}
