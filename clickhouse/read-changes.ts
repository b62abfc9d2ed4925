/** What people changed: changes that somebody recorded, and deploys that telemetry itself shows by a new `service.version`. */
import type { ChangeKind } from '../domain/change.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { METRIC_TABLES } from './metric-sql.ts';
import { OF_SERVICE } from './span-sql.ts';
import { secondWithin, timeWithin } from './time-sql.ts';

export interface ChangeReader {
  /** Changes as they were last recorded, the newest first, `maxRows` at the most. */
  listRecorded(question: RecordedChangeQuestion, bounds: Bounds): Promise<Reading<RecordedChangeRow>>;
  /** Versions first seen in the window on services that ran another one before, the newest first. */
  inferDeploys(
    question: { window: TimeWindow; service?: string | undefined },
    bounds: Bounds,
  ): Promise<Reading<InferredDeployRow>>;
}

export interface RecordedChangeQuestion {
  readonly window: TimeWindow;
  /** Changes of this service, and those that are bound to none. */
  readonly service?: string | undefined;
  /** All kinds when left out. */
  readonly kinds?: readonly ChangeKind[] | undefined;
  /** Diffs are cut to so many characters. */
  readonly diffCharacters: number;
}

export interface RecordedChangeRow {
  readonly changeId: string;
  readonly kind: ChangeKind;
  readonly service: string;
  readonly atMs: number;
  readonly version: string;
  readonly summary: string;
  readonly author: string;
  readonly url: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly diff: string;
  readonly totalRows: number;
}

export interface InferredDeployRow {
  readonly service: string;
  readonly version: string;
  /** The one first seen last before it. */
  readonly previousVersion: string;
  /** First telemetry with the version. */
  readonly atMs: number;
  /** Which signals showed it, sorted. */
  readonly signals: readonly string[];
  readonly totalRows: number;
}

/** A version that nobody saw for so long counts as new. */
const LOOKBACK_MS = 86_400_000;

/** Versions that appear this soon after the service itself were running together when telemetry began. */
const SETTLING_MS = 120_000;

export function createChangeReader(database: Database): ChangeReader {
  return {
    listRecorded: ({ window, service = '', kinds = [], diffCharacters }, bounds) =>
      database.read(
        RECORDED,
        {
          startMs: window.startMs,
          endMs: window.endMs,
          service,
          kinds: [...kinds],
          diffCharacters,
          limit: bounds.maxRows,
        },
        { tag: 'changes.listRecorded', ...bounds },
      ),
    inferDeploys: ({ window, service = '' }, bounds) =>
      database.read(
        INFERRED,
        { startMs: window.startMs, endMs: window.endMs, service, limit: bounds.maxRows },
        { tag: 'changes.inferDeploys', ...bounds },
      ),
  };
}

const RECORDED = `
SELECT ChangeId AS changeId, Kind AS kind, ServiceName AS service, toFloat64(toUnixTimestamp64Milli(Timestamp)) AS atMs,
  Version AS version, Summary AS summary, Author AS author, Url AS url, Attributes AS attributes,
  leftUTF8(Diff, {diffCharacters:UInt32}) AS diff, toFloat64(count() OVER ()) AS totalRows
FROM inquest_changes FINAL
WHERE ${timeWithin('Timestamp', '{startMs:Int64}', '{endMs:Int64}')}
  AND (${OF_SERVICE} OR ServiceName = '')
  AND (empty({kinds:Array(String)}) OR has({kinds:Array(String)}, Kind))
ORDER BY Timestamp DESC, changeId
LIMIT {limit:UInt32}`;

const LOOKBACK: readonly [string, string] = [`{startMs:Int64} - ${LOOKBACK_MS}`, '{endMs:Int64}'];
const SOURCES: readonly { signal: string; table: string; time: string; condition: string }[] = [
  { signal: 'traces', table: 'otel_traces', time: 'Timestamp', condition: timeWithin('Timestamp', ...LOOKBACK) },
  {
    signal: 'logs',
    table: 'otel_logs',
    time: 'Timestamp',
    condition: `${secondWithin('TimestampTime', ...LOOKBACK)} AND ${timeWithin('Timestamp', ...LOOKBACK)}`,
  },
  ...METRIC_TABLES.map(({ table }) => ({
    signal: 'metrics',
    table,
    time: 'TimeUnix',
    condition: timeWithin('TimeUnix', ...LOOKBACK),
  })),
];

const SEEN = SOURCES.map(
  ({ signal, table, time, condition }) => `
    SELECT ServiceName AS service, ResourceAttributes['service.version'] AS version, '${signal}' AS signal,
      min(toUnixTimestamp64Milli(${time})) AS firstMs
    FROM ${table}
    WHERE ${condition} AND ${OF_SERVICE} AND ResourceAttributes['service.version'] != ''
    GROUP BY service, version`,
).join('\n    UNION ALL');

const INFERRED = `
SELECT service, version, previousVersion, toFloat64(versionFirstMs) AS atMs, signals, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT service, version, min(firstMs) AS versionFirstMs, arraySort(groupUniqArray(signal)) AS signals,
    lagInFrame(version) OVER (PARTITION BY service ORDER BY versionFirstMs, version
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS previousVersion,
    min(versionFirstMs) OVER (PARTITION BY service) AS serviceFirstMs
  FROM (${SEEN}
  )
  GROUP BY service, version
)
WHERE versionFirstMs >= {startMs:Int64} AND versionFirstMs < {endMs:Int64} AND previousVersion != ''
  AND versionFirstMs >= serviceFirstMs + ${SETTLING_MS}
ORDER BY atMs DESC, service, version
LIMIT {limit:UInt32}`;
