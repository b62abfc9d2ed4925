/** What people changed: recorded changes, and deploys that telemetry shows although nobody recorded them. */
import { z } from 'zod';
import type { InferredDeployRow, RecordedChangeRow } from '../../clickhouse/read-changes.ts';
import { type Change, changeKindSchema, changeSchema } from '../../domain/change.ts';
import { formatInstant, isInside } from '../../domain/time-window.ts';
import { contentId } from '../../platform/ids.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

/** A deploy is recorded when it begins or ends, and seen when its first instance works: so far apart they are one. */
const SAME_DEPLOY_MS = 600_000;

export const listChanges = defineTool({
  name: 'list_changes',
  title: 'List changes',
  description:
    'Deploys, commits, flags, config and infrastructure changes of a window, the newest first: those recorded, and deploys inferred from a service.version seen for the first time. Changes bound to no service are included.',
  input: z.object({
    window: windowInput,
    service: serviceInput.optional(),
    kinds: z.array(changeKindSchema).min(1).optional(),
    diffCharacters: z.int().min(0).max(200_000).default(2_000).describe('Diffs are cut to so many characters.'),
    limit: z.int().min(1).max(500).default(50),
  }),
  output: z.object({ changes: z.array(changeSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 500, timeoutMs: 30_000, maxTokens: 120_000 },
  run: async ({ window, service, kinds, diffCharacters, limit }, context, limits) => {
    const bounds = { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal };
    const nearby = {
      startMs: Math.max(0, window.startMs - SAME_DEPLOY_MS),
      endMs: window.endMs + SAME_DEPLOY_MS,
    };
    const recorded = await context.telemetry.changes.listRecorded(
      { window: nearby, service, kinds, diffCharacters },
      bounds,
    );
    const hasDeploys = kinds === undefined || kinds.includes('deploy');
    const inferred = hasDeploys ? await context.telemetry.changes.inferDeploys({ window, service }, bounds) : undefined;
    const changes = mergeDeploys(recorded.rows, inferred?.rows ?? [])
      .filter(
        ({ change, seenAtMs }) =>
          isInside(window, change.atMs) || (seenAtMs !== undefined && isInside(window, seenAtMs)),
      )
      .map(({ change }) => change)
      .sort((left, right) => right.atMs - left.atMs || (left.changeId < right.changeId ? -1 : 1));
    const unread = (recorded.rows[0]?.totalRows ?? 0) - recorded.rows.length;
    const { rows, ...cut } = cutRows(changes.slice(0, limit), limits, changes.length + unread);
    return {
      output: { changes: rows, ...cut },
      queries: inferred ? [recorded.query, inferred.query] : [recorded.query],
      window,
      summary: `${cut.totalRows} changes of ${service ?? 'all services'}, ${describeWindow(window)}.`,
    };
  },
});

interface SeenChange {
  readonly change: Change;
  /** When telemetry first showed it, where it did. */
  readonly seenAtMs?: number;
}

/** A recorded deploy stands for the inferred one of its service and version nearby, and keeps when that was seen. */
function mergeDeploys(recorded: readonly RecordedChangeRow[], inferred: readonly InferredDeployRow[]): SeenChange[] {
  const unmatched = new Set(inferred);
  const merged = recorded.map(({ totalRows: _, ...row }): SeenChange => {
    const change: Change = { ...row, attributes: { ...row.attributes }, source: 'webhook' };
    const seen = inferred.find((deploy) => unmatched.has(deploy) && isSameDeploy(change, deploy));
    if (!seen) return { change };
    unmatched.delete(seen);
    const attributes = { ...change.attributes, inferredAt: formatInstant(seen.atMs) };
    return { change: { ...change, attributes }, seenAtMs: seen.atMs };
  });
  return [...merged, ...[...unmatched].map((deploy) => ({ change: toChange(deploy), seenAtMs: deploy.atMs }))];
}

function isSameDeploy(change: Change, deploy: InferredDeployRow): boolean {
  return (
    change.kind === 'deploy' &&
    change.service === deploy.service &&
    change.version === deploy.version &&
    Math.abs(change.atMs - deploy.atMs) <= SAME_DEPLOY_MS
  );
}

function toChange({ service, version, previousVersion, atMs, signals }: InferredDeployRow): Change {
  const seenIn = signals.join(', ');
  return {
    changeId: contentId('deploy', { service, version }),
    kind: 'deploy',
    service,
    atMs,
    version,
    summary: `${service} ${version} first seen in ${seenIn}; before it ran ${previousVersion}.`.slice(0, 2_000),
    author: '',
    url: '',
    attributes: { previousVersion, signals: seenIn },
    diff: '',
    source: 'inferred',
  };
}
