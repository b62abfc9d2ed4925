/**
 * Where secrets and personal data stand in a text. Every pattern starts at a literal or at a word's beginning and has bounds,
 * or one greedy class at its end, so that each character is looked at a constant number of times, whatever is planted. What
 * evidence needs is left alone: trace ids and commits (plain hexadecimal), versions, names of services and pods, our own ids.
 */
import { findPersonal } from './personal-text.ts';
import { findSecrets } from './secret-text.ts';

/** The first that claims a stretch of text has it. */
const KINDS = ['secret', 'iban', 'card', 'email', 'phone', 'ip', 'person'] as const;
export type SensitiveKind = (typeof KINDS)[number];

/** From `start` to before `end`, in UTF-16 units. */
export interface SensitiveSpan {
  readonly kind: SensitiveKind;
  readonly start: number;
  readonly end: number;
}

const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|[nrtbf\\])/g;

/** In the order of the text, not overlapping. */
export function findSensitive(text: string): SensitiveSpan[] {
  // JSON inside of the text: the n of an escaped line break is no part of the word behind it.
  const plain = text.replace(ESCAPE, (escaped) => (escaped === '\\\\' ? escaped : ' '.repeat(escaped.length)));
  const spans = [...findSecrets(plain), ...findPersonal(plain)]
    .map((span) => keepEscapesWhole(text, trim(plain, span)))
    .filter(({ start, end }) => start < end);
  spans.sort((left, right) => left.start - right.start || rankOf(left) - rankOf(right));
  const kept: SensitiveSpan[] = [];
  for (const span of spans) settle(kept, span);
  return kept;
}

/** Spaces are no secret; they may be part of an escape. */
function trim(plain: string, { kind, start, end }: SensitiveSpan): SensitiveSpan {
  const value = plain.slice(start, end);
  return { kind, start: start + value.length - value.trimStart().length, end: start + value.trimEnd().length };
}

/** Half of an escape left behind would take the next character along: a quotation mark, and the quotation were open. */
function keepEscapesWhole(text: string, { kind, start, end }: SensitiveSpan): SensitiveSpan {
  return { kind, start: isEscaped(text, start) ? start - 1 : start, end: isEscaped(text, end) ? end + 1 : end };
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text[first - 1] === '\\') first--;
  return (index - first) % 2 === 1;
}

function settle(kept: SensitiveSpan[], span: SensitiveSpan): void {
  for (let last = kept.at(-1); last !== undefined && last.end > span.start; last = kept.at(-1)) {
    if (last.kind === span.kind) {
      kept[kept.length - 1] = { ...last, end: Math.max(last.end, span.end) };
      return;
    }
    if (rankOf(last) < rankOf(span)) return;
    kept.pop();
  }
  kept.push(span);
}

function rankOf({ kind }: SensitiveSpan): number {
  return KINDS.indexOf(kind);
}
