/** Typed questions to telemetry (domain/telemetry-query.ts), answered group by group. */
import type { TelemetryQuery } from '../domain/telemetry-query.ts';
import { compileTelemetryQuery } from './compile-telemetry-query.ts';
import type { Bounds, Database, Reading } from './database.ts';

export interface TelemetryGroupRow {
  /** Values of the query's `by`, in its order. */
  readonly groupBy: readonly string[];
  /** Start of the step; 0 without steps. */
  readonly atMs: number;
  /** Rows, or points of metrics, that were read for this one. */
  readonly items: number;
  /** Of metrics, as they say it; else empty. */
  readonly unit: string;
  /** One for each measure. Durations in ms, ratios 0..1, rates per second. */
  readonly figures: readonly (number | null)[];
  /** Groups that exist. */
  readonly totalGroups: number;
}

export interface TypedReader {
  /** Rejects with LimitError beyond `maxRows`. */
  ask(query: TelemetryQuery, bounds: Bounds): Promise<Reading<TelemetryGroupRow>>;
}

export function createTypedReader(database: Pick<Database, 'read'>): TypedReader {
  return {
    ask: (query, bounds) => {
      const { sql, parameters } = compileTelemetryQuery(query);
      return database.read(sql, parameters, { tag: 'typed.ask', ...bounds });
    },
  };
}
