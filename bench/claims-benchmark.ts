/**
 * The claims benchmark: a real Redis, one to eight processes, and many tasks that cost nothing: how many a second are claimed and
 * answered through Redlock, and by the claim script alone.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BOARD_LIMITS } from '../context-store/board-limits.ts';
import { connectRedis, untilReady } from '../context-store/redis-connection.ts';
import { createRedisContextStore } from '../context-store/redis-context-store.ts';
import { createRedisKeys } from '../context-store/redis-keys.ts';
import { startRedis, whyNoRedis } from '../context-store/redis-server.ts';
import { createTaskLocks } from '../context-store/task-locks.ts';
import type { Task } from '../domain/investigation.ts';
import { systemClock } from '../platform/clock.ts';
import { ConfigError, InvariantError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { type ClaimsReport, type ClaimsRun, reportClaims } from './claims-report.ts';
import type { ClaimsOrders, ClaimsWord, Locking } from './claims-worker.ts';

export interface ClaimsBenchmarkOptions {
  /** One run for each, of so many at the same time. */
  readonly processes: readonly number[];
  /** For each process; they share them all. */
  readonly tasksPerProcess: number;
  readonly signal: AbortSignal;
  /** A sentence for people, now and then. */
  readonly onProgress: (text: string) => void;
}

const TIMEOUT_MS = 30_000;

/** Rejects with ConfigError where there is no redis-server. */
export async function runClaimsBenchmark(options: ClaimsBenchmarkOptions): Promise<ClaimsReport> {
  const missing = whyNoRedis(false);
  if (missing !== undefined) throw new ConfigError(missing);
  const server = await startRedis();
  try {
    const runs: ClaimsRun[] = [];
    for (const locking of ['redlock', 'script'] as const) {
      for (const processes of options.processes) {
        options.signal.throwIfAborted();
        const run = await measure(server.path, locking, processes, options);
        options.onProgress(`${locking}, ${processes} processes: ${run.tasks} tasks in ${Math.round(run.tookMs)} ms`);
        runs.push(run);
      }
    }
    return reportClaims({ cores: cpus().length, node: process.version }, runs);
  } finally {
    await server.stop();
  }
}

async function measure(
  url: string,
  locking: Locking,
  processes: number,
  { tasksPerProcess, signal }: ClaimsBenchmarkOptions,
): Promise<ClaimsRun> {
  const database = `bench-${locking}-${processes}`;
  const workers = Array.from({ length: processes }, (_, index) =>
    startWorker({ url, database, name: `worker ${index}`, locking }),
  );
  const giveUp = () => {
    for (const { child } of workers) child.kill('SIGKILL');
  };
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    const tasks = processes * tasksPerProcess;
    await postTasks(url, database, tasks);
    const startedMs = performance.now();
    const allAnswered = countAnswers(workers, tasks);
    for (const { child } of workers) child.send('begin');
    await allAnswered;
    const tookMs = performance.now() - startedMs;
    for (const { child } of workers) child.send('end');
    const ends = await Promise.all(workers.map(({ end }) => end));
    const given = ends.flatMap((end) => end.tasks);
    const wrong = tasks - new Set(given).size + (given.length - new Set(given).size);
    return { locking, processes, tasks, tookMs, claimMs: ends.flatMap((end) => end.claimMs), wrong };
  } finally {
    signal.removeEventListener('abort', giveUp);
    giveUp();
  }
}

interface BenchWorker {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly end: Promise<Extract<ClaimsWord, { kind: 'end' }>>;
}

function startWorker(orders: ClaimsOrders): BenchWorker {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const child = fork(fileURLToPath(new URL(`./claims-worker${extension}`, import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ready = Promise.withResolvers<void>();
  const end = Promise.withResolvers<Extract<ClaimsWord, { kind: 'end' }>>();
  child.on('message', (word: ClaimsWord) => {
    if (word.kind === 'ready') ready.resolve();
    if (word.kind === 'end') end.resolve(word);
  });
  child.on('exit', () => {
    const error = new InvariantError('a process of the benchmark ended by itself');
    ready.reject(error);
    end.reject(error);
  });
  // Whichever of the two is awaited when it happens tells it.
  end.promise.catch(() => undefined);
  ready.promise.catch(() => undefined);
  child.send(orders);
  return { child, ready: ready.promise, end: end.promise };
}

/** Resolves when so many tasks are answered; rejects when a worker ends before. */
async function countAnswers(workers: readonly BenchWorker[], goal: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let answered = 0;
  for (const { child } of workers) {
    child.on('message', ({ kind }: ClaimsWord) => {
      if (kind === 'answered') answered += 1;
      if (answered === goal) resolve();
    });
  }
  await Promise.race([promise, ...workers.map(({ end }) => end)]);
}

/** On as many boards as they fill. */
async function postTasks(url: string, database: string, count: number): Promise<void> {
  const redis = connectRedis({ url, logger: silentLogger, timeoutMs: TIMEOUT_MS });
  try {
    await untilReady(redis, TIMEOUT_MS);
    const parts = { redis, locks: createTaskLocks([redis]), keys: createRedisKeys(database) };
    const store = createRedisContextStore({ ...parts, clock: systemClock, logger: silentLogger });
    for (let first = 0; first < count; first += BOARD_LIMITS.maxTasks) {
      const length = Math.min(BOARD_LIMITS.maxTasks, count - first);
      const tasks = Array.from({ length }, (_, index) => taskOf(`inv_${first}`, `task_${index}`));
      await store.postTasks(`inv_${first}`, tasks);
    }
    await store.close();
  } finally {
    redis.disconnect();
  }
}

const WINDOW = { startMs: 1_000_000, endMs: 2_000_000 };
const taskOf = (investigationId: string, taskId: string): Task => ({
  ...{ taskId, investigationId, agent: 'metrics-agent', round: 1, question: 'What moved first?', focus: [] },
  scope: {
    ...{ window: WINDOW, baseline: { startMs: 0, endMs: 1_000_000 }, onsetMs: 1_000_000, onsetReason: 'given' },
    ...{ onsetGrid: { firstMs: 1_000_000, stepSeconds: 20, count: 1 }, calls: [], evidenceIds: [] },
  },
});
