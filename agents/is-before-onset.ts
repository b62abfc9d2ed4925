/** When a change can have brought a trouble: what came after it did not. */

/** An onset is known to about this much; a change may seem to come just after it. */
export const ONSET_SLACK_MS = 60_000;

/** True also where either time is not known. */
export function isBeforeOnset(changedAtMs: number | undefined, onsetMs: number | undefined): boolean {
  return changedAtMs === undefined || onsetMs === undefined || changedAtMs <= onsetMs + ONSET_SLACK_MS;
}
