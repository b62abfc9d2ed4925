/**
 * Sums up each series' hour once it is over, inside the engine, and again when telemetry of that hour came late. Any number of
 * hosts may do it at once: an hour goes in under a token of its own.
 */
import { digestOf } from '../platform/ids.ts';
import { type BaselineSignal, isCounted, minuteValues, QUANTILES, ROLLUPS, within } from './baseline-sql.ts';
import type { Database } from './database.ts';

export interface RefreshOptions {
  readonly nowMs: number;
  /** Of one signal each, at the most, the oldest first: the others have their turn later. */
  readonly maxHours: number;
  readonly signal?: AbortSignal | undefined;
}

const HOUR_SECONDS = 3_600;
/** Most of what belongs to an hour has arrived by then; what has not makes what was written void. */
const QUIET_SECONDS = 300;
/** Hours that nobody summed up are looked for as far back, where nothing at all was summed up since. */
const LOOKBACK_SECONDS = 31 * 86_400;
/** Hours are written again for late rows no later: by then their finest rollup begins to be dropped. */
const REWRITE_SECONDS = 44 * HOUR_SECONDS;

/** Written by one statement, in rows of telemetry and in hours: a second's work. */
const BATCH_ROWS = 2_000_000;
const BATCH_HOURS = 7 * 24;

interface DueHour {
  readonly of: BaselineSignal;
  /** Start, seconds. */
  readonly second: number;
  /** Rows of telemetry in it, decimal. */
  readonly generation: string;
}

/** Resolves with how many hours were written; as many as `maxHours`: there may be more. */
export async function refreshBaselines(database: Database, options: RefreshOptions): Promise<number> {
  const { maxHours, signal } = options;
  const until = Math.floor((options.nowMs / 1000 - QUIET_SECONDS) / HOUR_SECONDS) * HOUR_SECONDS;
  const { rows } = await database.read<DueHour>(
    DUE,
    { until, lookback: LOOKBACK_SECONDS, rewrite: REWRITE_SECONDS, limit: maxHours },
    { tag: 'refresh-baselines', maxRows: maxHours, signal },
  );
  for (const batch of batchHours(rows)) await writeHours(database, batch, signal);
  return rows.length;
}

/** Hours of one signal that follow each other, as many as are one easy statement; an hour is never divided. */
function batchHours(hours: readonly DueHour[]): DueHour[][] {
  const batches: { readonly hours: DueHour[]; rows: number }[] = [];
  for (const hour of hours.toSorted((one, other) => one.of.localeCompare(other.of) || one.second - other.second)) {
    const batch = batches.at(-1);
    const last = batch?.hours.at(-1);
    const rows = Number(hour.generation);
    const follows = last?.of === hour.of && last.second + HOUR_SECONDS === hour.second;
    if (batch && follows && batch.rows + rows <= BATCH_ROWS && batch.hours.length < BATCH_HOURS) {
      batch.hours.push(hour);
      batch.rows += rows;
    } else batches.push({ hours: [hour], rows });
  }
  return batches.map(({ hours }) => hours);
}

/** Finished hours with telemetry that nobody summed up, or that have more of it since. */
const DUE = `
WITH
greatest(toDateTime({until:Int64} - {lookback:Int64}),
  least(toDateTime({until:Int64} - {rewrite:Int64}), (SELECT max(Hour) FROM inquest_baseline_hours WHERE Hour < toDateTime({until:Int64})))) AS since
SELECT of, second, generation
FROM (
  SELECT toString(Signal) AS of, toFloat64(toUnixTimestamp(toStartOfHour(Time, 'UTC')) AS at) AS second,
    toString(sum(TelemetryRows)) AS generation
  FROM inquest_presence_1m
  WHERE Time >= since AND Time < toDateTime({until:Int64})
  GROUP BY of, at
)
WHERE (of, second, generation) NOT IN (
  SELECT toString(Signal), toFloat64(toUnixTimestamp(Hour)), toString(Generation)
  FROM inquest_baseline_hours
  WHERE Hour >= since AND Hour < toDateTime({until:Int64}))
ORDER BY second, of
LIMIT {limit:UInt32}`;

/**
 * Rows of an hour were counted before they are summed up: what arrives in between makes the count too small, never too large, and
 * the hour is written again. Hours count from the second statement on. Two hosts that write an hour in other batches write it
 * twice, alike: readers do not mind.
 */
async function writeHours(database: Database, hours: readonly DueHour[], signal?: AbortSignal): Promise<void> {
  const [of, from, last] = [hours[0]?.of ?? 'traces', hours[0]?.second ?? 0, hours.at(-1)?.second ?? 0];
  const span = { from: `${from}`, until: `${last + HOUR_SECONDS}` };
  const generation = `[${hours.map((hour) => `toUInt64(${hour.generation})`).join(', ')}][1 + intDiv(toUnixTimestamp(Hour) - ${from}, ${HOUR_SECONDS})]`;
  const observed = `SELECT toStartOfHour(Time, 'UTC') AS Hour, uniqExact(toStartOfMinute(Time)) AS minutes
    FROM ${ROLLUPS[of]} WHERE ${within(span)} GROUP BY Hour`;
  const levels = Object.values(QUANTILES);
  const insert = (table: string, columns: string, select: string) => {
    const token = digestOf([table, hours]);
    const settings = `SETTINGS insert_deduplication_token = '${token}', max_insert_threads = 1`;
    return database.command(`INSERT INTO ${table} (${columns})\n${select}\n${settings}`, signal, 'refresh-baselines');
  };
  await insert(
    'inquest_baselines_1h',
    `Hour, Kind, Service, Name, Detail, Generation, Minutes, Calls, Errors, Mean, Lowest, ${Object.keys(QUANTILES).join(', ')}, Highest`,
    `SELECT Hour, Kind, Service, Name, Detail, ${generation}, length(seen), HourCalls, HourErrors,
  if(Kind = 'errors', HourErrors / HourCalls, arrayAvg(all)), arrayMin(all), ${levels.map((_, place) => `levels[${place + 1}]`).join(', ')}, arrayMax(all)
FROM (
  SELECT *, if(${isCounted('Kind')}, arrayResize(seen, minutes, 0.), seen) AS all,
    arrayReduce('quantilesExactInclusive(${levels.join(', ')})', all) AS levels
  FROM (
    SELECT toStartOfHour(Minute, 'UTC') AS Hour, Kind, Service, Name, Detail, sum(Calls) AS HourCalls, sum(Errors) AS HourErrors,
      groupArray(toFloat64(Value)) AS seen
    FROM (${minuteValues(of, span)}
    )
    GROUP BY Hour, Kind, Service, Name, Detail
  ) AS series
  INNER JOIN (${observed}) AS observed USING (Hour)
)
ORDER BY Hour, Kind, Service, Name, Detail`,
  );
  await insert(
    'inquest_baseline_hours',
    'Signal, Hour, Generation, Minutes',
    `SELECT '${of}', Hour, ${generation}, minutes
FROM (SELECT toDateTime(${from}) + ${HOUR_SECONDS} * number AS Hour FROM numbers(${hours.length})) AS hours
LEFT ANY JOIN (${observed}) AS observed USING (Hour)`,
  );
}
