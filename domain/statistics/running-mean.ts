/** A mean that forgets: the plain average of what came so far, until that is more than its span; plain JSON. */

export interface RunningMean {
  count: number;
  mean: number;
}

export function newRunningMean(): RunningMean {
  return { count: 0, mean: 0 };
}

/** @param span values that count in effect: weights fall by 1 - 2 / (span + 1) for each newer value */
export function updateMean(state: RunningMean, value: number, span: number): number {
  state.count++;
  state.mean += (value - state.mean) * Math.max(1 / state.count, 2 / (span + 1));
  return state.mean;
}
