/**
 * Judges one metric series minute by minute: is it far out now, has it changed, how unusual is that for it, and since when. While
 * it is abnormal it does not learn what is normal, until an hour of it is what is normal. Plain JSON, constant memory.
 */
import { median } from '../../domain/statistics/robust-scale.ts';
import { newUpperTail, observeInTail, type UpperTail } from '../../domain/statistics/upper-tail.ts';
import { judgeLevel, type NewestDistances } from './change-point.ts';
import { type GrowthState, type MinutePoint, minuteValue, newGrowthState } from './series-growth.ts';
import { learnRecent, type RecentValues, type Standing, standingOf } from './series-recent.ts';
import { standingRarity } from './series-tail.ts';

const MINUTE_MS = 60_000;
/**
 * Scales at which one value by itself, and a level that stays, pass the bar: so far out that no past is needed to say so. From a
 * quarter less to a quarter more judge alike: of 35 injected faults one more or one fewer is found.
 */
const FAR_OUT = 35;
const CHANGED = 12;
/** One value by itself is heard beside others, and does not say alone that users are hurt. */
const ONE_VALUE_MOST = 1.4;
/**
 * -log10 of the chance, given its own past, at which it passes the bar: one minute in a million. 6 and 7 judge alike; 8 and more
 * lose a third of the faults.
 */
const RARE = 6;
/** Less than a scale is not out at all. */
const LEAST_OUT = 1;
/** What is abnormal goes on until it is below this share of the bar. */
const GOES_ON = 0.5;
/** Abnormal for so long is the new normal. */
const MOST_MINUTES = 60;

/** Which view of it passes its bar most: see series-season.ts for the last. */
export type SeriesView = CourseView | 'seasonal';
type CourseView = 'series' | 'change-point';

/** How far out one series, or those of a fleet together, were so far. */
export type Fleet = Readonly<Record<CourseView, UpperTail>>;

/** State; at most 330 numbers. */
export interface SeriesCourse {
  readonly growth: GrowthState;
  isGrowth: boolean;
  recent: RecentValues;
  newest: NewestDistances;
  readonly tails: Fleet;
  /** Minutes in which it was observed. */
  seen: number;
  /** While it is abnormal. */
  trouble:
    | {
        readonly view: CourseView;
        readonly sinceMs: number;
        readonly values: number[];
        readonly sizes: Readonly<Record<CourseView, number[]>>;
      }
    | undefined;
}

export interface CourseJudgement extends Standing {
  readonly value: number;
  readonly isGrowth: boolean;
  /** 1: the bar. */
  readonly deviation: number;
  readonly view: SeriesView;
  /** Middle of the first abnormal minute. */
  readonly sinceMs: number;
  /** Its own past has a say. */
  readonly isKnown: boolean;
}

export interface CourseOptions {
  readonly isGauge: boolean;
  /** Which way trouble goes; undefined: either. */
  readonly worse: 1 | -1 | undefined;
  /** What counts things that come one by one: its value times this is their number in a minute; 0: it counts no such things. */
  readonly perMinute: number;
  /**
   * How far series of the same metric stood out before, those of all services together: what each of them does once a day is new
   * for each and usual for all. Learns. Absent: only its own past counts.
   */
  readonly fleet?: Fleet | undefined;
  readonly without: ReadonlySet<string>;
}

export function newFleet(): Fleet {
  return { series: newUpperTail(), 'change-point': newUpperTail() };
}

export function newSeriesCourse(): SeriesCourse {
  return {
    growth: newGrowthState(),
    isGrowth: false,
    recent: [],
    newest: [],
    tails: newFleet(),
    seen: 0,
    trouble: undefined,
  };
}

