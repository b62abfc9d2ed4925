/**
 * Judges one series value by value: five views of it (off its season, off its long level, its recent mean, its rhythm, its hour),
 * each as the chance of something so rare given that view's own past, merged into one likelihood that it is abnormal. Nothing is
 * set by a user. Constant time a value and constant memory, a plain object that JSON keeps.
 */
import { newRunningMean, type RunningMean, updateMean } from '../../domain/statistics/running-mean.ts';
import { newUpperTail, observeInTail, tailRarity, type UpperTail } from '../../domain/statistics/upper-tail.ts';
import { type DailyHabit, excuseHabit, newDailyHabit } from './daily-habit.ts';
import { newRaiseState, type RaiseState, raiseOnce } from './raise-once.ts';
import { expectedAt, hourOfDay, learnSeason, newSeasonalBaseline, type SeasonalBaseline } from './seasonal-baseline.ts';
import { newValueRarity, observeRarity, type ValueRarity } from './value-rarity.ts';

/**
 * A value is raised at this likelihood; the same for every series. Chosen on the development part of a public suite of labelled series: the
 * middle of the bars from 0.86 to 0.91, which score within four points of each other. On plain noise it is passed about once in
 * a thousand values.
 */
export const RAISE_LIKELIHOOD = 0.89;

/** Values in the recent mean and in the long level; half and twice as many judge alike. */
const RECENT_POINTS = 40;
const LEVEL_POINTS = 1000;

const VIEWS = ['season', 'level', 'recent', 'rhythm', 'hour'] as const;
export type View = (typeof VIEWS)[number];

interface TwoTails {
  readonly high: UpperTail;
  readonly low: UpperTail;
}

/** State of one series: about 1,100 numbers, whatever its length. */
export interface SeriesState {
  readonly season: SeasonalBaseline;
  readonly level: RunningMean;
  readonly recent: RunningMean;
  readonly rarity: ValueRarity;
  readonly tails: { readonly season: TwoTails; readonly level: TwoTails; readonly recent: TwoTails } & {
    readonly rhythm: UpperTail;
    readonly hour: UpperTail;
  };
  readonly habit: DailyHabit;
  readonly raise: RaiseState;
}

export interface Judgement {
  /** That this value is abnormal, 0..1. */
  readonly likelihood: number;
  /** Summed -log10 of the views' chances, without what is its habit: what the likelihood is made of. */
  readonly strength: number;
  /** The likelihood passes the bar, and it is not the same anomaly going on. */
  readonly isRaised: boolean;
  /** At this hour; undefined where there is too little history. */
  readonly expected: number | undefined;
  /** -log10 of the chance of something so rare, for each view; 0 where it is not in the tail. */
  readonly rarity: Readonly<Record<View, number>>;
}

export function newSeriesState(): SeriesState {
  const twoTails = () => ({ high: newUpperTail(), low: newUpperTail() });
  return {
    season: newSeasonalBaseline(),
    level: newRunningMean(),
    recent: newRunningMean(),
    rarity: newValueRarity(),
    tails: {
      season: twoTails(),
      level: twoTails(),
      recent: twoTails(),
      rhythm: newUpperTail(),
      hour: newUpperTail(),
    },
    habit: newDailyHabit(),
    raise: newRaiseState(),
  };
}

/**
 * Judges a finite value against everything before it, then learns it. Values come in time order; a missing one is left out:
 * unobserved is not silence.
 */
export function judgeValue(state: SeriesState, atMs: number, value: number, bar = RAISE_LIKELIHOOD): Judgement {
  const expected = expectedAt(state.season, atMs);
  const rarity = rarityOf(state, atMs, value, expected);
  learnSeason(state.season, atMs, value);
  let sum = 0;
  for (const view of VIEWS) sum += rarity[view];
  const strength = excuseHabit(state.habit, atMs, sum);
  const isRaised = raiseOnce(state.raise, strength, strengthAt(bar));
  return { likelihood: likelihoodOf(strength), strength, isRaised, expected, rarity };
}

function rarityOf(
  { level, recent, rarity, tails }: SeriesState,
  atMs: number,
  value: number,
  expected: number | undefined,
): Record<View, number> {
  const offLevel = level.count === 0 ? 0 : value - level.mean;
  updateMean(level, value, LEVEL_POINTS);
  const hour = hourOfDay(atMs);
  const surprise = observeRarity(rarity, hour, value);
  return {
    season: expected === undefined ? 0 : eitherTail(tails.season, value - expected),
    level: eitherTail(tails.level, offLevel),
    recent: eitherTail(tails.recent, updateMean(recent, value, RECENT_POINTS)),
    rhythm: inTail(tails.rhythm, surprise.transition),
    hour: surprise.hour === undefined ? 0 : inTail(tails.hour, surprise.hour),
  };
}

function eitherTail({ high, low }: TwoTails, value: number): number {
  return Math.max(inTail(high, value), inTail(low, -value));
}

function inTail(tail: UpperTail, value: number): number {
  const rarity = tailRarity(tail, value);
  observeInTail(tail, value);
  return rarity;
}

/**
 * e times the geometric mean of p-values is a p-value however they depend on each other (Vovk and Wang, Combining p-values via
 * averaging, Biometrika 2020). `strength` is the sum of their -log10.
 */
export function likelihoodOf(strength: number): number {
  return 1 - Math.min(1, Math.E * 10 ** (-strength / VIEWS.length));
}

/** The inverse: the summed rarity at which the likelihood passes `bar`. */
function strengthAt(bar: number): number {
  return VIEWS.length * Math.log10(Math.E / (1 - bar));
}
