/**
 * What the processes of one Inquest share while they work: in Redis where one is configured, else in this process's memory, its
 * database and its data directory, because it is alone.
 */
import type { AuditHead } from '../clickhouse/audit-log.ts';
import type { Database } from '../clickhouse/database.ts';
import { createOnceTable, type OnceTable } from '../clickhouse/once-register.ts';
import type { ContextStore } from '../context-store/context-store.ts';
import { createMemoryContextStore } from '../context-store/memory-context-store.ts';
import { openRedis } from '../context-store/open-redis.ts';
import { createMemoryShardLock, type ShardLock } from '../context-store/shard-lock.ts';
import { createMemoryWorkerRegistry, type WorkerRegistry } from '../context-store/worker-registry.ts';
import type { OnceRegister } from '../graph/once-register.ts';
import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { newId } from '../platform/ids.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { createAuditHead } from './audit-head.ts';
import { createSharedAuditHead } from './shared-audit-head.ts';
import { createSharedOnceRegister } from './shared-once-register.ts';

export interface SharedParts {
  readonly contextStore: ContextStore;
  readonly shardLock: ShardLock;
  readonly workers: WorkerRegistry;
  readonly once: OnceRegister;
  readonly auditHead: AuditHead;
  /** No other process takes part: what is found unfinished is nobody's. */
  readonly isAlone: boolean;
}

export interface SharedOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

/** Databases of the same name, of a demo or of another engine, may share one Redis: what is kept there goes by the database itself. */
async function identify(once: OnceTable): Promise<string> {
  const key = 'database-id';
  const { text } = await once.putOnce(key, newId('db'));
  // Of two hosts that began at the same moment the earlier one named it.
  return (await once.get(key)) ?? text;
}

/** What opens is registered with `lifecycle`. Rejects with UnavailableError when Redis does not answer. */
export async function openShared(config: Config, options: SharedOptions): Promise<SharedParts> {
  const { database, clock, logger, lifecycle } = options;
  const { dataDir, redis, clickhouse } = config;
  const once = createOnceTable(database);
  if (redis) {
    const urls = { url: redis.url.reveal(), lockUrls: redis.lockUrls.map((url) => url.reveal()) };
    const opened = await openRedis({ ...urls, namespace: await identify(once), clock, logger });
    lifecycle.add('Redis', opened.close);
    const { register, close: _, ...parts } = opened;
    return {
      ...parts,
      once: createSharedOnceRegister(once, register),
      auditHead: createSharedAuditHead(register),
      isAlone: false,
    };
  }
  const contextStore = createMemoryContextStore({ clock, logger });
  lifecycle.add('context store', () => contextStore.close());
  return {
    contextStore,
    shardLock: createMemoryShardLock(clock),
    workers: createMemoryWorkerRegistry(clock),
    once,
    auditHead: createAuditHead({ dataDir, name: clickhouse.database }),
    isAlone: true,
  };
}