/** Undefined while nothing can be said. Minutes come in order; one that is missing is left out. */
export function judgeCourse(
  course: SeriesCourse,
  point: MinutePoint,
  { isGauge, worse, perMinute, fleet, without }: CourseOptions,
): CourseJudgement | undefined {
  course.seen++;
  const minute = isGauge ? { value: point.mean, isGrowth: false } : minuteValue(course.growth, point);
  if (!minute) return undefined;
  if (minute.isGrowth !== course.isGrowth) beginAnew(course, minute.isGrowth);
  const standing = standingOf(course.recent, minute.value, chanceScale(course.recent, minute.isGrowth ? 1 : perMinute));
  if (!standing) {
    learnRecent(course.recent, minute.value);
    return undefined;
  }
  const level = judgeLevel(course.newest, standing.z);
  const isKnown = course.tails.series.count >= 50;
  const now = without.has('series') ? 0 : passed(course, 'series', worsening(standing.z, worse), fleet);
  const one = Math.min(ONE_VALUE_MOST, now);
  const changed = without.has('change-point') ? 0 : passed(course, 'change-point', worsening(level, worse), fleet);
  const deviation = Math.max(one, changed);
  const view: CourseView = changed > one ? 'change-point' : 'series';
  // What takes two values to be seen began with the first of them.
  const beganMs = point.atMs + MINUTE_MS / 2 - (one < 1 && changed >= 1 ? MINUTE_MS : 0);
  learn(course, minute.value, deviation, {
    view,
    sinceMs: beganMs,
    values: [],
    sizes: { series: [], 'change-point': [] },
  });
  const sinceMs = course.trouble?.sinceMs ?? beganMs;
  return { ...standing, ...minute, deviation, view: course.trouble?.view ?? view, sinceMs, isKnown };
}

/** The standard deviation of a count is its root, or what one of them makes. */
function chanceScale(recent: RecentValues, perMinute: number): number {
  if (perMinute === 0) return 0;
  return Math.sqrt(Math.max(1, median(recent) * perMinute)) / perMinute;
}

function worsening(z: number, worse: 1 | -1 | undefined): number {
  return Math.max(0, worse === undefined ? Math.abs(z) : worse * z);
}

const BARS: Readonly<Record<CourseView, number>> = { series: FAR_OUT, 'change-point': CHANGED };

/** Share of the bar; its own past, and that of its fleet, can only raise it. Learns. */
function passed(course: SeriesCourse, view: CourseView, out: number, fleet: CourseOptions['fleet']): number {
  const tail = course.tails[view];
  const rarities = [tail, ...(fleet ? [fleet[view]] : [])].flatMap((past) => standingRarity(past, out) ?? []);
  // What a trouble shows is learned when it is over: else it would be usual before that.
  const size = Math.log(Math.max(LEAST_OUT, out));
  if (course.trouble) course.trouble.sizes[view].push(size);
  else observeInTail(tail, size);
  if (fleet) observeInTail(fleet[view], size);
  return Math.min(out / BARS[view], ...rarities.map((rarity) => rarity / RARE));
}

function learn(
  course: SeriesCourse,
  value: number,
  deviation: number,
  trouble: NonNullable<SeriesCourse['trouble']>,
): void {
  if (deviation >= 1) course.trouble ??= trouble;
  if (deviation < GOES_ON) endTrouble(course);
  if (!course.trouble) {
    learnRecent(course.recent, value);
    return;
  }
  course.trouble.values.push(value);
  if (course.trouble.values.length < MOST_MINUTES) return;
  for (const lasting of course.trouble.values) learnRecent(course.recent, lasting);
  endTrouble(course);
}

function endTrouble(course: SeriesCourse): void {
  const { trouble, tails } = course;
  course.trouble = undefined;
  if (!trouble) return;
  for (const size of trouble.sizes.series) observeInTail(tails.series, size);
  for (const size of trouble.sizes['change-point']) observeInTail(tails['change-point'], size);
}

function beginAnew(course: SeriesCourse, isGrowth: boolean): void {
  course.isGrowth = isGrowth;
  course.recent = [];
  course.newest = [];
  course.trouble = undefined;
}
