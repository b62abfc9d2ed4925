/** The pulse of every service for detection: requests, failures and slow requests step by step. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { DURATION_MS, entrySpan, FAILED, IN_WINDOW, NEAR_WINDOW, quantileMs, windowParameters } from './span-sql.ts';

export interface PulseStep {
  readonly service: string;
  /** Start of the step. */
  readonly atMs: number;
  /** Entry spans (see entrySpan). */
  readonly requests: number;
  readonly errors: number;
  /** Slower than 95 % of the requests to the same operation in the whole window. */
  readonly slow: number;
  readonly p95Ms: number;
}

export interface PulseReader {
  /** By service and time; steps without requests have no row. */
  readPulse(question: { window: TimeWindow; stepSeconds: number }, bounds: Bounds): Promise<Reading<PulseStep>>;
}

export function createPulseReader(database: Database): PulseReader {
  return {
    readPulse: ({ window, stepSeconds }, bounds) =>
      database.read(
        PULSE,
        { ...windowParameters({ window }), stepMs: stepSeconds * 1000 },
        { tag: 'pulse', ...bounds },
      ),
  };
}

const PULSE = `
SELECT s.ServiceName AS service,
  toFloat64({startMs:Int64} + {stepMs:Int64} * intDiv(toUnixTimestamp64Milli(s.Timestamp) - {startMs:Int64}, {stepMs:Int64})) AS atMs,
  toFloat64(count()) AS requests,
  toFloat64(countIf(${FAILED})) AS errors,
  toFloat64(countIf(s.Duration > l.slowNanos)) AS slow,
  ${quantileMs(0.95, DURATION_MS, 'true')} AS p95Ms
FROM otel_traces AS s
INNER JOIN (
  SELECT ServiceName, SpanName, quantileDeterministic(0.95)(Duration, cityHash64(SpanId)) AS slowNanos
  FROM otel_traces
  WHERE ${IN_WINDOW} AND ${entrySpan(NEAR_WINDOW)}
  GROUP BY ServiceName, SpanName
) AS l ON s.ServiceName = l.ServiceName AND s.SpanName = l.SpanName
WHERE ${IN_WINDOW} AND ${entrySpan(NEAR_WINDOW)}
GROUP BY service, atMs
ORDER BY service, atMs`;
