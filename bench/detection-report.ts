/** What the detection benchmark measured: series a CPU second, seconds a minute, baselines; beside Prophet on the same series. Pure. */
import type { Spread } from './query-report.ts';

export interface ProphetMeasurement {
  readonly fits: number;
  /** Minutes of each series that a fit is made of. */
  readonly points: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

export interface DetectionMeasurement {
  readonly machine: { readonly cores: number; readonly node: string; readonly engine: string };
  readonly series: number;
  /** Of the past that the watch learned before it was measured. */
  readonly hours: number;
  readonly minutes: {
    /** From the question to the last judgement. */
    readonly wall: Spread;
    /** Of Node, and of the engine, for a minute of all series. */
    readonly nodeCpuMs: number;
    readonly engineCpuMs: number;
  };
  /** What the states of all series take in Node. */
  readonly heapBytes: number;
  /** Faulty series are in the last minutes; anomalies that were raised in them. */
  readonly anomalies: number;
  readonly baselines: {
    /** One hour of all series, summed up. */
    readonly refresh: Spread;
    readonly days: number;
    /** What to expect of all series in the coming hour. */
    readonly readAll: Spread;
    readonly readOne: Spread;
    readonly bytes: number;
    /** CPU of the engine for one hour summed up, and for all series of the hour to come. */
    readonly refreshCpuMs: number;
    readonly readAllCpuMs: number;
  };
  readonly prophet?: ProphetMeasurement | undefined;
}

export interface DetectionReport extends DetectionMeasurement {
  /** Series judged for a minute, by CPU second of Node and the engine. */
  readonly seriesPerCpuSecond: number;
  /** Fits of Prophet by CPU second. */
  readonly prophetPerCpuSecond?: number | undefined;
  /** How many times as many series, where Prophet fits anew for every minute; a fit an hour is a sixtieth of it. */
  readonly ratio?: number | undefined;
  /** A minute of series takes less than half a minute. */
  readonly keepsUp: boolean;
}

const MARK_MS = 30_000;

export function reportDetection(measurement: DetectionMeasurement): DetectionReport {
  const { minutes, series, prophet } = measurement;
  const seriesPerCpuSecond = (series / (minutes.nodeCpuMs + minutes.engineCpuMs)) * 1_000;
  const prophetPerCpuSecond = prophet && prophet.fits / prophet.cpuSeconds;
  const ratio = prophetPerCpuSecond && seriesPerCpuSecond / prophetPerCpuSecond;
  return { ...measurement, seriesPerCpuSecond, prophetPerCpuSecond, ratio, keepsUp: minutes.wall.p95Ms < MARK_MS };
}

/** At most 80 columns wide. */
export function renderDetectionReport(report: DetectionReport): string {
  const { machine, series, hours, minutes, baselines, heapBytes, prophet } = report;
  const row = (label: string, ...cells: string[]) => label.padEnd(44) + cells.map((cell) => cell.padStart(12)).join('');
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const spread = (label: string, { p50Ms, p95Ms, maxMs }: Spread) => row(label, ms(p50Ms), ms(p95Ms), ms(maxMs));
  const count = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
  const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
  return [
    `${count(series)} series by the minute, ${hours} hours of past`,
    `${machine.cores} cores, Node ${machine.node}, ClickHouse ${machine.engine}`,
    '',
    row('', 'p50', 'p95', 'max'),
    spread('a minute of all series, read and judged', minutes.wall),
    spread('an hour of all series summed up', baselines.refresh),
    spread(`an hour to come, ${baselines.days} days of baselines`, baselines.readAll),
    spread('one series of it', baselines.readOne),
    '',
    row('CPU for a minute: Node, engine', ms(minutes.nodeCpuMs), ms(minutes.engineCpuMs)),
    row('engine CPU: hour summed up, hour to come', ms(baselines.refreshCpuMs), ms(baselines.readAllCpuMs)),
    row('series judged a CPU second', count(report.seriesPerCpuSecond)),
    row('states of all series in memory', mebibytes(heapBytes)),
    row('baselines on disk', mebibytes(baselines.bytes)),
    ...(prophet
      ? [
          row(`Prophet fits a CPU second, ${prophet.points} minutes each`, count(report.prophetPerCpuSecond ?? 0)),
          row('times as many; with one fit an hour', count(report.ratio ?? 0), count((report.ratio ?? 0) / 60)),
        ]
      : []),
    '',
    report.keepsUp
      ? 'It keeps up, with time to spare.'
      : 'IT DOES NOT KEEP UP: a minute takes longer than half of one.',
  ].join('\n');
}
