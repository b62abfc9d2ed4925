/** A question as it was understood: what about, of whom, when. Follow-ups replace some of it and keep the rest. */
import type { ChangeKind } from '../../domain/change.ts';
import type { Measure } from '../../domain/telemetry-query.ts';
import type { TimeWindow } from '../../domain/time-window.ts';

export type Topic =
  /** Rates, durations and errors of requests. */
  | 'requests'
  /** The same in two windows. */
  | 'comparison'
  /** Operations or metrics that left normal time. */
  | 'shifts'
  | 'changes'
  | 'versions'
  | 'logs'
  | 'log-counts'
  /** Kinds of line that are new. */
  | 'log-patterns'
  /** The most frequent kinds of line. */
  | 'log-kinds'
  /** How many values an attribute has. */
  | 'distinct'
  | 'metric'
  | 'metric-names'
  | 'metric-shifts'
  | 'traces'
  | 'trace'
  | 'callers'
  | 'callees'
  | 'error-origins'
  | 'affected'
  | 'why';

export interface AskedTime {
  readonly window: TimeWindow;
  /** Where one was named: "before and after 11:00". */
  readonly baseline?: TimeWindow | undefined;
  /** How it was said; empty: nothing was said, and a usual window is taken. */
  readonly said: string;
}

export interface Question {
  readonly topic: Topic;
  readonly measures: readonly Measure[];
  readonly services: readonly string[];
  /** Span name. */
  readonly operation?: string | undefined;
  readonly metric?: string | undefined;
  /** Words of a metric's name, when it was not said exactly. */
  readonly metricWords: readonly string[];
  readonly pod?: string | undefined;
  /** Only requests with these values of attributes. */
  readonly filters: readonly { readonly key: string; readonly value: string }[];
  /** Only those that took at least so long. */
  readonly minDurationMs?: number | undefined;
  /** Fields as telemetry-query.ts names them. */
  readonly by: readonly string[];
  readonly stepSeconds?: number | undefined;
  readonly order: 'most' | 'least';
  readonly limit?: number | undefined;
  /** Only failed ones. */
  readonly failing: boolean;
  readonly severity?: 'error' | 'warn' | undefined;
  /** Part of a log line. */
  readonly text?: string | undefined;
  readonly traceId?: string | undefined;
  readonly kinds: readonly ChangeKind[];
  readonly time: AskedTime;
}
