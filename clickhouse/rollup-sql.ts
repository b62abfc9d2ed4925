/**
 * Fragments of SQL that answer a question over any window from rollups and raw rows together: whole minutes from the rollup,
 * what the window cuts off of a minute from the rows. Constants only: every value is a bound parameter (see minuteParameters).
 */
import type { QueryParameters } from '../domain/evidence.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { METRIC_TABLES } from './metric-sql.ts';
import { IN_WINDOW, kindlessEntry, NEAR_WINDOW, POD, SURE_ENTRY, spansWithin } from './span-sql.ts';
import { secondWithin, timeWithin } from './time-sql.ts';

const MINUTE_MS = 60_000;

/** Binds the window and its whole minutes; a window without any takes everything from raw rows. */
export function minuteParameters(window: TimeWindow): QueryParameters {
  const firstMs = Math.ceil(window.startMs / MINUTE_MS) * MINUTE_MS;
  const lastMs = Math.floor(window.endMs / MINUTE_MS) * MINUTE_MS;
  const hasWhole = firstMs < lastMs;
  return {
    startMs: window.startMs,
    endMs: window.endMs,
    wholeStartMs: hasWhole ? firstMs : window.endMs,
    wholeEndMs: hasWhole ? lastMs : window.endMs,
  };
}

const atSecond = (milliseconds: string) => `toDateTime(intDiv(${milliseconds}, 1000))`;

/** Rows of a rollup by minute that are wholly inside. */
export const WHOLE_MINUTES = `(Time >= ${atSecond('{wholeStartMs:Int64}')} AND Time < ${atSecond('{wholeEndMs:Int64}')})`;

/** Rows of a rollup that the window so much as touches. */
export const TOUCHED_MINUTES = `(Time >= toStartOfMinute(${atSecond('{startMs:Int64}')}) AND Time < ${atSecond('{endMs:Int64} + 999')})`;

const HEAD = ['{startMs:Int64}', '{wholeStartMs:Int64}'] as const;
const TAIL = ['{wholeEndMs:Int64}', '{endMs:Int64}'] as const;

/** What is left of the window beside its whole minutes: spans, log lines, points. */
const CUT_SPANS = `(${spansWithin(...HEAD)} OR ${spansWithin(...TAIL)})`;
const logsWithin = (part: readonly [string, string]) =>
  `${secondWithin('TimestampTime', ...part)} AND ${timeWithin('Timestamp', ...part)}`;
const CUT_LOGS = `(${logsWithin(HEAD)} OR ${logsWithin(TAIL)})`;
export const CUT_POINTS = `(${timeWithin('TimeUnix', ...HEAD)} OR ${timeWithin('TimeUnix', ...TAIL)})`;

export interface SignalTable {
  readonly signal: 'traces' | 'logs' | 'metrics';
  readonly table: string;
  /** Its column. */
  readonly time: string;
  readonly cut: string;
}

const TRACES: SignalTable = { signal: 'traces', table: 'otel_traces', time: 'Timestamp', cut: CUT_SPANS };
export const SIGNAL_TABLES: readonly SignalTable[] = [
  TRACES,
  { signal: 'logs', table: 'otel_logs', time: 'Timestamp', cut: CUT_LOGS },
  ...METRIC_TABLES.map(({ table }) => ({ signal: 'metrics', table, time: 'TimeUnix', cut: CUT_POINTS }) as const),
];

/**
 * Who sent what in the window, as partial sums: Signal, ServiceName, Version, Pod, Time (start of a minute), TelemetryRows,
 * FirstMs, LastMs.
 * @param ofService condition on ServiceName
 */
export function presence(ofService: string, tables: readonly SignalTable[] = SIGNAL_TABLES): string {
  const signals = [...new Set(tables.map(({ signal }) => `'${signal}'`))].join(', ');
  const cuts = tables.map(
    ({ signal, table, time, cut }) => `
    UNION ALL
    SELECT '${signal}' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version, ${POD} AS Pod,
      toStartOfMinute(toDateTime(${time})) AS Time, count(), min(toUnixTimestamp64Milli(${time})), max(toUnixTimestamp64Milli(${time}))
    FROM ${table}
    WHERE ${cut} AND ${ofService}
    GROUP BY ServiceName, Version, Pod, Time`,
  );
  return `
    SELECT Signal, ServiceName, Version, Pod, Time, TelemetryRows, FirstMs, LastMs
    FROM inquest_presence_1m
    WHERE ${WHOLE_MINUTES} AND Signal IN (${signals}) AND ${ofService}${cuts.join('')}`;
}

/** The same of spans alone. */
export const SPAN_PRESENCE = presence('true', [TRACES]);

/** Quantiles 0.5, 0.95, 0.99 as DDSketch states: within 1 % of the true duration, the same in whatever order they are merged. */
const SKETCH = 'quantilesDDState(0.01, 0.5, 0.95, 0.99)';
export const MERGED_SKETCH = 'quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(DurationMs)';

const countedSpans = (time: string, condition: string) => `
    SELECT ServiceName, ${time} AS Time, count() AS Calls, countIf(StatusCode = 'Error') AS Errors, ${SKETCH}(Duration / 1e6) AS DurationMs
    FROM otel_traces
    WHERE ${condition}
    GROUP BY ServiceName, Time`;

/** Services that have spans for which a kind has to be guessed. Most have none, and their rows are never read for it. */
const KINDLESS_SERVICES = `ServiceName IN (SELECT ServiceName FROM inquest_red_1m WHERE ${TOUCHED_MINUTES} AND KindlessSpans > 0)`;

/**
 * Entry spans in the window as partial sums: ServiceName, Time, Calls, Errors, DurationMs (a sketch).
 * @param ofService condition on ServiceName
 * @param spanMinute SQL over otel_traces for Time of raw rows
 */
export function entryCounts(ofService: string, spanMinute: string): string {
  const near = `${NEAR_WINDOW} AND ${KINDLESS_SERVICES} AND ${ofService}`;
  return `
    SELECT ServiceName, Time, Calls, Errors, DurationMs FROM inquest_red_1m WHERE ${WHOLE_MINUTES} AND ${ofService} AND Calls > 0
    UNION ALL${countedSpans(spanMinute, `${CUT_SPANS} AND ${ofService} AND ${SURE_ENTRY}`)}
    UNION ALL${countedSpans(spanMinute, `${IN_WINDOW} AND ${ofService} AND ${KINDLESS_SERVICES} AND NOT ${SURE_ENTRY} AND ${kindlessEntry(near)}`)}`;
}
