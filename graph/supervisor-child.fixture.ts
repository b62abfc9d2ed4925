/**
 * For tests: a process of its own that supervises an investigation of the scripted jury over a real Redis, and stands still in the
 * middle of a chosen step. Arguments: the directory of its stores, the path of Redis, the audit entry at which it stops. It says so as a
 * line of JSON on stdout, goes on at a line on stdin, and says how that ended.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openRedis } from '../context-store/open-redis.ts';
import type { AuditContent } from '../domain/audit.ts';
import { systemClock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import type { InvestigationParts } from './investigation-parts.ts';
import { createInvestigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING } from './scripted-jury.fixture.ts';

export type Line = { readonly at: string } | { readonly ended: string };

const say = (line: Line) => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** Parts of one process: stores that outlive it in `directory`, the board and the locks in Redis. */
export async function openSharedParts(
  directory: string,
  redisPath: string,
  overrides: Partial<InvestigationParts> = {},
) {
  const shared = { url: redisPath, lockUrls: [], namespace: 'test', clock: systemClock, logger: silentLogger };
  const redis = await openRedis(shared);
  const parts = createScriptedParts(OVERTURNING, {
    tier: 'medium',
    file: join(directory, 'stores.sqlite'),
    overrides: {
      contextStore: redis.contextStore,
      shardLock: redis.shardLock,
      executeAction: async () => {
        appendFileSync(join(directory, 'actions'), 'restarted payment\n');
        return { status: 'done', detail: 'restarted' };
      },
      ...overrides,
    },
  });
  return { parts, redis };
}

async function main(directory: string, redisPath: string, stopsAt: string): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  let hasStopped = false;
  const appendAudit = async ({ kind }: AuditContent) => {
    if (kind !== stopsAt || hasStopped) return;
    hasStopped = true;
    say({ at: kind });
    await lines.next();
  };
  const { parts, redis } = await openSharedParts(directory, redisPath, { appendAudit });
  const investigator = createInvestigator(parts);
  const signal = AbortSignal.timeout(60_000);
  const decision = { outcome: 'approved' as const, decidedBy: 'alice', reason: 'go', decidedAtMs: Date.now() };
  try {
    const { status } = await investigator.start({ ...INCIDENT, investigationId: 'inv_1' }, signal);
    if (status === 'awaiting-approval') await investigator.resume('inv_1', decision, signal);
    say({ ended: 'finished' });
  } catch (error) {
    say({ ended: error instanceof AppError ? error.code : String(error) });
  }
  await redis.close();
  process.stdin.destroy();
}

if (import.meta.main) {
  const [directory = '.', redisPath = '', stopsAt = ''] = process.argv.slice(2);
  await main(directory, redisPath, stopsAt);
}
