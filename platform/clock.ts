/** Time as an argument: everything that needs "now" takes a Clock, so that tests and replays choose it. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** A clock that stands where it is put; `advance` moves it. For tests and replays. */
export function createManualClock(startMs: number): Clock & { advance(byMs: number): void } {
  let currentMs = startMs;
  return {
    nowMs: () => currentMs,
    advance: (byMs) => {
      currentMs += byMs;
    },
  };
}
