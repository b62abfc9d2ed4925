/**
 * Answers that a model can afford: at most 4,000 tokens each, as they leave, with a cursor to the rest. Whatever was recorded
 * from other systems is cleaned and bounded here, and stands under `telemetry`.
 */
import { cleanTelemetry, writeQuotation } from '../domain/quote-telemetry.ts';
import type { McpAnswer } from './catalogue.ts';

export const MAX_ANSWER_TOKENS = 4_000;
export const CHARACTERS_PER_TOKEN = 4;
/** What the protocol's own envelope takes is left free. */
export const MAX_ANSWER_CHARACTERS = MAX_ANSWER_TOKENS * CHARACTERS_PER_TOKEN - 400;

/** Longest text inside a row: tried one after the other until at least one row fits. */
const ROW_CHARACTERS = [500, 150, 40] as const;

/** The result as it leaves: the text a model reads, then blocks, and the same as data. */
export function writeResult({ data, text, blocks = [] }: McpAnswer) {
  const read = text ?? (data === undefined ? undefined : writeQuotation(data));
  return {
    content: [...(read === undefined ? [] : [{ type: 'text', text: read }]), ...blocks],
    ...(data === undefined ? {} : { structuredContent: data }),
  };
}

export function sizeOf(answer: McpAnswer): number {
  return JSON.stringify(writeResult(answer)).length;
}

export interface KeptRows {
  /** Cleaned. */
  readonly rows: readonly unknown[];
  /** How many of the rows given are not among them. */
  readonly left: number;
  /** What was left out of the rows themselves. */
  readonly leftOut?: string;
}

/** The answer made of as many of the rows, in their order, as fit; at least one where there is one. */
export function fitRows(rows: readonly unknown[], build: (kept: KeptRows) => McpAnswer): McpAnswer {
  for (const maxCharacters of ROW_CHARACTERS) {
    const keep = (count: number): McpAnswer => {
      const { value, leftOut } = cleanTelemetry(rows.slice(0, count), { maxCharacters });
      const left = rows.length - count;
      return build({ rows: value as unknown[], left, ...(leftOut === undefined ? {} : { leftOut }) });
    };
    const count = greatestThatFits(rows.length, (tried) => sizeOf(keep(tried)) <= MAX_ANSWER_CHARACTERS);
    if (count > 0 || rows.length === 0) return keep(count);
  }
  return build({
    rows: [{ left_out: 'one row, which is too large to show: ask for a shorter span or longer steps' }],
    left: rows.length - 1,
  });
}

/** The text up to the last line that fits, and where it goes on. */
export function fitText(
  text: string,
  from: number,
  build: (part: string, next: number | undefined) => McpAnswer,
): McpAnswer {
  const cut = (length: number): McpAnswer => {
    if (from + length >= text.length) return build(text.slice(from), undefined);
    const lineEnd = text.lastIndexOf('\n', from + length);
    const end = lineEnd > from ? lineEnd : from + length;
    return build(text.slice(from, end), end);
  };
  const rest = Math.max(0, text.length - from);
  return cut(greatestThatFits(rest, (length) => sizeOf(cut(length)) <= MAX_ANSWER_CHARACTERS));
}

/** The greatest count of 0..max that fits, where fewer always fit when more do. */
function greatestThatFits(max: number, fits: (count: number) => boolean): number {
  if (fits(max)) return max;
  let [low, high] = [0, max];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
