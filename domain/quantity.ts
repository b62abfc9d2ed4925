/** Numbers with what they measure, and how they read. */
import { z } from 'zod';
import { formatClock, formatInstant } from './time-window.ts';

/** duration in ms, rate per second, ratio 0..1, instant in ms since the epoch, number in a unit of its own. */
export const quantitySchema = z.enum(['text', 'count', 'rate', 'ratio', 'duration', 'instant', 'number']);
export type Quantity = z.infer<typeof quantitySchema>;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** A rate below so many a second reads better by the minute. */
const SLOW_RATE = 0.1;

/**
 * `247 ms`, `3.72/s`, `38.7%`, `10:30:00`, `1,204`; `-` for null.
 *
 * @param unit of a `number`, as its metric says it (UCUM); `1` and `{words}` are not shown, bytes become KiB, MiB, GiB
 */
export function formatQuantity(quantity: Quantity, value: string | number | null, unit = ''): string {
  if (value === null) return '-';
  if (typeof value === 'string') return value;
  switch (quantity) {
    case 'duration':
      return formatMilliseconds(value);
    case 'rate':
      return value > 0 && value < SLOW_RATE ? `${significant(value * 60)}/min` : `${significant(value)}/s`;
    case 'ratio':
      return formatRatio(value);
    case 'instant':
      return formatClock(value);
    case 'count':
      return significant(value, 12);
    default:
      return formatNumber(value, unit);
  }
}

function formatMilliseconds(ms: number): string {
  if (ms < SECOND_MS) return `${significant(ms)} ms`;
  return ms < 2 * MINUTE_MS ? `${significant(ms / SECOND_MS)} s` : `${significant(ms / MINUTE_MS)} min`;
}

/** Only nothing is 0%, and only everything is 100%. */
function formatRatio(ratio: number): string {
  if (ratio > 0 && ratio < 0.001) return '< 0.1%';
  if (ratio < 1 && ratio > 0.999) return '> 99.9%';
  return `${Number((ratio * 100).toFixed(1))}%`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function formatNumber(value: number, unit: string): string {
  if (unit === 'By') {
    const power = Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10));
    return `${significant(value / 1024 ** power)} ${BYTE_UNITS[power]}`;
  }
  // UCUM: `1` counts nothing in particular, and what stands in braces is a remark.
  const shown = unit.replace(/\{[^}]*\}/g, '').replace(/^1(?=$|\/)/, '');
  return shown === '' || shown.startsWith('/') ? `${significant(value)}${shown}` : `${significant(value)} ${shown}`;
}

function significant(value: number, digits = 3): string {
  const rounded = Math.abs(value) >= 10 ** digits ? Math.round(value) : Number(value.toPrecision(digits));
  return rounded.toLocaleString('en-US', { maximumSignificantDigits: 15 });
}

/** `10:30 to 10:35`, with seconds where they are not 0, with the day where it is not today's. UTC. */
export function formatSpan({ startMs, endMs }: { startMs: number; endMs: number }, nowMs: number): string {
  const day = formatInstant(nowMs).slice(0, 10);
  const text = (atMs: number) => {
    const instant = formatInstant(atMs);
    const clock = atMs % MINUTE_MS < SECOND_MS ? formatClock(atMs).slice(0, 5) : formatClock(atMs);
    return instant.startsWith(day) ? clock : `${instant.slice(0, 10)} ${clock}`;
  };
  return `${text(startMs)} to ${text(endMs)}`;
}
