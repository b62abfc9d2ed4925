/**
 * Made-up metric series for benchmarks of detection, made inside the engine from numbers(): as many as wanted, by the minute, as the
 * rollup would hold them; and baselines of more days than anybody would want to wait for.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Database } from './database.ts';

export interface SeriesPlan {
  readonly series: number;
  /** Whole hours. */
  readonly window: TimeWindow;
}

const SERVICES = 100;
const METRICS = 20;
/** One in so many is a counter; one in so many has a fault in the last ten minutes. */
const COUNTERS = 5;
const FAULTS = 1_000;
const FAULT_SECONDS = 600;
const SLICE_ROWS = 1_000_000;
const HOUR_SECONDS = 3_600;

/** Levels with a day's course, noise and rare spikes; counters that grow at such a level. */
export async function generateSeries(database: Database, plan: SeriesPlan, signal?: AbortSignal): Promise<void> {
  const [from, until] = [plan.window.startMs / 1000, plan.window.endMs / 1000];
  const step = Math.max(60, Math.floor(SLICE_ROWS / plan.series) * 60);
  for (let at = from; at < until; at += step) {
    await database.command(pointsSql(plan, at, Math.min(until, at + step)), signal, 'generate');
  }
  await database.command(
    `INSERT INTO inquest_presence_1m (Signal, ServiceName, Version, Pod, Time, TelemetryRows, FirstMs, LastMs)
SELECT 'metrics', concat('service-', toString(number % ${SERVICES})), '', '', toDateTime(${from}) + 60 * intDiv(number, ${SERVICES}) AS at,
  ${Math.ceil(plan.series / SERVICES)}, toUnixTimestamp(at) * 1000, toUnixTimestamp(at) * 1000
FROM numbers(${((until - from) / 60) * SERVICES})`,
    signal,
    'generate',
  );
}

function pointsSql({ series, window }: SeriesPlan, from: number, until: number): string {
  return `
INSERT INTO inquest_metrics_1m (ServiceName, MetricName, Kind, Pod, AttributesKey, Time, SeriesAttributes, Unit, Points, Total, Lowest, Highest, Last)
SELECT concat('service-', toString(series % ${SERVICES})), concat(if(isCounter, 'work.done.', 'used.'), toString(intDiv(series, ${SERVICES}) % ${METRICS})),
  if(isCounter, 'sum', 'gauge'), concat('pod-', toString(intDiv(series, ${SERVICES * METRICS}))), cityHash64(series), toDateTime(second),
  map('part', toString(series)), '1', 1, value, value, value, arrayReduce('argMaxState', [value], [toDateTime64(second, 9)])
FROM (
  SELECT number % ${series} AS series, ${from} + 60 * intDiv(number, ${series}) AS second, series % ${COUNTERS} = 0 AS isCounter,
    second % 86400 / 86400 * 2 * pi() AS hourAngle, (cityHash64(series, second) % 2000) / 1000 - 1 AS noise,
    100 * (1 + series % 7) * (1 + 0.3 * sin(hourAngle + series)) * (1 + 0.05 * noise + 0.4 * (cityHash64(second, series) % 2000 = 0)) AS level,
    series % ${FAULTS} = 1 AND second >= ${window.endMs / 1000 - FAULT_SECONDS} AS isFaulty,
    if(isCounter, (second - ${window.startMs / 1000}) * (10. + series % 7) + noise, level * if(isFaulty, 8, 1)) AS value
  FROM numbers(${((until - from) / 60) * series})
)`;
}

/**
 * Copies the three newest summed-up hours of metrics to the hour after them, and those beside it, of each of the days before: what is
 * read to say what to expect of that hour.
 */
export async function repeatBaselines(database: Database, days: number, signal?: AbortSignal): Promise<void> {
  const newest = `(SELECT max(Hour) FROM inquest_baseline_hours WHERE Signal = 'metrics')`;
  for (let day = days; day > 0; day--) {
    for (const table of ['inquest_baselines_1h', 'inquest_baseline_hours']) {
      await database.command(
        `INSERT INTO ${table}
SELECT * REPLACE (Hour - ${(day * 24 - 2) * HOUR_SECONDS} AS Hour) FROM ${table} WHERE Hour > ${newest} - ${3 * HOUR_SECONDS}`,
        signal,
        'generate',
      );
    }
  }
}
