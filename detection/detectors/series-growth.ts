/**
 * What a minute of a metric amounts to, from its points: the mean of a level, what a counter grew by. Rollups do not keep which
 * it is, but a counter never falls except when it begins anew. Plain JSON.
 */

/** Points further apart are a hole in coverage: what grew meanwhile belongs to no minute. */
const MAX_GAP_MS = 300_000;
const MINUTE_MS = 60_000;
/** One fall in so many rises is a restart; more of them, and it is a level. */
const RISES_A_RESTART = 10;

/** State. */
export interface GrowthState {
  atMs: number;
  last: number;
  rises: number;
  falls: number;
}

export interface MinutePoint {
  /** Start of the minute. */
  readonly atMs: number;
  readonly mean: number;
  readonly last: number;
}

export interface MinuteValue {
  readonly value: number;
  readonly isGrowth: boolean;
}

export function newGrowthState(): GrowthState {
  return { atMs: 0, last: 0, rises: 0, falls: 0 };
}

/** Learns the point. Undefined: it cannot be told, as for the first minute of a counter. Growth is per minute. */
export function minuteValue(state: GrowthState, { atMs, mean, last }: MinutePoint): MinuteValue | undefined {
  const gapMs = atMs - state.atMs;
  const growth = last >= state.last ? last - state.last : last;
  if (gapMs <= MAX_GAP_MS) {
    if (last > state.last) state.rises++;
    if (last < state.last) state.falls++;
  }
  state.atMs = atMs;
  state.last = last;
  if (state.falls * RISES_A_RESTART > state.rises) return { value: mean, isGrowth: false };
  return gapMs > MAX_GAP_MS ? undefined : { value: (growth * MINUTE_MS) / gapMs, isGrowth: true };
}
