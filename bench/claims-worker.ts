/** A process of the claims benchmark: claims and answers as fast as it can, and says how long each claim took. */
import { once } from 'node:events';
import type { Claim, ContextStore, TaskAnswer } from '../context-store/context-store.ts';
import { connectRedis, untilReady } from '../context-store/redis-connection.ts';
import { createRedisContextStore } from '../context-store/redis-context-store.ts';
import { createRedisKeys } from '../context-store/redis-keys.ts';
import { createTaskLocks, type TaskLocks } from '../context-store/task-locks.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';

/** redlock: as in production. script: the claim script alone, which is exclusive by itself on one server. */
export type Locking = 'redlock' | 'script';

export interface ClaimsOrders {
  readonly url: string;
  readonly database: string;
  readonly name: string;
  readonly locking: Locking;
}

/** What it tells its parent: that it can begin, that a task is answered, and at the end how it went. */
export type ClaimsWord =
  | { readonly kind: 'ready' | 'answered' }
  | { readonly kind: 'end'; readonly claimMs: readonly number[]; readonly tasks: readonly string[] };

const TIMEOUT_MS = 30_000;
/** No lease runs out: what is measured is claiming, not losing claims. */
const LEASE_MS = 120_000;
const NO_LOCKS: TaskLocks = {
  acquire: async () => ({ extend: async () => true, release: async () => undefined }),
};

async function main(orders: ClaimsOrders): Promise<void> {
  const say = (word: ClaimsWord) => process.send?.(word);
  const connect = () => connectRedis({ url: orders.url, logger: silentLogger, timeoutMs: TIMEOUT_MS });
  const [redis, node] = [connect(), connect()];
  await Promise.all([untilReady(redis, TIMEOUT_MS), untilReady(node, TIMEOUT_MS)]);
  const contextStore = createRedisContextStore({
    ...{ redis, keys: createRedisKeys(orders.database), clock: systemClock, logger: silentLogger },
    locks: orders.locking === 'redlock' ? createTaskLocks([node]) : NO_LOCKS,
  });
  const begun = once(process, 'message');
  say({ kind: 'ready' });
  await begun;
  const ending = new AbortController();
  process.once('message', () => ending.abort());
  const worked = await workUntil(ending.signal, contextStore, orders.name, () => say({ kind: 'answered' }));
  await contextStore.close();
  redis.disconnect();
  node.disconnect();
  process.send?.({ kind: 'end', ...worked } satisfies ClaimsWord, () => process.exit());
}

async function workUntil(signal: AbortSignal, store: ContextStore, name: string, onAnswered: () => void) {
  const claimMs: number[] = [];
  const tasks: string[] = [];
  let askedAtMs = performance.now();
  while (!signal.aborted) {
    const claim = await store.claimNext(['metrics-agent'], name, LEASE_MS);
    if (!claim) {
      await store.awaitOpenTasks(['metrics-agent'], signal).catch(() => signal.aborted);
      continue;
    }
    claimMs.push(performance.now() - askedAtMs);
    tasks.push(`${claim.task.investigationId} ${claim.task.taskId}`);
    await store.completeTask(claim, answerTo(claim));
    onAnswered();
    askedAtMs = performance.now();
  }
  return { claimMs, tasks };
}

const answerTo = ({ task, token }: Claim): TaskAnswer => ({
  findings: [],
  evidence: [],
  gaps: [{ signal: 'metrics', service: 'bench', what: `${task.taskId} ${token}`, remedy: 'none' }],
});

if (process.send) {
  process.once('disconnect', () => process.exit());
  process.once('message', (orders: ClaimsOrders) => {
    main(orders).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    });
  });
}
