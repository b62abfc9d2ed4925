/**
 * More telemetry than the store can take: senders that never rest against a host as people start it, then the same with an
 * engine that stands still. What the host promised is compared with what is stored, and its memory is watched meanwhile.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LEDGER_KEYS, readLedger } from '../clickhouse/read-ledger.ts';
import { type DrillHost, startDrillHost } from './drill-host.ts';
import { type Balance, balance, readJournals } from './drill-ledger.ts';
import { type Sender, startSender } from './start-sender.ts';

/** `flood`: senders faster than the store. `stall`: the engine is frozen (SIGSTOP) under load, and wakes up. */
export const OVERLOADS = ['flood', 'stall'] as const;
export type Overload = (typeof OVERLOADS)[number];

export interface OverloadOptions {
  /** An empty directory of the drill's own. */
  readonly directory: string;
  /** How long each overload lasts. */
  readonly seconds: number;
  /** Clients that send at the same time, without a pause. */
  readonly clients: number;
  readonly recordsPerRequest: number;
  /** What the host takes before it refuses; its default by default. */
  readonly maxQueuedBytes?: number;
  readonly signal: AbortSignal;
}

export interface OverloadFinding extends Balance {
  readonly overload: Overload;
  /** Attempts that the host answered with 429 and 503; and those that failed otherwise. */
  readonly refused: number;
  readonly failed: number;
  /** Resident memory of the host process before and at its highest; undefined where the system does not tell. */
  readonly restingBytes: number | undefined;
  readonly peakBytes: number | undefined;
  /** From the end of the overload to the next acknowledgement. */
  readonly recoveredAfterMs: number;
}

const TIMEOUT_MS = 300_000;
/** Longer than the host lets anybody wait. */
const ATTEMPT_TIMEOUT_MS = 60_000;
const SAMPLE_MS = 100;
const MAX_REQUESTS = 1_000_000;

export async function runOverloadDrill(options: OverloadOptions): Promise<OverloadFinding[]> {
  const { maxQueuedBytes } = options;
  const env = {
    INQUEST_SCAN_SECONDS: '86400',
    INQUEST_LOG_LEVEL: 'warn',
    ...(maxQueuedBytes === undefined ? {} : limitsOf(maxQueuedBytes)),
  };
  const host = await startDrillHost({ dataDir: join(options.directory, 'data'), port: 0, env });
  try {
    const findings: OverloadFinding[] = [];
    for (const overload of OVERLOADS) findings.push(await runOverload(host, overload, options));
    return findings;
  } finally {
    host.signal('SIGTERM');
    await host.ended;
  }
}

/** A queue has room for one request at least. */
const limitsOf = (bytes: number) => ({
  INQUEST_MAX_QUEUE_BYTES: String(bytes),
  INQUEST_MAX_BODY_BYTES: String(bytes),
});

async function runOverload(host: DrillHost, overload: Overload, options: OverloadOptions): Promise<OverloadFinding> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const service = `drill-${overload}`;
  const journalPath = join(options.directory, `${service}.journal`);
  const restingBytes = residentBytes(host.pid);
  const memory = watchMemory(host.pid);
  const { clients, recordsPerRequest } = options;
  const orders = {
    url: host.url,
    name: service,
    service,
    clients,
    recordsPerRequest,
    journalPath,
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
    keys: LEDGER_KEYS,
  };
  const sender = startSender(orders);
  await sender.acknowledged(1, signal);
  const recoveredAfterMs = await overloads[overload](host, sender, options.seconds * 1_000, signal);
  await sender.stop(signal);
  memory.stop();

  const database = await host.openDatabase();
  try {
    const stored = await readLedger(database, service, MAX_REQUESTS, signal);
    const attempts = [...sender.attempts()];
    const countOf = (isOne: (status: number) => boolean) =>
      attempts.reduce((sum, [status, count]) => sum + (isOne(status) ? count : 0), 0);
    const isRefusal = (status: number) => status === 429 || status === 503;
    return {
      overload,
      refused: countOf(isRefusal),
      failed: countOf((status) => status !== 200 && !isRefusal(status)),
      restingBytes,
      peakBytes: memory.peakBytes(),
      recoveredAfterMs,
      ...balance(readJournals([journalPath]), stored),
    };
  } finally {
    await database.close();
  }
}

type Apply = (host: DrillHost, sender: Sender, forMs: number, signal: AbortSignal) => Promise<number>;

const overloads: Readonly<Record<Overload, Apply>> = {
  flood: async (_host, sender, forMs, signal) => {
    await delay(forMs, undefined, { signal });
    return untilAcknowledged(sender, signal);
  },
  stall: async (host, sender, forMs, signal) => {
    const engine = host.enginePid();
    process.kill(engine, 'SIGSTOP');
    try {
      await delay(forMs, undefined, { signal });
    } finally {
      process.kill(engine, 'SIGCONT');
    }
    return untilAcknowledged(sender, signal);
  },
};

async function untilAcknowledged(sender: Sender, signal: AbortSignal): Promise<number> {
  const sinceMs = performance.now();
  await sender.acknowledged(1, signal);
  return performance.now() - sinceMs;
}

function watchMemory(pid: number) {
  let peakBytes = residentBytes(pid);
  const look = () => {
    const bytes = residentBytes(pid);
    if (bytes !== undefined && bytes > (peakBytes ?? 0)) peakBytes = bytes;
  };
  const timer = setInterval(look, SAMPLE_MS);
  return { stop: () => clearInterval(timer), peakBytes: () => peakBytes };
}

/** VmRSS of proc(5). */
function residentBytes(pid: number): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined; // another system, or the process has ended: its end is reported elsewhere
  }
}
