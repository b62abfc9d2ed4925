/** Half-open spans of time, and how people write them. Milliseconds since the Unix epoch, UTC. */
import { z } from 'zod';
import { InputError } from '../platform/errors.ts';

/** [startMs, endMs): the start is inside, the end is not. */
export const timeWindowSchema = z
  .object({ startMs: z.int().nonnegative(), endMs: z.int().nonnegative() })
  .refine((window) => window.endMs > window.startMs, { error: 'endMs must be after startMs' });
export type TimeWindow = z.infer<typeof timeWindowSchema>;

export function durationMs(window: TimeWindow): number {
  return window.endMs - window.startMs;
}

export function isInside(window: TimeWindow, atMs: number): boolean {
  return atMs >= window.startMs && atMs < window.endMs;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds in a duration such as `90s`, `15m`, `2h`, `7d`; throws InputError. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text.trim());
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  if (!match || unitMs === undefined) throw new InputError(`"${text}" is not a duration: write 90s, 15m, 2h or 7d.`);
  return Math.round(Number(match[1]) * unitMs);
}

/**
 * The instant meant by `now`, `15m` or `-15m` (that long before now), an ISO 8601 time with a zone, a clock time `10:30`
 * (today in UTC, or yesterday when still to come), or epoch seconds or milliseconds. Throws InputError.
 */
export function parseInstantMs(text: string, nowMs: number): number {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowMs;
  if (/^-?\d+(\.\d+)?[smhd]$/.test(trimmed)) {
    const atMs = nowMs - parseDurationMs(trimmed.replace(/^-/, ''));
    if (atMs < 0) throw notAnInstant(text);
    return atMs;
  }
  if (/^\d{10}$/.test(trimmed)) return Number(trimmed) * 1000;
  if (/^\d{13}$/.test(trimmed)) return Number(trimmed);
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(trimmed);
  if (clock) {
    const midnightMs = Math.floor(nowMs / 86_400_000) * 86_400_000;
    const atMs = midnightMs + Number(clock[1]) * 3_600_000 + Number(clock[2]) * 60_000;
    return atMs <= nowMs ? atMs : atMs - 86_400_000;
  }
  const iso = /^(\d{4}-\d{2}-\d{2})(T[\d:.]+(Z|[+-]\d{2}:?\d{2}))?$/.exec(trimmed);
  const isoMs = iso?.[1] !== undefined && isDay(iso[1]) ? Date.parse(trimmed) : Number.NaN;
  if (!(isoMs >= 0)) throw notAnInstant(text); // NaN, or before 1970
  return isoMs;
}

/** Date.parse takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  const atMs = Date.parse(day);
  return !Number.isNaN(atMs) && formatInstant(atMs).startsWith(day);
}

function notAnInstant(text: string): InputError {
  return new InputError(`"${text}" is not a time: write 15m (ago), 10:30 (UTC) or 2026-01-31T10:30:00Z.`);
}

/** An instant as `2026-01-31T10:30:00.000Z`. */
export function formatInstant(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** `2026-01-31`, UTC. */
export function formatDay(atMs: number): string {
  return formatInstant(atMs).slice(0, 10);
}

/** `10:14:20`, UTC. */
export function formatClock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}

/** `10:14`, UTC. */
export function formatMinute(atMs: number): string {
  return formatClock(atMs).slice(0, 5);
}
