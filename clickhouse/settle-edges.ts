/**
 * Writes the calls between services of whole minutes, once they are quiet. A materialized view cannot: it sees one insert, and
 * a call's two spans come in two. Any number of hosts may do it at once: a minute goes in under a token of its own.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Database } from './database.ts';
import { AROUND_SECONDS, countEdges, spansAroundMinutes } from './read-edges.ts';
import { spansWithin } from './span-sql.ts';

export interface SettleOptions {
  readonly nowMs: number;
  /** At the most, the newest first: the others have their turn later. */
  readonly maxMinutes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Spans of a minute, and parents that took long, have arrived by then; those that have not make what was written void. */
const QUIET_SECONDS = 900;
/** Older minutes that nobody wrote are read from the spans. */
const LOOKBACK_SECONDS = 2 * 86_400;

interface Minute {
  /** Start, seconds. */
  readonly second: number;
}

/** Resolves with how many minutes were written. */
export async function settleEdges(database: Database, options: SettleOptions): Promise<number> {
  const until = Math.floor((options.nowMs / 1000 - QUIET_SECONDS) / 60) * 60;
  const { rows } = await database.read<Minute>(
    PENDING,
    { from: until - LOOKBACK_SECONDS, until, limit: options.maxMinutes },
    { tag: 'settle-edges', maxRows: options.maxMinutes, signal: options.signal },
  );
  for (const { second } of rows) await settleMinute(database, second, options.signal);
  return rows.length;
}

/** Minutes of which nothing was written, or when there were fewer spans. */
const PENDING = `
SELECT toFloat64(toUnixTimestamp(Time)) AS second
FROM (${spansAroundMinutes(`Time >= toDateTime({from:Int64}) - ${AROUND_SECONDS.before} AND Time < toDateTime({until:Int64}) + ${AROUND_SECONDS.after}`)})
WHERE Time >= toDateTime({from:Int64}) AND Time < toDateTime({until:Int64})
  AND (Time, Around) NOT IN (
    SELECT Time, Generation FROM inquest_edges_1m WHERE Time >= toDateTime({from:Int64}) AND Time < toDateTime({until:Int64}) AND Caller = '')
ORDER BY Time DESC
LIMIT {limit:UInt32}`;

const spansOf = (from: number, until: number): string => spansWithin(`${from * 1000}`, `${until * 1000}`);

/**
 * The spans are counted before they are joined: what arrives in between makes the count too small, never too large, and the
 * minute is written again. One sorted block, so that it is there in full or not at all.
 */
async function settleMinute(database: Database, second: number, signal: AbortSignal | undefined): Promise<void> {
  const around = spansOf(second - AROUND_SECONDS.before, second + AROUND_SECONDS.after);
  const { rows } = await database.read<{ spans: string }>(
    `SELECT count() AS spans FROM otel_traces WHERE ${around}`,
    {},
    { tag: 'settle-edges', maxRows: 1, signal },
  );
  const generation = rows[0]?.spans ?? '0';
  await database.command(
    `INSERT INTO inquest_edges_1m (Time, Generation, Caller, Callee, Kind, Calls, Errors, DurationNanos)
SELECT * FROM (
  SELECT Time, toUInt64(${generation}), toString(Caller) AS Caller, toString(Callee) AS Callee, Kind, Calls, Errors, DurationNanos
  FROM (${countEdges(spansOf(second, second + 60), around)})
  UNION ALL
  SELECT toDateTime(${second}), toUInt64(${generation}), '', '', '', 0, 0, 0
)
ORDER BY Caller, Callee, Kind
SETTINGS insert_deduplication_token = 'edges:${second}:${generation}', max_insert_threads = 1`,
    signal,
    'settle-edges',
  );
}

const HOUR_SECONDS = 3600;

/**
 * All minutes of a window, an hour at once, of which no more comes and that nobody else settles meanwhile. What was written
 * before is left as it is.
 * @param window whole minutes
 */
export async function settleWindow(database: Database, window: TimeWindow, signal?: AbortSignal): Promise<void> {
  const [from, until] = [window.startMs / 1000, window.endMs / 1000];
  const { rows } = await database.read<{ hour: number }>(
    `SELECT DISTINCT toFloat64(${from} + intDiv(second - ${from}, ${HOUR_SECONDS}) * ${HOUR_SECONDS}) AS hour
FROM (${PENDING}) ORDER BY hour`,
    { from, until, limit: (until - from) / 60 },
    { tag: 'settle-edges', maxRows: (until - from) / HOUR_SECONDS + 1, signal },
  );
  for (const { hour } of rows) await settleMinutes(database, hour, Math.min(hour + HOUR_SECONDS, until), signal);
}

async function settleMinutes(
  database: Database,
  from: number,
  until: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const minutes = `Time >= toDateTime(${from}) AND Time < toDateTime(${until})`;
  const around = `Time >= toDateTime(${from - AROUND_SECONDS.before}) AND Time < toDateTime(${until + AROUND_SECONDS.after})`;
  const parents = spansOf(from - AROUND_SECONDS.before, until + AROUND_SECONDS.after);
  await database.command(
    `INSERT INTO inquest_edges_1m (Time, Generation, Caller, Callee, Kind, Calls, Errors, DurationNanos)
WITH generations AS (SELECT Time, Around FROM (${spansAroundMinutes(around)}) WHERE ${minutes}),
written AS (SELECT Time, Generation FROM inquest_edges_1m WHERE ${minutes} AND Caller = '')
SELECT * FROM (
  SELECT Time, Around AS Generation, toString(Caller) AS Caller, toString(Callee) AS Callee, Kind, Calls, Errors, DurationNanos
  FROM (${countEdges(spansOf(from, until), parents)}) AS edges INNER JOIN generations USING (Time)
  UNION ALL
  SELECT Time, Around, '', '', '', 0, 0, 0 FROM generations
)
WHERE (Time, Generation) NOT IN written
ORDER BY Time, Caller, Callee, Kind
SETTINGS max_insert_threads = 1`,
    signal,
    'settle-edges',
  );
}
