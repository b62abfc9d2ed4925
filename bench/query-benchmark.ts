/**
 * The query benchmark: a database of its own, a made-up week of telemetry in it, and the same questions again and again with
 * other arguments, each beside a chore of fixed size that says how fast the machine was at that moment.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { dropGenerated, generateTelemetry } from '../clickhouse/generate-telemetry.ts';
import { createEngineMeter, type EngineMeter } from '../clickhouse/measure-engine.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { planTelemetry, type TelemetryPlan, type TelemetrySize } from '../clickhouse/telemetry-plan.ts';
import { InputError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { type BenchmarkQuery, benchmarkQueries } from './benchmark-queries.ts';
import { type MeasuredQuery, type QueryReport, reportQueries, spreadOf } from './query-report.ts';

export interface QueryBenchmarkOptions {
  /** Of the engine; what an earlier run with the same size left there is used again. */
  readonly directory: string;
  readonly size: TelemetrySize;
  readonly repetitions: number;
  /** Now: the week ends at the midnight before. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** A sentence for people, now and then. */
  readonly onProgress: (text: string) => void;
}

const DATABASE = 'inquest_bench';
/** Written last: a directory without it holds half a week at the most. */
const PLAN_FILE = 'plan.json';
const SETTLE_MS = 30 * 60_000;
/** Asked first and not counted: files and marks are cold once. */
const WARM_UP = 2;

export async function runQueryBenchmark(options: QueryBenchmarkOptions): Promise<QueryReport> {
  const { directory, signal, onProgress } = options;
  const engine = await openEmbeddedEngine({ dataDir: directory, logger: silentLogger });
  try {
    const kept = keptPlan(options);
    if (!kept) await dropUnfinished(engine, signal);
    const database = await openDatabase({ ...engine, database: DATABASE });
    try {
      await migrate(database, { retentionDays: 0, signal });
      const meter = createEngineMeter(database);
      const startedMs = performance.now();
      const plan = kept ?? (await generate(database, options));
      const generatedMs = performance.now() - startedMs;
      onProgress('waiting until the engine has merged what was inserted');
      const isSettled = await meter.settle(SETTLE_MS, signal);
      const settledMs = performance.now() - startedMs - generatedMs;
      const measured = await measure(database, meter, plan, options);
      return reportQueries({
        ...measured,
        machine: { cores: cpus().length, node: process.version, engine: await database.version(signal) },
        telemetry: { ...options.size, spans: plan.spans, points: plan.points },
        tables: await meter.tableSizes(signal),
        ...{ generatedMs, settledMs, isSettled },
      });
    } finally {
      await database.close();
    }
  } finally {
    await engine.close();
  }
}

const keptSchema = z.object({ spans: z.number(), logs: z.number(), points: z.number(), nowMs: z.number() });

/** What an earlier run wrote; throws InputError when that was of another size. */
function keptPlan({ directory, size }: QueryBenchmarkOptions): TelemetryPlan | undefined {
  const path = join(directory, PLAN_FILE);
  if (!existsSync(path)) return undefined;
  const kept = keptSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  if (kept.spans === size.spans && kept.logs === size.logs && kept.points === size.points) {
    return planTelemetry(size, kept.nowMs);
  }
  const held = `${kept.spans} spans, ${kept.logs} log lines and ${kept.points} points`;
  throw new InputError(`${directory} holds ${held}: ask for these, or name another directory.`);
}

/** What a run that was interrupted left behind. */
async function dropUnfinished(engine: EmbeddedEngine, signal: AbortSignal): Promise<void> {
  const database = await openDatabase({ ...engine, database: DATABASE });
  try {
    await dropGenerated(database, signal);
  } finally {
    await database.close();
  }
}

async function generate(database: Database, options: QueryBenchmarkOptions): Promise<TelemetryPlan> {
  const { directory, size, nowMs, signal, onProgress } = options;
  const plan = planTelemetry(size, nowMs);
  const startedMs = performance.now();
  let told = 0;
  await generateTelemetry(database, plan, {
    signal,
    onProgress: ({ rows, ofRows }) => {
      const tenth = Math.floor((rows / ofRows) * 10);
      if (tenth === told) return;
      told = tenth;
      const perSecond = Math.round((rows / (performance.now() - startedMs)) * 1_000).toLocaleString('en-US');
      onProgress(`${tenth * 10}% of ${ofRows.toLocaleString('en-US')} rows, ${perSecond} a second`);
    },
  });
  writeFileSync(join(directory, PLAN_FILE), JSON.stringify({ ...size, nowMs }));
  return plan;
}

/** Round by round, so that a slow moment of the machine falls on every query and on the chore alike. */
async function measure(
  database: Database,
  meter: EngineMeter,
  plan: TelemetryPlan,
  { repetitions, signal, onProgress }: QueryBenchmarkOptions,
): Promise<{ readonly chore: ReturnType<typeof spreadOf>; readonly queries: readonly MeasuredQuery[] }> {
  const queries = benchmarkQueries(database, plan).map((query) => ({ query, samples: createSamples() }));
  const choreMs: number[] = [];
  for (let round = -WARM_UP; round < repetitions; round++) {
    if (round === 0) onProgress(`asking ${queries.length} questions ${repetitions} times each`);
    const tookMs = await timed(() => meter.runChore(signal));
    if (round >= 0) choreMs.push(tookMs);
    for (const { query, samples } of queries) await samples.take(query, placeOf(round + WARM_UP), round >= 0, signal);
  }
  const chore = spreadOf(choreMs);
  const measured: MeasuredQuery[] = [];
  for (const { query, samples } of queries) measured.push(await samples.conclude(query, meter, signal));
  return { chore, queries: measured };
}

/** All over [0, 1), without an order that caches could follow. */
function placeOf(round: number): number {
  return (round * 0.618034 + 0.37) % 1;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

function createSamples() {
  const tookMs: number[] = [];
  const answers: Awaited<ReturnType<BenchmarkQuery['ask']>>[] = [];
  return {
    take: async (query: BenchmarkQuery, place: number, counts: boolean, signal: AbortSignal): Promise<void> => {
      const took = await timed(async () => answers.push(await query.ask(place, signal)));
      if (counts) tookMs.push(took);
    },
    conclude: async ({ name, markMs }: BenchmarkQuery, meter: EngineMeter, signal: AbortSignal) => {
      const last = answers.at(-1);
      let rowsRead = 0;
      for (const executed of last?.queries ?? []) rowsRead += await meter.estimateRows(executed, signal);
      const wrong = answers.filter((answer) => !answer.isRight()).length;
      return { name, markMs, ...spreadOf(tookMs), rowsAnswered: last?.rows ?? 0, rowsRead, wrong };
    },
  };
}
