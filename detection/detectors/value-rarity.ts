/**
 * How rare it is that the series moves like this: the value as one of 13 steps of its recent spread, and how often that step
 * came after the one before it, and at this hour of the day. Sees what no level shows: another rhythm, a flat line where it
 * used to move, movement where it used to be flat, a job that did not run.
 */
import { newRunningMean, type RunningMean, updateMean } from '../../domain/statistics/running-mean.ts';
import { HOURS_A_DAY } from './seasonal-baseline.ts';

/** Steps on each side of the centre; from 6 to 12 judge alike. */
const SIDE_STEPS = 6;
const STEPS = 2 * SIDE_STEPS + 1;
/** Values over which centre and spread are taken. */
const SPREAD_POINTS = 100;
/** Values over which rarity is averaged: one odd step is nothing, a run of them is. */
const AVERAGED_POINTS = 40;
/** An hour of the day with fewer values has nothing to say. */
const LEAST_HOUR_COUNT = 12;

/** State; 169 + 312 counts. */
export interface ValueRarity {
  readonly centre: RunningMean;
  readonly spread: RunningMean;
  previousStep: number;
  count: number;
  /** By previous step and step. */
  readonly transitions: number[];
  /** By hour and step. */
  readonly ofHour: number[];
  readonly transitionRarity: RunningMean;
  readonly hourRarity: RunningMean;
}

export function newValueRarity(): ValueRarity {
  return {
    centre: newRunningMean(),
    spread: newRunningMean(),
    previousStep: 0,
    count: 0,
    transitions: new Array<number>(STEPS * STEPS).fill(0),
    ofHour: new Array<number>(HOURS_A_DAY * STEPS).fill(0),
    transitionRarity: newRunningMean(),
    hourRarity: newRunningMean(),
  };
}

/** Mean surprise (-ln of the share of past values) of the newest values, this one included, which is learned. */
export function observeRarity(
  rarity: ValueRarity,
  hour: number,
  value: number,
): { readonly transition: number; readonly hour: number | undefined } {
  const step = stepOf(rarity, value);
  const transition = rarity.previousStep * STEPS + step;
  const ofTransition = -Math.log(((rarity.transitions[transition] ?? 0) + 1) / (rarity.count + 2));
  const ofHour = hourSurprise(rarity.ofHour, hour, step);
  rarity.transitions[transition] = (rarity.transitions[transition] ?? 0) + 1;
  const atHour = hour * STEPS + step;
  rarity.ofHour[atHour] = (rarity.ofHour[atHour] ?? 0) + 1;
  rarity.count++;
  rarity.previousStep = step;
  return {
    transition: updateMean(rarity.transitionRarity, ofTransition, AVERAGED_POINTS),
    hour: ofHour === undefined ? undefined : updateMean(rarity.hourRarity, ofHour, AVERAGED_POINTS),
  };
}

/** By how many mean absolute deviations the value is off the recent centre, to whole ones. */
function stepOf({ centre, spread }: ValueRarity, value: number): number {
  const off = value - centre.mean;
  const scale = spread.mean + Number.EPSILON * Math.abs(centre.mean) + Number.MIN_VALUE;
  const steps = centre.count === 0 ? 0 : Math.round(off / scale);
  updateMean(centre, value, SPREAD_POINTS);
  updateMean(spread, Math.abs(off), SPREAD_POINTS);
  return Math.max(-SIDE_STEPS, Math.min(SIDE_STEPS, steps)) + SIDE_STEPS;
}

function hourSurprise(ofHour: readonly number[], hour: number, step: number): number | undefined {
  let total = 0;
  for (let index = hour * STEPS; index < (hour + 1) * STEPS; index++) total += ofHour[index] ?? 0;
  if (total < LEAST_HOUR_COUNT) return undefined;
  return -Math.log(((ofHour[hour * STEPS + step] ?? 0) + 0.5) / (total + 0.5 * STEPS));
}
