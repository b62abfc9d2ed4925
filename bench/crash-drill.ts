/**
 * kill -9 under load: a host as people start it, concurrent senders of numbered telemetry, an investigation that runs, asks and
 * acts; host, engine or clients are killed at seeded moments, and the books are compared afterwards.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LEDGER_KEYS, readLedger } from '../clickhouse/read-ledger.ts';
import type { Investigation } from '../domain/investigation.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { errorMessage } from '../platform/errors.ts';
import { RandomStream } from '../simulator/random-stream.ts';
import { sendBatch } from '../simulator/send-batches.ts';
import { simulateShop } from '../simulator/simulate-shop.ts';
import { BIN, type DrillHost, startDrillHost } from './drill-host.ts';
import { type Balance, balance, readJournals } from './drill-ledger.ts';
import { bringToEnd, findByTitle, openOnce, patiently } from './drill-person.ts';
import { type EffectCounter, startEffectCounter } from './effect-counter.ts';
import { type Sender, startSender } from './start-sender.ts';

/** Who is killed; `restart`: nobody, the host is told to stop in order (SIGTERM) and started again. */
export const VICTIMS = ['host', 'engine', 'client', 'restart'] as const;
export type Victim = (typeof VICTIMS)[number];

export type Protocol = 'http' | 'grpc';

export interface DrillOptions {
  /** An empty directory of the drill's own. */
  readonly directory: string;
  readonly kills: Readonly<Record<Victim, number>>;
  /** The same seed kills at the same fractions of a round. */
  readonly seed: number;
  /** The kills are spread over so long after an incident is opened; left out: over a round that nobody disturbs. */
  readonly spreadMs?: number;
  /** Clients that send at the same time; 6 by default. */
  readonly clients?: number;
  /** How they send; HTTP by default. */
  readonly protocol?: Protocol;
  readonly signal: AbortSignal;
  readonly onRound?: (round: Round) => void;
}

export interface Round extends Balance {
  readonly victim: Victim;
  readonly number: number;
  /** Milliseconds from the opening of the incident to the kill. */
  readonly killedAfterMs: number;
  /** Milliseconds from the kill until requests were acknowledged again. */
  readonly backAfterMs: number;
  /** `not-opened`: the command that would have opened it was killed before. */
  readonly investigation: Investigation['status'] | 'not-opened' | 'never-ended';
  readonly action: 'done' | 'failed' | 'unknown' | 'not-run' | 'none';
  /** How often the action reached what it acts on. */
  readonly effects: number;
  /** For one that never ended: what was known of it last, and what the host said. */
  readonly trace?: string;
}

const MINUTE_MS = 60_000;
const ROUND_TIMEOUT_MS = 4 * MINUTE_MS;
/** An investigation of this shop takes a second or two, on a busy machine ten. */
const INVESTIGATION_TIMEOUT_MS = 2 * MINUTE_MS;
const DEFAULT_CLIENTS = 6;
const RECORDS_PER_REQUEST = 20;
/** So many acknowledgements before the incident is opened, and again after the kill. */
const FLOWING = 12;
const MAX_REQUESTS = 1_000_000;
const SHOP_END_MS = Date.UTC(2026, 0, 14, 12);

/** Runs every round, then says what each found; throws what a sound host never causes. */
export async function runCrashDrill(options: DrillOptions): Promise<Round[]> {
  const effects = await startEffectCounter();
  const stage = await openStage(options, effects);
  try {
    const random = RandomStream.fromSeed(options.seed);
    const rounds: Round[] = [];
    const durations = new Map<string, number>();
    for (const victim of VICTIMS) {
      if (options.kills[victim] === 0) continue;
      const asker = victim === 'client' ? 'command' : 'API';
      const durationMs = durations.get(asker) ?? options.spreadMs ?? (await measureUndisturbed(stage, victim));
      durations.set(asker, durationMs);
      for (let number = 1; number <= options.kills[victim]; number++) {
        const moment = random.fork(victim).fork(number).next() * durationMs;
        const { round } = await playRound(stage, { victim, number, moment });
        rounds.push(round);
        options.onRound?.(round);
      }
    }
    return rounds;
  } finally {
    await stage.close();
    await effects.close();
  }
}

