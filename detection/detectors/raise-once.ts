/** One anomaly, one raise: what goes on being abnormal is not raised again until it was quiet for a while or got clearly worse. */

/** Values below the bar after which the next one above it is another anomaly. */
const QUIET_POINTS = 40;

export interface RaiseState {
  /** Values since the last one above the bar; the first one of all may be raised. */
  quiet: number;
  /** Strength at the last raise. */
  raised: number;
}

export function newRaiseState(): RaiseState {
  return { quiet: QUIET_POINTS, raised: 0 };
}

/** Whether this value is to be raised; worse means: by another bar than at the last raise. */
export function raiseOnce(state: RaiseState, strength: number, bar: number): boolean {
  if (strength < bar) {
    state.quiet = Math.min(QUIET_POINTS, state.quiet + 1);
    return false;
  }
  const isNew = state.quiet >= QUIET_POINTS || strength > state.raised + bar;
  state.quiet = 0;
  if (isNew) state.raised = strength;
  return isNew;
}
