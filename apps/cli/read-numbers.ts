/** Numbers and kinds given as options, checked where commander reads them. */
import { InvalidArgumentError, Option } from 'commander';
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

export function faultOption(description: string): Option {
  return new Option('--fault <kind>', description).choices(FAULT_KINDS);
}