/** How long a round takes in which nobody is killed: the kills of the others are spread over it. */
async function measureUndisturbed(stage: Stage, victim: Victim): Promise<number> {
  return (await playRound(stage, { victim, number: 0, moment: undefined })).endedAfterMs;
}

interface Stage {
  readonly directory: string;
  readonly dataDir: string;
  readonly effects: EffectCounter;
  readonly clients: number;
  readonly protocol: Protocol;
  readonly signal: AbortSignal;
  readonly window: TimeWindow;
  host: DrillHost;
  restartHost(): Promise<void>;
  close(): Promise<void>;
}

async function openStage(
  { directory, signal, clients = DEFAULT_CLIENTS, protocol = 'http' }: DrillOptions,
  effects: EffectCounter,
): Promise<Stage> {
  const dataDir = join(directory, 'data');
  const env = {
    INQUEST_RETENTION_DAYS: '0', // the shop's incident lies at a fixed time
    INQUEST_SCAN_SECONDS: '86400',
    INQUEST_WEBHOOK_URL: effects.url,
    INQUEST_WEBHOOK_SECRET: 'only-the-drill-knows',
    INQUEST_LOG_LEVEL: 'warn',
  };
  const host = await startDrillHost({ dataDir, port: 0, env });
  const stage: Stage = {
    directory,
    dataDir,
    effects,
    clients,
    protocol,
    signal,
    window: { startMs: SHOP_END_MS - 12 * MINUTE_MS, endMs: SHOP_END_MS },
    host,
    restartHost: async () => {
      const grpcPort = Number(new URL(host.grpcUrl ?? '').port);
      stage.host = await startDrillHost({ dataDir, port: host.port, grpcPort, env });
    },
    close: async () => {
      stage.host.signal('SIGTERM');
      await stage.host.ended;
    },
  };
  await feedBadDeploy(stage);
  return stage;
}

/** An incident that ends in an action: the newest deploy of a small shop is bad for its last four minutes. */
async function feedBadDeploy({ host, window, signal }: Stage): Promise<void> {
  const fault = { kind: 'bad-deploy' as const, onsetMs: onsetOf(window) };
  for (const batch of simulateShop({ ...window, seed: 2, requestsPerSecond: 4, fault, batchSeconds: 120 })) {
    await sendBatch(batch, { url: host.url, signal });
  }
}

const onsetOf = ({ endMs }: TimeWindow) => endMs - 4 * MINUTE_MS;

interface Plan {
  readonly victim: Victim;
  readonly number: number;
  /** Milliseconds after the opening; undefined: nobody is killed. */
  readonly moment: number | undefined;
}

async function playRound(stage: Stage, plan: Plan): Promise<{ round: Round; endedAfterMs: number }> {
  const name = `drill-${plan.victim}-${plan.number}`;
  const signal = AbortSignal.any([stage.signal, AbortSignal.timeout(ROUND_TIMEOUT_MS)]);
  const load = openLoad(stage, name);
  await load.sender.acknowledged(FLOWING, signal);

  const openedMs = performance.now();
  const elapsedMs = () => performance.now() - openedMs;
  const ending = investigate(stage, plan.victim, name);
  ending.ended.catch(() => undefined); // awaited further down; until then a failure is not unhandled
  if (plan.moment !== undefined) await delay(plan.moment, undefined, { signal });
  const killedAfterMs = elapsedMs();
  if (plan.moment !== undefined) await kill(stage, plan.victim, load, ending);
  await load.sender.acknowledged(FLOWING, signal);
  const backAfterMs = elapsedMs() - killedAfterMs;
  const ended = await ending.ended;
  const endedAfterMs = elapsedMs();
  await load.sender.stop(signal);

  const database = await stage.host.openDatabase();
  try {
    const stored = await readLedger(database, name, MAX_REQUESTS, signal);
    const books = balance(readJournals(load.journals), stored);
    const { victim, number } = plan;
    const round = { victim, number, killedAfterMs, backAfterMs, ...describeEnd(stage, ended), ...books };
    return { round, endedAfterMs };
  } finally {
    await database.close();
  }
}

interface Load {
  sender: Sender;
  readonly journals: string[];
  /** Another sender process takes over, as a restarted client would. */
  replace(): void;
}

