/** Who sent anything, took requests and was called, by the minute, from rollups: by what was there detection tells what is not. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';

/** One service; all lists run side by side, one entry for each minute in which it was heard of. */
export interface PresenceMinuteRow {
  readonly service: string;
  /** Start of the minute. */
  readonly atMs: readonly number[];
  /** The newest of each signal in the minute, Unix ms; 0: none came. */
  readonly tracesMs: readonly number[];
  readonly logsMs: readonly number[];
  readonly metricsMs: readonly number[];
  /** Requests it took, and until when: the end of the last ten seconds with one. */
  readonly requests: readonly number[];
  readonly requestsMs: readonly number[];
  /** Calls that others say they made to it, by its name, and how many of them failed. */
  readonly asked: readonly number[];
  readonly refused: readonly number[];
}

export interface PresenceMinuteReader {
  /** Window in whole minutes. Rejects with LimitError beyond `maxRows` services. */
  readMinutes(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<PresenceMinuteRow>>;
}

export function createPresenceMinuteReader(database: Pick<Database, 'read'>): PresenceMinuteReader {
  return {
    readMinutes: ({ window: { startMs, endMs } }, bounds) =>
      database.read(MINUTES, { startMs, endMs }, { tag: 'presence.readMinutes', ...bounds }),
  };
}

const IN_WINDOW = `Time >= toDateTime(intDiv({startMs:Int64}, 1000)) AND Time < toDateTime(intDiv({endMs:Int64}, 1000))`;
const NO_SIGNALS = 'toInt64(0), toInt64(0), toInt64(0)';
const column = (index: number) => `arrayMap(minute -> toFloat64(minute.${index}), minutes)`;

/** Whoever is called is among them, by the name that its callers use. */
const MINUTES = `
SELECT service, arraySort(groupArray((toUnixTimestamp(Minute) * 1000, T, L, M, R, RMs, A, F))) AS minutes,
  ${column(1)} AS atMs, ${column(2)} AS tracesMs, ${column(3)} AS logsMs, ${column(4)} AS metricsMs, ${column(5)} AS requests,
  ${column(6)} AS requestsMs, ${column(7)} AS asked, ${column(8)} AS refused
FROM (
  SELECT service, Minute, max(Traces) AS T, max(Logs) AS L, max(Metrics) AS M, sum(Requests) AS R, max(RequestsMs) AS RMs,
    sum(Asked) AS A, sum(Failed) AS F
  FROM (
    SELECT toString(ServiceName) AS service, Time AS Minute, maxIf(LastMs, Signal = 'traces') AS Traces,
      maxIf(LastMs, Signal = 'logs') AS Logs, maxIf(LastMs, Signal = 'metrics') AS Metrics,
      toUInt64(0) AS Requests, toInt64(0) AS RequestsMs, toUInt64(0) AS Asked, toUInt64(0) AS Failed
    FROM inquest_presence_1m
    WHERE ${IN_WINDOW}
    GROUP BY service, Minute
    UNION ALL
    SELECT if(SpanKind = 'Client', toString(Operation), toString(ServiceName)), toStartOfMinute(Time) AS Minute,
      ${NO_SIGNALS},
      sumIf(Calls, SpanKind = 'Server'), maxIf((toInt64(toUnixTimestamp(Time)) + 10) * 1000, SpanKind = 'Server'),
      sumIf(Calls, SpanKind = 'Client'), sumIf(Errors, SpanKind = 'Client')
    FROM inquest_operations_10s
    WHERE ${IN_WINDOW}
    GROUP BY 1, Minute
  )
  GROUP BY service, Minute
)
WHERE service != ''
GROUP BY service
ORDER BY service`;
