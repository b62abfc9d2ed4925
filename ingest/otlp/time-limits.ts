/**
 * Which times of records are taken. A row older than the retention would vanish in the store without a word, and one from the
 * far future would hide what is new: both are rejected where their sender can still be told.
 */

/** 2000-01-01 and 2100-01-01: a clock beyond is broken, and DateTime (seconds in 32 bits) ends in 2106. */
const FIRST_PLAUSIBLE_NANOS = 946_684_800_000_000_000n;
const LAST_PLAUSIBLE_NANOS = 4_102_444_800_000_000_000n;

const NANOS_PER_MS = 1_000_000n;
const DAY_MS = 86_400_000;

/** Local time sent as UTC is at most 14 hours ahead; a day lets that through and stops broken clocks. */
const MAX_AHEAD_MS = DAY_MS;

/** What arrives so long after it happened is late: detection has looked at its window before. */
const LATE_AFTER_MS = 5 * 60_000;

/** True for a time that a working clock could have told at all. */
export function isPlausibleTime(unixNano: bigint): boolean {
  return unixNano >= FIRST_PLAUSIBLE_NANOS && unixNano < LAST_PLAUSIBLE_NANOS;
}

/** The times that one request may carry. */
export interface TimeLimits {
  /** For records that carry no time of their own. */
  readonly receivedUnixNano: bigint;
  /** What is wrong with a time, to follow its name in a sentence; undefined when nothing is. */
  problemOf(unixNano: bigint): string | undefined;
  /** Taken, and counted: true for what happened more than five minutes before its receipt. */
  isLate(unixNano: bigint): boolean;
}

/**
 * @param nowMs the time of receipt
 * @param retentionDays days after which the store deletes a row; 0: never, so any past is taken
 */
export function timeLimitsAt(nowMs: number, retentionDays: number): TimeLimits {
  const receivedUnixNano = BigInt(nowMs) * NANOS_PER_MS;
  const newest = BigInt(nowMs + MAX_AHEAD_MS) * NANOS_PER_MS;
  const lateBefore = BigInt(nowMs - LATE_AFTER_MS) * NANOS_PER_MS;
  const oldest = retentionDays === 0 ? 0n : BigInt(nowMs - retentionDays * DAY_MS) * NANOS_PER_MS;
  return {
    receivedUnixNano,
    isLate: (unixNano) => unixNano < lateBefore,
    problemOf: (unixNano) => {
      if (unixNano === 0n) return 'is missing';
      if (!isPlausibleTime(unixNano)) return 'is outside 2000 to 2100';
      if (unixNano < oldest) return `is older than the ${retentionDays} days of retention`;
      return unixNano > newest ? "is more than a day ahead of the receiver's clock" : undefined;
    },
  };
}
