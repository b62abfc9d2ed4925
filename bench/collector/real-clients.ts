/** The clients that other people wrote, as build-collector.sh leaves them: where they are, and telemetrygen run to its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../api/inquest-version.ts';
import { UnavailableError } from '../../platform/errors.ts';

export const BUILD_COMMAND = 'bash bench/collector/build-collector.sh';

const PATHS = {
  otelcol: fileURLToPath(new URL('.services/bin/otelcol', PACKAGE_ROOT)),
  telemetrygen: fileURLToPath(new URL('.services/bin/telemetrygen', PACKAGE_ROOT)),
};

/** What is to be said where the clients were not built; undefined where they were. */
export function missingClients(): string | undefined {
  try {
    for (const path of Object.values(PATHS)) accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return `no Collector and no telemetrygen are built here: ${BUILD_COMMAND} (needs Go, takes minutes)`;
  }
}

export interface StartedClient {
  readonly child: ChildProcess;
  /** What it wrote, both streams. */
  said(): string;
  /** Resolves with true when it has written this, with false when it ended without. */
  says(words: string): Promise<boolean>;
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Depends on nothing of its caller's environment; `signal` ends it. */
export function startClient(name: keyof typeof PATHS, args: readonly string[], signal: AbortSignal): StartedClient {
  const child = spawn(PATHS[name], args, { stdio: ['ignore', 'pipe', 'pipe'], env: {}, signal });
  let text = '';
  let listeners: (() => void)[] = [];
  const hear = (chunk: Buffer) => {
    text += chunk;
    for (const listen of listeners) listen();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('error', (error) => {
      text += error.message;
      resolve(null);
    });
    child.once('close', (code, name) => resolve(code ?? name));
  });
  const says = async (words: string): Promise<boolean> => {
    const written = new Promise<boolean>((resolve) => {
      const look = () => text.includes(words) && resolve(true);
      listeners.push(look);
      look();
    });
    const outcome = await Promise.race([written, ended.then(() => false)]);
    listeners = [];
    return outcome;
  };
  return { child, said: () => text, says, ended };
}

const KINDS = { traces: '--traces', logs: '--logs', metrics: '--metrics' } as const;

export interface TelemetrygenOrders {
  /** Base URL of an OTLP endpoint; its protocol is `over`. */
  readonly url: string;
  readonly over: 'grpc' | 'http';
  readonly signal: keyof typeof KINDS;
  /** Spans, log records or data points. */
  readonly records: number;
}

/** Its SDK drops spans, in silence, beyond the 2,048 that its queue holds: no single run may make more. */
const MAX_SPANS_A_RUN = 2_000;

/** Resolves when all of them were acknowledged; throws UnavailableError with its words when they were not. */
export async function runTelemetrygen(orders: TelemetrygenOrders, signal: AbortSignal): Promise<void> {
  const maxRecords = orders.signal === 'traces' ? MAX_SPANS_A_RUN : orders.records;
  for (let rest = orders.records; rest > 0; rest -= maxRecords) {
    await runOnce({ ...orders, records: Math.min(rest, maxRecords) }, signal);
  }
}

async function runOnce(orders: TelemetrygenOrders, signal: AbortSignal): Promise<void> {
  // A trace of its is a root and one child.
  const count = orders.signal === 'traces' ? orders.records / 2 : orders.records;
  const target = ['--otlp-insecure', '--otlp-endpoint', new URL(orders.url).host];
  const load = [KINDS[orders.signal], String(count), '--rate', '0', '--service', 'telemetrygen'];
  const over = orders.over === 'http' ? ['--otlp-http', '--otlp-http-url-path', `/v1/${orders.signal}`] : [];
  const { ended, said } = startClient('telemetrygen', [orders.signal, ...target, ...load, ...over], signal);
  const status = await ended;
  if (status !== 0) throw new UnavailableError(`telemetrygen ended with ${status}: ${said().slice(-500)}`);
}
