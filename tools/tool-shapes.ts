/** Shapes and cuts that many tools share: windows, small enumerations of input, rounding, and fitting rows into the limits. */
import { z } from 'zod';
import { timeWindowSchema } from '../domain/time-window.ts';
import type { ToolLimits } from './tool.ts';

export const windowInput = timeWindowSchema.describe(
  'Half-open [startMs, endMs), milliseconds since the Unix epoch, UTC.',
);
export const baselineInput = timeWindowSchema.describe(
  'Normal time to compare with; may be longer than the window and have gaps.',
);
export const serviceInput = z.string().min(1).describe('Service name, exactly as its telemetry says.');

/** What every list of ranked rows says about itself. */
export const cutShape = {
  /** Rows that exist; the most important of them are in the list. */
  totalRows: z.int().nonnegative(),
  truncated: z.boolean(),
};

/** Three decimals are enough for a reader and keep outputs small; null stays null. */
export function rounded(value: number): number;
export function rounded(value: number | null): number | null;
export function rounded(value: number | null): number | null {
  if (value === null) return null;
  return Math.abs(value) >= 0.1 ? Math.round(value * 1000) / 1000 : Number(value.toPrecision(3));
}

/** A value with every number in it `rounded`, at any depth. */
export function roundNumbers<Value>(value: Value): Value {
  return roundAny(value) as Value;
}

function roundAny(value: unknown): unknown {
  if (typeof value === 'number') return rounded(value);
  if (Array.isArray(value)) return value.map(roundAny);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, roundAny(member)]));
}

export interface CutRows<Row> {
  readonly rows: Row[];
  readonly totalRows: number;
  readonly truncated: boolean;
}

const CHARACTERS_PER_TOKEN = 4;

/**
 * The first rows that fit into the limits. `rows` come most important first; `totalRows` is how many exist (in the store,
 * when the query itself was limited).
 */
export function cutRows<Row>(rows: readonly Row[], limits: ToolLimits, totalRows: number = rows.length): CutRows<Row> {
  const maxCharacters = limits.maxTokens * CHARACTERS_PER_TOKEN;
  const kept: Row[] = [];
  let characters = 0;
  for (const row of rows.slice(0, limits.maxRows)) {
    characters += JSON.stringify(row).length + 1;
    if (characters > maxCharacters) break;
    kept.push(row);
  }
  return { rows: kept, totalRows, truncated: kept.length < totalRows };
}

/** Ranked rows of a reader, which say in `totalRows` how many exist: rounded, shaped for the output, and cut to fit. */
export function cutReading<Row extends { readonly totalRows: number }, Shaped>(
  rows: readonly Row[],
  limits: ToolLimits,
  shape: (row: Omit<Row, 'totalRows'>) => Shaped,
): CutRows<Shaped> {
  const shaped = rows.map(({ totalRows: _, ...row }) => roundNumbers(shape(row)));
  return cutRows(shaped, limits, rows[0]?.totalRows ?? 0);
}
