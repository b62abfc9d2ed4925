/** Connections are taken and given back late: the pool runs full, everybody waits for one, some wait in vain. */
import type { Operation } from '../compile-shop.ts';
import type { Visit } from '../disturbance.ts';
import type { Pod } from '../fleet.ts';
import type { Failure, Runtime } from '../shop-model.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeededService, mainOperation } from './fault.ts';

/** From the first connection that is kept until the last one is taken. */
const FILL_MS = 45_000;
/** The time after which clients give up waiting. */
const ACQUIRE_TIMEOUT_MS = 1_500;

const FAILURES: Readonly<Record<Runtime, Failure>> = {
  jvm: {
    exception: 'java.sql.SQLTransientConnectionException',
    message:
      'HikariPool-1 - Connection is not available, request timed out after 150{digit}ms (total=20, active=20, idle=0, waiting={digit})',
  },
  nodejs: { exception: 'TimeoutError', message: 'ResourceRequest timed out: timeout exceeded when trying to connect' },
  go: {
    exception: 'context.deadlineExceededError',
    message: 'acquire connection from pool: context deadline exceeded',
  },
  python: {
    exception: 'sqlalchemy.exc.TimeoutError',
    message: 'QueuePool limit of size 20 overflow 0 reached, connection timed out, timeout 1.50',
  },
};

const POOLED = new Set(['postgresql', 'mongodb']);

/** Statements need a connection of the pool; calls to caches and other services do not. */
function needsConnection({ steps }: Operation): boolean {
  const calls = steps.flat();
  return calls.some(({ target, cache }) => POOLED.has(target.service.protocol) && cache === undefined);
}

export const poolExhaustion: FaultDefinition = {
  suits: (service) => isNeededService(service) && needsConnection(mainOperation(service)),
  plan(context: FaultContext) {
    const { victim, stream, onsetMs, endMs } = context;
    const hurt = victim.operations.filter(needsConnection);
    const failShare = stream.between(0.25, 0.45);
    const pending = stream.between(6, 18);
    const impact = {
      selfFactor: 1,
      addedMs: stream.between(280, 520),
      failShare,
      failAddedMs: ACQUIRE_TIMEOUT_MS,
      failure: FAILURES[victim.runtime ?? 'go'],
    };
    const fillMs = onsetMs - FILL_MS;
    return {
      causeType: 'pool-exhaustion',
      hurt,
      preludeMs: fillMs,
      rollouts: [],
      changes: [],
      onVisit: ({ operation, atMs }: Visit) =>
        hurt.includes(operation) && intensity(context, atMs, 0) > 0 ? impact : undefined,
      onPod(pod: Pod, atMs: number) {
        if (pod.service !== victim || atMs < fillMs || atMs >= endMs) return undefined;
        if (atMs >= onsetMs) return { pool: { takenShare: 1, pending, timeoutShare: failShare } };
        return { pool: { takenShare: (atMs - fillMs) / FILL_MS, pending: 0, timeoutShare: 0 } };
      },
    };
  },
};
