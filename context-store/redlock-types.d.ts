/** The types of redlock 5 beta, which its package.json hides from NodeNext. */
declare module 'redlock' {
  import type { EventEmitter } from 'node:events';
  import type { Redis } from 'ioredis';

  export interface ExecutionStats {
    readonly membershipSize: number;
    readonly quorumSize: number;
    readonly votesAgainst: Map<Redis, Error>;
  }
  export class ResourceLockedError extends Error {}
  export class ExecutionError extends Error {
    readonly attempts: readonly Promise<ExecutionStats>[];
  }
  export class Lock {
    expiration: number;
    release(): Promise<unknown>;
    extend(durationMs: number): Promise<Lock>;
  }
  // biome-ignore lint/style/noDefaultExport: that is how it is exported
  export default class Redlock extends EventEmitter {
    constructor(
      clients: Iterable<Redis>,
      settings?: { retryCount?: number; automaticExtensionThreshold?: number; driftFactor?: number },
    );
    acquire(resources: string[], durationMs: number): Promise<Lock>;
  }
}
