/**
 * The detection benchmark: made-up metric series in a database of its own, the real watch reading and judging them minute after
 * minute, hours summed up and read as baselines, and Prophet on the same series where there is one.
 */
import { cpus } from 'node:os';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import { openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { generateSeries, repeatBaselines } from '../clickhouse/generate-series.ts';
import { createEngineMeter, type EngineMeter } from '../clickhouse/measure-engine.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { createBaselineReader } from '../clickhouse/read-baselines.ts';
import { createMetricMinuteReader } from '../clickhouse/read-metric-minutes.ts';
import { refreshBaselines } from '../clickhouse/refresh-baselines.ts';
import type { Watch } from '../detection/watch.ts';
import { createSeriesWatch } from '../detection/watch-series.ts';
import { silentLogger } from '../platform/logger.ts';
import { type DetectionMeasurement, type DetectionReport, reportDetection } from './detection-report.ts';
import { fitProphet } from './fit-prophet.ts';
import { type Spread, spreadOf } from './query-report.ts';

export interface DetectionBenchmarkOptions {
  /** Of the engine; empty. */
  readonly directory: string;
  readonly series: number;
  /** Past that is learned first. */
  readonly hours: number;
  /** Judged one by one and measured, at the most an hour. */
  readonly minutes: number;
  /** Of baselines. */
  readonly days: number;
  /** A Python that has Prophet, and how many series it fits. */
  readonly prophet?: { readonly python: string; readonly fits: number } | undefined;
  /** Now: the series end at the full hour before. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const SETTLE_MS = 10 * MINUTE_MS;
const READS = 5;

export async function runDetectionBenchmark(options: DetectionBenchmarkOptions): Promise<DetectionReport> {
  const { directory, signal } = options;
  const engine = await openEmbeddedEngine({ dataDir: directory, logger: silentLogger });
  try {
    const database = await openDatabase({ ...engine, database: 'inquest_bench' });
    try {
      await migrate(database, { retentionDays: 0, signal });
      return reportDetection(await measure(database, options));
    } finally {
      await database.close();
    }
  } finally {
    await engine.close();
  }
}

async function measure(database: Database, options: DetectionBenchmarkOptions): Promise<DetectionMeasurement> {
  const { series, hours, prophet, nowMs, signal, onProgress } = options;
  const endMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  const window = { startMs: endMs - hours * HOUR_MS - HOUR_MS, endMs };
  const meter = createEngineMeter(database);
  onProgress(`making ${hours + 1} hours of ${series} series`);
  await generateSeries(database, { series, window }, signal);
  await meter.settle(SETTLE_MS, signal);
  const watched = await measureWatch(database, meter, options, endMs);
  const baselines = await measureBaselines(database, meter, options, endMs);
  if (prophet) onProgress(`fitting Prophet to ${prophet.fits} of them`);
  return {
    machine: { cores: cpus().length, node: process.version, engine: await database.version(signal) },
    series,
    hours,
    ...watched,
    baselines,
    prophet:
      prophet &&
      (await fitProphet({ ...prophet, series: await readSeries(database, prophet.fits, options, endMs), signal })),
  };
}

async function measureWatch(
  database: Database,
  meter: EngineMeter,
  { hours, minutes, signal, onProgress }: DetectionBenchmarkOptions,
  endMs: number,
): Promise<Pick<DetectionMeasurement, 'minutes' | 'heapBytes' | 'anomalies'>> {
  const watch = createSeriesWatch({ telemetry: createMetricMinuteReader(database), logger: silentLogger });
  const startMs = endMs - minutes * MINUTE_MS;
  onProgress(`learning ${hours} hours`);
  const heapBefore = heapBytes();
  for (let atMs = startMs - hours * HOUR_MS; atMs < startMs; atMs += 10 * MINUTE_MS) {
    await judge(watch, atMs, atMs + 10 * MINUTE_MS, signal);
  }
  const heapAfter = heapBytes();
  onProgress(`judging ${minutes} minutes one by one`);
  const [nodeCpu, engineCpuMs] = [process.cpuUsage(), await meter.cpuMs(signal)];
  const tookMs: number[] = [];
  let anomalies = 0;
  for (let atMs = startMs; atMs < endMs; atMs += MINUTE_MS) {
    tookMs.push(
      await timed(async () => {
        anomalies += await judge(watch, atMs, atMs + MINUTE_MS, signal);
      }),
    );
  }
  const { user, system } = process.cpuUsage(nodeCpu);
  return {
    minutes: {
      wall: spreadOf(tookMs),
      nodeCpuMs: (user + system) / 1_000 / minutes,
      engineCpuMs: ((await meter.cpuMs(signal)) - engineCpuMs) / minutes,
    },
    heapBytes: Math.max(0, heapAfter - heapBefore),
    anomalies,
  };
}

async function judge(watch: Watch, startMs: number, endMs: number, signal: AbortSignal): Promise<number> {
  const steps = await watch.observe({ startMs, endMs }, signal);
  return steps.flatMap((step) => step.judge()).filter(({ deviation }) => deviation >= 1).length;
}

/** Collected first where the process allows it (node --expose-gc): otherwise with what is garbage already. */
function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

async function measureBaselines(
  database: Database,
  meter: EngineMeter,
  { series, hours, days, nowMs, signal, onProgress }: DetectionBenchmarkOptions,
  endMs: number,
): Promise<DetectionMeasurement['baselines']> {
  onProgress(`summing up ${hours + 1} hours, and reading baselines of ${days} days`);
  const tookMs: number[] = [];
  const startedCpuMs = await meter.cpuMs(signal);
  for (let hour = 0; hour <= hours; hour++) {
    tookMs.push(await timed(() => refreshBaselines(database, { nowMs: nowMs + HOUR_MS, maxHours: 1, signal })));
  }
  const refreshCpuMs = ((await meter.cpuMs(signal)) - startedCpuMs) / tookMs.length;
  await repeatBaselines(database, days, signal);
  await meter.settle(SETTLE_MS, signal);
  const reader = createBaselineReader(database, database);
  const bounds = { maxRows: series * 2, signal };
  const all = () => reader.read({ atMs: endMs + MINUTE_MS }, bounds);
  const [first] = (await all()).rows;
  const one = () => reader.read({ atMs: endMs + MINUTE_MS, series: first ? [first.series] : [] }, bounds);
  const readCpuMs = await meter.cpuMs(signal);
  const readAll = await repeated(all);
  const readAllCpuMs = ((await meter.cpuMs(signal)) - readCpuMs) / READS;
  const tables = await meter.tableSizes(signal);
  return {
    refresh: spreadOf(tookMs),
    days,
    ...{ refreshCpuMs, readAll, readAllCpuMs },
    readOne: await repeated(one),
    bytes: tables.find(({ table }) => table === 'inquest_baselines_1h')?.bytes ?? 0,
  };
}

async function repeated(work: () => Promise<unknown>): Promise<Spread> {
  const tookMs: number[] = [];
  for (let read = 0; read < READS; read++) tookMs.push(await timed(work));
  return spreadOf(tookMs);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Levels, with all of their past. */
async function readSeries(
  database: Database,
  count: number,
  { hours, series, signal }: DetectionBenchmarkOptions,
  endMs: number,
): Promise<{ readonly startMs: number; readonly values: readonly (readonly number[])[] }> {
  const startMs = endMs - (hours + 1) * HOUR_MS;
  const reader = createMetricMinuteReader(database);
  const values: (readonly number[])[] = [];
  const { rows } = await reader.readMinutes(
    { window: { startMs, endMs } },
    { maxRows: series, signal, timeoutMs: 60_000 },
  );
  for (const { kind, means } of rows) if (kind === 'gauge' && values.length < count) values.push(means);
  return { startMs, values };
}
