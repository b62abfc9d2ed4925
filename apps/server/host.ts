/** The host as its routes see it: who it is, what state it is in, and the runtime while there is one. */
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { HostState } from '../../api/host-lock.ts';
import type { Caller } from '../../domain/identity.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Activity } from './activity.ts';
import type { HostRuntime } from './host-runtime.ts';

export interface HostEnv {
  /** Requests made in tests come without a socket. */
  Bindings: Partial<HttpBindings>;
  /** Of requests under /api, once they are let in. */
  Variables: { caller: Caller };
}
export type HostApp = Hono<HostEnv>;

export interface Host {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly activity: Activity;
  readonly token: string;
  readonly version: string;
  readonly startedAtMs: number;
  /** Where OTLP/gRPC is taken; undefined: nowhere. */
  grpcUrl(): string | undefined;
  state(): HostState;
  /** Throws UnavailableError while the host starts or stops. */
  runtime(): HostRuntime;
  /** Detection over finished windows, never twice at a time. */
  scan(signal?: AbortSignal): ReturnType<HostRuntime['scanNow']>;
  /** Aborted when the host begins to stop. */
  readonly stopping: AbortSignal;
  /** Begins to stop; what is in work is finished first. */
  stop(): void;
}
