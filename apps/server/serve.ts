/**
 * The host process from start to end: socket, lock, runtime, background work, opened in this order and closed in reverse, so
 * that whoever finds the lock file always finds somebody who answers for it.
 */
import { randomBytes } from 'node:crypto';
import { type HostLock, type HostState, inspectHost, refuseIfHosted, takeHostLock } from '../../api/host-lock.ts';
import { readInquestVersion } from '../../api/inquest-version.ts';
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import { errorMessage, UnavailableError } from '../../platform/errors.ts';
import { createLifecycle, type Lifecycle } from '../../platform/lifecycle.ts';
import { createLogger, type Logger } from '../../platform/logger.ts';
import { createActivity } from './activity.ts';
import { createApp } from './app.ts';
import { createScanQueue, scanRepeatedly, untilIdle, untilLockLost } from './background.ts';
import { listenGrpc } from './grpc-listener.ts';
import type { Host } from './host.ts';
import type { HostRuntime } from './host-runtime.ts';
import { listen } from './http-listener.ts';

export interface ServeOptions {
  readonly openRuntime: (config: Config, options: { logger: Logger; clock: Clock }) => Promise<HostRuntime>;
  /** Ends the host when there was no request and no running investigation for so long; left out: it stays. */
  readonly idleExitSeconds?: number | undefined;
  /** How often it looks whether the directory is still its own. */
  readonly lockCheckMs?: number;
  /** Stops the host in order. */
  readonly signal: AbortSignal;
  /** Told one line once the host is ready. */
  readonly print: (line: string) => void;
}

const DRAIN_TIMEOUT_MS = 10_000;
const LOCK_CHECK_MS = 5_000;
const MAX_LISTED_INCIDENTS = 200;

/**
 * Hosts the data directory until it is stopped, by its signal, POST /api/shutdown or idleness; resolves when everything is
 * closed. Rejects with ConfigError when the directory has another host or the port is taken.
 */
export async function serve(config: Config, options: ServeOptions): Promise<void> {
  const control = createHostControl(config);
  const { host, stopping } = control;
  const stop = () => stopping.abort();
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) stop();
  const opened = createLifecycle();
  try {
    refuseIfHosted(config.dataDir, await inspectHost(config.dataDir));
    const { url, grpcUrl } = await openListeners(control, opened);
    const { token, startedAtMs, version } = host;
    const record = {
      pid: process.pid,
      url,
      ...(grpcUrl === undefined ? {} : { grpcUrl }),
      token,
      startedAtMs,
      version,
    };
    const lock = await takeHostLock(config.dataDir, record);
    opened.add('lock', lock.release);
    const runtime = await options.openRuntime(config, host);
    opened.add('runtime', () => runtime.close());
    if (!stopping.signal.aborted) {
      control.begin(runtime);
      opened.add('background work', startBackground(host, lock, options));
      options.print(
        `Inquest listens on ${url} (OTLP/HTTP, API)${grpcUrl === undefined ? '' : ` and ${grpcUrl} (OTLP/gRPC)`}`,
      );
      await aborted(stopping.signal);
    }
  } finally {
    options.signal.removeEventListener('abort', stop);
    stop();
    await host.activity.drained(DRAIN_TIMEOUT_MS);
    await opened.close();
  }
}

/** Both sockets, or neither: what is bound when the other cannot be is closed with everything else. */
async function openListeners(control: HostControl, opened: Lifecycle) {
  const { host } = control;
  const { host: address, port, grpcPort } = host.config.server;
  const http = await listen({ fetch: createApp(host).fetch, host: address, port });
  opened.add('socket', http.close);
  if (grpcPort === undefined) return { url: http.url, grpcUrl: undefined };
  const grpc = await listenGrpc(host, { host: address, port: grpcPort });
  opened.add('gRPC socket', grpc.close);
  control.tellGrpcUrl(grpc.url);
  return { url: http.url, grpcUrl: grpc.url };
}

interface HostControl {
  readonly host: Host;
  readonly stopping: AbortController;
  /** From now on the host is ready. */
  begin(runtime: HostRuntime): void;
  tellGrpcUrl(url: string): void;
}

function createHostControl(config: Config): HostControl {
  const stopping = new AbortController();
  let current: { runtime: HostRuntime; scan: Host['scan'] } | undefined;
  let grpcUrl: string | undefined;

  const state = (): HostState => {
    if (stopping.signal.aborted) return 'stopping';
    return current ? 'ready' : 'starting';
  };
  const ready = () => {
    if (current && !stopping.signal.aborted) return current;
    throw new UnavailableError(`The host is ${state()}: try again in a moment.`);
  };
  const host: Host = {
    config,
    clock: systemClock,
    logger: createLogger(config.logLevel),
    activity: createActivity(),
    token: randomBytes(24).toString('base64url'),
    version: readInquestVersion(),
    startedAtMs: systemClock.nowMs(),
    grpcUrl: () => grpcUrl,
    state,
    runtime: () => ready().runtime,
    scan: (signal) => ready().scan(signal),
    stopping: stopping.signal,
    stop: () => stopping.abort(),
  };
  return {
    host,
    stopping,
    begin: (runtime) => {
      current = { runtime, scan: createScanQueue((signal) => runtime.scanNow(signal)) };
    },
    tellGrpcUrl: (url) => {
      grpcUrl = url;
    },
  };
}

/** Returns how to end it. */
function startBackground(
  host: Host,
  lock: HostLock,
  { idleExitSeconds, lockCheckMs: checkMs = LOCK_CHECK_MS }: ServeOptions,
): () => Promise<void> {
  const { activity, config, logger, stopping: signal } = host;
  const runtime = host.runtime();
  runtime.resumeInterrupted().catch((error: unknown) => {
    if (!signal.aborted) logger.error({ reason: errorMessage(error) }, 'interrupted investigations were not resumed');
  });
  const scanning = scanRepeatedly({ scan: host.scan, pauseMs: config.detection.scanSeconds * 1_000, logger, signal });
  const isInvestigating = async () => {
    const incidents = await runtime.listIncidents(MAX_LISTED_INCIDENTS, signal);
    return incidents.some(({ status }) => status === 'investigating');
  };
  const idling =
    idleExitSeconds === undefined
      ? undefined
      : untilIdle({ idleMs: idleExitSeconds * 1_000, activity, isInvestigating, logger, signal }).then(host.stop);
  const guarding = untilLockLost({ lock, checkMs, logger, signal }).then(host.stop);
  return async () => {
    await Promise.all([scanning, idling, guarding]);
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
