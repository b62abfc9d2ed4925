/** What the past says of one series in one hour: how it was then on other days, and in its last hours. Pure. */
import type { SeriesKind, SeriesName } from './series-name.ts';

/** Kinds of series that have baselines. */
export const BASELINE_KINDS = ['requests', 'errors', 'duration', 'metric', 'template'] as const satisfies SeriesKind[];
export type BaselineKind = (typeof BASELINE_KINDS)[number];

/** Ends the Detail of what a metric's value grew by in a minute. */
export const GROWTH_DETAIL = ' /min';

/** One class of times, such as workdays: figures are those of the middle one, none without any. */
export interface PastTimes {
  /** How many there were in which the hour was observed. */
  readonly times: number;
  /** [expected, low, high]: of the hour's minutes the middle one, 1 % and 99 % of them. */
  readonly usual: readonly number[];
  /**
   * What at least half of them came down to, and up to, in the hour or one beside it: for one minute, and for about 1, 10, 25 and
   * 50 % of an hour.
   */
  readonly lows: readonly number[];
  readonly highs: readonly number[];
}

/**
 * Of requests: calls a second; errors: share of calls (lows and highs a little less, where calls are few); duration: ms, Detail says
 * which quantile; metric: its level, or what it grew by in a minute, as Detail says; template: lines a minute.
 */
export interface SeriesBaseline {
  readonly series: SeriesName;
  /** Workdays for an hour of a workday, otherwise weekends; of the last four weeks. */
  readonly ofDays: PastTimes;
  /** The same day of the last four weeks. */
  readonly ofWeeks: PastTimes;
  /** The last hours that were observed, six at the most; without lows and highs. */
  readonly ofHours: PastTimes;
}

/** hour-of-week: the same hour of the same day of other weeks; hour-of-day: of other workdays, or weekends; recent: the last hours. */
export type BaselineBasis = 'hour-of-week' | 'hour-of-day' | 'recent';

export interface Expectation {
  readonly basis: BaselineBasis;
  /** Weeks, days or hours that it is made of. */
  readonly times: number;
  readonly expected: number;
  readonly range: readonly [low: number, high: number];
}

/** Fewer days than this have no season: one of two may have been abnormal. */
export const LEAST_TIMES = 3;

/** The best that is known; undefined: nothing is. */
export function expectationOf({ ofWeeks, ofDays, ofHours }: SeriesBaseline): Expectation | undefined {
  if (ofWeeks.times >= LEAST_TIMES) return expectationFrom('hour-of-week', ofWeeks);
  if (ofDays.times >= LEAST_TIMES) return expectationFrom('hour-of-day', ofDays);
  return ofHours.times > 0 ? expectationFrom('recent', ofHours) : undefined;
}

function expectationFrom(basis: BaselineBasis, { times, usual }: PastTimes): Expectation {
  const [expected = 0, low = 0, high = 0] = usual;
  return { basis, times, expected, range: [low, high] };
}
