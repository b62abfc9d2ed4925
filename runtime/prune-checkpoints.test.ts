import { expect, it } from 'vitest';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { Investigation } from '../domain/investigation.ts';
import { createManualClock } from '../platform/clock.ts';
import { UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { pruneCheckpoints, startPruning } from './prune-checkpoints.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 0, 31);

function openParts(investigations: Readonly<Record<string, Partial<Investigation> | undefined>>) {
  const deleted: string[] = [];
  const checkpoints = {
    listThreads: async () => Object.keys(investigations),
    deleteThread: async (threadId: string) => void deleted.push(threadId),
  };
  const archive = { find: async (_: string, id: string) => investigations[id] } as unknown as IncidentArchive;
  return { deleted, parts: { checkpoints, archive, clock: createManualClock(NOW_MS) } };
}

it('forgets only what finished a week ago: what waits, failed, runs or is unknown may still go on', async () => {
  const long = NOW_MS - 8 * DAY_MS;
  const { deleted, parts } = openParts({
    old: { status: 'finished', finishedAtMs: long },
    recent: { status: 'finished', finishedAtMs: NOW_MS - 6 * DAY_MS },
    waiting: { status: 'awaiting-approval' },
    failed: { status: 'failed', finishedAtMs: long },
    running: { status: 'running' },
    unknown: undefined,
  });
  expect(await pruneCheckpoints(parts, new AbortController().signal)).toBe(1);
  expect(deleted).toEqual(['old']);
});

it('survives a store that is away, and ends when it is told to', async () => {
  const { parts } = openParts({});
  const asked = Promise.withResolvers<void>();
  const listThreads = async () => {
    asked.resolve();
    throw new UnavailableError('away');
  };
  const checkpoints = { ...parts.checkpoints, listThreads };
  const stop = startPruning({ ...parts, checkpoints, logger: silentLogger });
  await asked.promise;
  await stop();
});
