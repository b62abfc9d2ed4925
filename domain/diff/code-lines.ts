/** Lines of a diff as code: comments taken off, and runs of removed lines paired with the lines that replace them. */
import type { DiffLine, Hunk } from './parse-diff.ts';
import { withoutQuantities } from './quantities.ts';

const COMMENT_ONLY = /^\s*(\/\/|#(?!\[|include|define|if|endif|pragma)|--\s|\/\*|\*\/|\*\s|<!--|;;|%%|"""|''')/;
const TRAILING_COMMENT = /\s(\/\/|#)\s.*$/;

/** The code of a line without its comment; empty for one that is nothing else. */
export function codeOf(text: string): string {
  return COMMENT_ONLY.test(text) ? '' : text.replace(TRAILING_COMMENT, '').trimEnd();
}

export interface Replacement {
  readonly before: string;
  readonly after: string;
  /** Code that stands around it in its hunk. */
  readonly around: string;
}

/** Runs longer than this are rewrites: their lines pair only where they are the same but for amounts. */
const LONGEST_RUN = 40;
const CONTEXT_LINES = 6;
const LEAST_LIKENESS = 0.45;

/** Removed lines of a hunk with the added lines that take their place, unchanged ones left out. Linear in the lines of the hunk. */
export function replacementsOf({ lines }: Hunk): Replacement[] {
  const found: Replacement[] = [];
  for (const { removed, added, start } of runsOf(lines)) {
    const around = lines
      .slice(Math.max(0, start - CONTEXT_LINES), start)
      .map(({ text }) => codeOf(text))
      .join('\n');
    for (const [before, after] of pair(removed, added)) {
      if (before.trim() !== after.trim()) found.push({ before, after, around });
    }
  }
  return found;
}

interface Run {
  readonly removed: string[];
  readonly added: string[];
  readonly start: number;
}

function runsOf(lines: readonly DiffLine[]): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  lines.forEach(({ sign, text }, index) => {
    if (sign === ' ') {
      run = undefined;
      return;
    }
    if (!run) {
      run = { removed: [], added: [], start: index };
      runs.push(run);
    }
    const code = codeOf(text);
    if (code.trim() !== '') (sign === '-' ? run.removed : run.added).push(code);
  });
  return runs;
}

function pair(removed: readonly string[], added: readonly string[]): [string, string][] {
  const waiting = Map.groupBy(added, withoutQuantities);
  const pairs: [string, string][] = [];
  const alone: string[] = [];
  for (const before of removed) {
    const after = waiting.get(withoutQuantities(before))?.shift();
    if (after === undefined) alone.push(before);
    else pairs.push([before, after]);
  }
  const left = [...waiting.values()].flat();
  if (alone.length > LONGEST_RUN || left.length > LONGEST_RUN) return pairs;
  return [...pairs, ...pairAlike(alone, left)];
}

function pairAlike(removed: readonly string[], added: readonly string[]): [string, string][] {
  const free = new Map(added.map((text, index) => [index, { text, tokens: tokenSet(text) }]));
  const pairs: [string, string][] = [];
  for (const before of removed) {
    const tokens = tokenSet(before);
    let best: { index: number; likeness: number } | undefined;
    for (const [index, candidate] of free) {
      const likeness = jaccard(tokens, candidate.tokens);
      if (likeness >= LEAST_LIKENESS && likeness > (best?.likeness ?? 0)) best = { index, likeness };
    }
    const match = best && free.get(best.index);
    if (!best || !match) continue;
    pairs.push([before, match.text]);
    free.delete(best.index);
  }
  return pairs;
}

const TOKEN = /[A-Za-z_]\w*|\d[\w.]*|[=!<>]=+|&&|\|\||[^\s\w]/g;

/** Names, numbers and marks of a line of code. */
export function tokensOf(code: string): string[] {
  return code.match(TOKEN) ?? [];
}

function tokenSet(code: string): Set<string> {
  return new Set(tokensOf(code));
}

function jaccard(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  let shared = 0;
  for (const token of left) if (right.has(token)) shared++;
  return shared / Math.max(1, left.size + right.size - shared);
}