function openLoad({ directory, host, clients, protocol }: Stage, service: string): Load {
  const grpcAddress = protocol === 'grpc' && host.grpcUrl !== undefined ? new URL(host.grpcUrl).host : undefined;
  const journals: string[] = [];
  const start = () => {
    const name = `${service}.${journals.length}`;
    const journalPath = join(directory, `${name}.journal`);
    journals.push(journalPath);
    return startSender({
      url: host.url,
      grpcAddress,
      name,
      service,
      clients,
      recordsPerRequest: RECORDS_PER_REQUEST,
      journalPath,
      keys: LEDGER_KEYS,
    });
  };
  const load: Load = {
    sender: start(),
    journals,
    replace: () => {
      load.sender = start();
    },
  };
  return load;
}

type Ended = Investigation | 'not-opened' | { readonly neverEnded: string };

interface Ending {
  readonly ended: Promise<Ended>;
  /** The process that asked, where that is not this one. */
  readonly asker?: ChildProcess;
}

/** Opens an incident and brings it to its end: over the API, or for the drill of clients with a command that can be killed. */
function investigate(stage: Stage, victim: Victim, title: string): Ending {
  const signal = AbortSignal.any([stage.signal, AbortSignal.timeout(INVESTIGATION_TIMEOUT_MS)]);
  const client = () => stage.host.client;
  const patientEnd = async (id: string | undefined): Promise<Ended> => {
    try {
      return id === undefined ? 'not-opened' : await bringToEnd(client, id, signal);
    } catch (error) {
      stage.signal.throwIfAborted();
      if (signal.aborted) return { neverEnded: await describeStanding(stage, id) };
      throw error;
    }
  };
  if (victim !== 'client') {
    const ended = openOnce(client, { title, searchWindow: stage.window, onsetMs: onsetOf(stage.window) }, signal);
    return { ended: ended.then(patientEnd) };
  }
  const asker = startCommand(stage, title);
  const found = once(asker, 'exit').then(() => patiently(client, (host) => findByTitle(host, title, signal), signal));
  return { asker, ended: found.then(patientEnd) };
}

/** `inquest investigate`, as somebody types it who saw the trouble begin. */
function startCommand({ dataDir, window, signal }: Stage, title: string): ChildProcess {
  const [since, until] = [onsetOf(window) - MINUTE_MS, window.endMs].map((atMs) => new Date(atMs).toISOString());
  const words = ['investigate', '--since', since ?? '', '--until', until ?? '', '--title', title];
  const command = spawn(process.execPath, [BIN, '--data-dir', dataDir, ...words], { stdio: 'ignore', signal });
  command.on('error', () => undefined); // of a drill that is broken off
  return command;
}

async function kill(stage: Stage, victim: Victim, load: Load, ending: Ending): Promise<void> {
  if (victim === 'engine') process.kill(stage.host.enginePid(), 'SIGKILL');
  if (victim === 'host' || victim === 'restart') {
    stage.host.signal(victim === 'host' ? 'SIGKILL' : 'SIGTERM');
    await stage.host.ended;
    await stage.restartHost();
  }
  if (victim === 'client') {
    ending.asker?.kill('SIGKILL');
    await load.sender.kill();
    load.replace();
  }
}

async function describeStanding({ host, signal }: Stage, id: string | undefined): Promise<string> {
  try {
    const { status, startedAtMs, tasks, approval } = await host.client.getInvestigation(id ?? '', signal);
    return JSON.stringify({ id, status, startedAtMs, tasks: tasks.length, approval, hostSaid: host.said() });
  } catch (error) {
    return `${errorMessage(error)}; the host said: ${host.said()}`;
  }
}

function describeEnd({ effects }: Stage, ended: Ended): Pick<Round, 'investigation' | 'action' | 'effects' | 'trace'> {
  if (ended === 'not-opened') return { investigation: ended, action: 'none', effects: 0 };
  if ('neverEnded' in ended) {
    return { investigation: 'never-ended', action: 'none', effects: 0, trace: ended.neverEnded };
  }
  const { status, actionOutcome, approval } = ended;
  return {
    investigation: status,
    action: actionOutcome?.status ?? 'none',
    effects: approval ? effects.effectsOf(approval.approvalId) : 0,
  };
}
