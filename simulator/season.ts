/** How busy the shop is at a moment, before chance: a smooth day with a night valley and two peaks, and quieter weekends. */

const DAY_MS = 86_400_000;
/** Sunday first; the epoch began on a Thursday. */
const WEEKDAY_FACTORS = [0.84, 1.02, 1.0, 1.0, 1.04, 1.12, 0.98];

function weekdayFactor(dayIndex: number): number {
  return WEEKDAY_FACTORS[(((dayIndex + 4) % 7) + 7) % 7] ?? 1;
}

/** The factor on the request rate: about 0.35 to 1.5, mean 1 over a week. UTC. */
export function seasonFactor(atMs: number): number {
  const days = atMs / DAY_MS;
  const dayPhase = 2 * Math.PI * (days - Math.floor(days));
  // Valley at 04:00, peaks around noon and in the evening.
  const day = 1 - 0.42 * Math.cos(dayPhase - Math.PI / 3) - 0.16 * Math.cos(2 * dayPhase - (2 * Math.PI) / 3);
  // Weekday factors belong to noon; between two noons the factor moves in a straight line.
  const noons = days - 0.5;
  const noonIndex = Math.floor(noons);
  const share = noons - noonIndex;
  return day * (weekdayFactor(noonIndex) * (1 - share) + weekdayFactor(noonIndex + 1) * share);
}

export interface Holiday {
  /** Midnight, UTC. */
  readonly dayMs: number;
  readonly factor: number;
}

const FADE_MS = 2 * 3_600_000;

/** The factor of holidays: their own in the middle of the day, 1 two hours before and after it. */
export function holidayFactor(holidays: readonly Holiday[], atMs: number): number {
  let factor = 1;
  for (const holiday of holidays) {
    const intoMs = Math.min(atMs - holiday.dayMs, holiday.dayMs + DAY_MS - atMs);
    const share = Math.max(0, Math.min(1, (intoMs + FADE_MS) / (2 * FADE_MS)));
    factor *= 1 + (holiday.factor - 1) * share;
  }
  return factor;
}
