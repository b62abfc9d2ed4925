/** Calls into services and out of them by operation and ten seconds, with how long they took: what detection steps through. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';

export interface OperationStepRow {
  /** Start of the ten seconds. */
  readonly atMs: number;
  readonly service: string;
  /** Of a client: whom it calls, where it says so. Ids are `?`; empty: names that are too many, or too long. */
  readonly operation: string;
  readonly kind: 'Server' | 'Client';
  readonly calls: number;
  readonly errors: number;
  /** Calls by how long they took, as numbers of buckets that rise, and calls in each: see bucketStartMs. */
  readonly buckets: readonly number[];
  readonly counts: readonly number[];
}

export interface StepCount {
  readonly atMs: number;
  readonly calls: number;
}

export interface OperationStepReader {
  /** Calls of all services in each ten seconds that have any, in order of time: what came late shows in them. */
  countSteps(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<StepCount>>;
  /** In order of time; the window's ends are whole ten seconds. Rejects with LimitError beyond `maxRows`. */
  readSteps(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<OperationStepRow>>;
}

export function createOperationStepReader(database: Pick<Database, 'read'>): OperationStepReader {
  const readIn = <Row extends object>(sql: string, tag: string, { startMs, endMs }: TimeWindow, bounds: Bounds) =>
    database.read<Row>(sql, { startMs, endMs }, { tag, ...bounds });
  return {
    countSteps: ({ window }, bounds) => readIn(COUNTS, 'operations.countSteps', window, bounds),
    readSteps: ({ window }, bounds) => readIn(STEPS, 'operations.readSteps', window, bounds),
  };
}

/** The shortest duration of a bucket, in ms. */
export function bucketStartMs(bucket: number): number {
  return 1.15 ** (bucket - 50);
}

const IN_WINDOW =
  'Time >= toDateTime(intDiv({startMs:Int64}, 1000)) AND Time < toDateTime(intDiv({endMs:Int64}, 1000))';
const AT_MS = 'toFloat64(toUnixTimestamp(Time)) * 1000';

const COUNTS = `
SELECT ${AT_MS} AS atMs, toFloat64(sum(Calls)) AS calls
FROM inquest_operations_10s
WHERE ${IN_WINDOW}
GROUP BY Time
ORDER BY atMs`;

const STEPS = `
SELECT atMs, service, operation, kind, calls, errors, buckets, counts FROM (
SELECT ${AT_MS} AS atMs, toString(ServiceName) AS service, toString(Operation) AS operation,
  toString(SpanKind) AS kind, toFloat64(sum(Calls)) AS calls, toFloat64(sum(Errors)) AS errors, sumMap(Durations) AS durations,
  arrayMap(bucket -> toFloat64(bucket), mapKeys(durations)) AS buckets, arrayMap(count -> toFloat64(count), mapValues(durations)) AS counts
FROM inquest_operations_10s
WHERE ${IN_WINDOW}
GROUP BY Time, ServiceName, Operation, SpanKind
)
ORDER BY atMs, service, operation, kind`;
