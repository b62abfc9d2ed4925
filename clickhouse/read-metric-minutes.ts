/** Every series of every metric by the minute, from the rollup: what detection steps through. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';

/** One series; `atMs`, `means` and `lasts` run side by side, one entry for each minute in which it was observed. */
export interface MetricMinuteRow {
  readonly service: string;
  readonly metric: string;
  /** Of distributions it is their sums that are aggregated. */
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary';
  readonly pod: string;
  readonly attributesKey: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly unit: string;
  /** Start of the minute. */
  readonly atMs: readonly number[];
  /** Of the minute's points. */
  readonly means: readonly number[];
  /** The newest point: where a counter has got to. */
  readonly lasts: readonly number[];
}

export interface MetricMinuteReader {
  /** Window in whole minutes. Rejects with LimitError beyond `maxRows` series. */
  readMinutes(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<MetricMinuteRow>>;
}

export function createMetricMinuteReader(database: Pick<Database, 'read'>): MetricMinuteReader {
  return {
    readMinutes: ({ window }, bounds) =>
      database.read(
        MINUTES,
        { startMs: window.startMs, endMs: window.endMs },
        { tag: 'metrics.readMinutes', ...bounds },
      ),
  };
}

const SERIES = 'ServiceName, MetricName, Kind, Pod, AttributesKey';

/** Values that are no number are left out: unobserved. */
const MINUTES = `
SELECT toString(ServiceName) AS service, toString(MetricName) AS metric, toString(Kind) AS kind, toString(Pod) AS pod,
  toString(AttributesKey) AS attributesKey, any(Labels) AS attributes, max(Measure) AS unit,
  arraySort(groupArray((toFloat64(toUnixTimestamp(Time)) * 1000, Mean, Newest))) AS points,
  arrayMap(point -> point.1, points) AS atMs, arrayMap(point -> point.2, points) AS means,
  arrayMap(point -> point.3, points) AS lasts
FROM (
  SELECT ${SERIES}, Time, anyLast(SeriesAttributes) AS Labels, max(Unit) AS Measure, sum(Total) / sum(Points) AS Mean,
    argMaxMerge(Last) AS Newest
  FROM inquest_metrics_1m
  WHERE Time >= toDateTime(intDiv({startMs:Int64}, 1000)) AND Time < toDateTime(intDiv({endMs:Int64}, 1000))
  GROUP BY ${SERIES}, Time
)
WHERE isFinite(Mean) AND isFinite(Newest)
GROUP BY ${SERIES}
ORDER BY service, metric, kind, pod, attributesKey`;
