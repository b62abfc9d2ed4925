/**
 * Names of everything Inquest keeps in Redis, for one database. Braces are hash tags: keys that one script touches are in one
 * slot of a cluster, the whole board of an investigation among them.
 */
import type { AgentName } from '../domain/signal.ts';

/** Of what is under these names; a board that says otherwise was written by another version of Inquest. */
export const SCHEMA = '1';

export interface RedisKeys {
  /** Hash: scripts/board.lua. */
  board(investigationId: string): string;
  /** Channel. */
  progress(investigationId: string): string;
  /** Sorted set of tasks as JSON [investigationId, taskId]: scripts/list-open.lua. */
  openTasks(agent: AgentName): string;
  /** Channel: something may have become claimable. */
  readonly nudges: string;
  /** Hash: scripts/beat-worker.lua. */
  readonly workers: string;
  /** A small text: redis-register.ts. */
  register(name: string): string;
  /** On the lock nodes, which need not be the store's. */
  taskLock(investigationId: string, taskId: string): string;
  shardLock(shard: string): string;
  /** The last fencing token of a shard; in the store. */
  shardToken(shard: string): string;
}

export function createRedisKeys(namespace: string): RedisKeys {
  const prefix = `inquest:${namespace}`;
  return {
    board: (investigationId) => `${prefix}:{${investigationId}}:board`,
    progress: (investigationId) => `${prefix}:{${investigationId}}:progress`,
    openTasks: (agent) => `${prefix}:{open-tasks}:v${SCHEMA}:${agent}`,
    nudges: `${prefix}:{open-tasks}:v${SCHEMA}:nudges`,
    workers: `${prefix}:{workers}:v${SCHEMA}`,
    register: (name) => `${prefix}:{register:${name}}`,
    taskLock: (investigationId, taskId) => `${prefix}:lock:{${investigationId}}:task:${taskId}`,
    shardLock: (shard) => `${prefix}:lock:{shard:${shard}}`,
    shardToken: (shard) => `${prefix}:{shard:${shard}}:token`,
  };
}
