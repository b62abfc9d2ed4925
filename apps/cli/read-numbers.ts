/** Numbers, durations, addresses and kinds given as options, checked where commander reads them. */
import { InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../../domain/time-window.ts';
import { FAULT_KINDS } from '../../simulator/faults/fault-kinds.ts';

export function readSeed(text: string): number {
  const seed = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(seed) || seed < 0)
    throw new InvalidArgumentError('A whole number, 0 or more.');
  return seed;
}

export function readPositive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('A number greater than 0.');
  return value;
}

/** Milliseconds of `90s`, `15m`, `2h` or `7d`. */
export function readDurationMs(text: string): number {
  try {
    return parseDurationMs(text);
  } catch {
    throw new InvalidArgumentError('Write 90s, 15m, 2h or 7d.');
  }
}

export function readHttpUrl(text: string): string {
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (!isHttp) throw new InvalidArgumentError('Write http://127.0.0.1:4318.');
  return text;
}

export function faultOption(description: string): Option {
  return new Option('--fault <kind>', description).choices(FAULT_KINDS);
}

/** Of things that are done so many times. */
export function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('A whole number from 1 to 1000.');
}
