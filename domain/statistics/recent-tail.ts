/** The upper tail of the newest values: in two halves, of which the older one is forgotten when the newer one is full. Plain JSON. */
import { mergeTails, newUpperTail, observeInTail, type UpperTail } from './upper-tail.ts';

/** State: the newest 4,320 to 8,640 values (of ten-second steps half a day to a day, of minutes three to six days). */
export interface RecentTail {
  older: UpperTail;
  newer: UpperTail;
}

const HALF_COUNT = 4_320;

export function newRecentTail(): RecentTail {
  return { older: newUpperTail(), newer: newUpperTail() };
}

export function observeRecent(tail: RecentTail, value: number): void {
  observeInTail(tail.newer, value);
  if (tail.newer.count < HALF_COUNT) return;
  tail.older = tail.newer;
  tail.newer = newUpperTail();
}

/** Both halves as one. */
export function recentTail({ older, newer }: RecentTail): UpperTail {
  return mergeTails(older, newer);
}
