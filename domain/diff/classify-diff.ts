/** A whole commit: the classes of change in its diff, the words it touches, and how much of it can change behaviour at all. */
import type { ChangeClass } from './change-class.ts';
import { codeOf, replacementsOf, tokensOf } from './code-lines.ts';
import { codeShapes } from './code-shapes.ts';
import { conceptChanges } from './concept-changes.ts';
import { potencyOf } from './file-kind.ts';
import type { FileDiff } from './parse-diff.ts';
import { raisedErrors } from './raised-errors.ts';
import { relationChanges } from './relations.ts';
import { replacedValues } from './replaced-values.ts';
import { wordsOf } from './words.ts';

export interface ClassifiedDiff {
  /** The strongest of each name first. */
  readonly classes: readonly ChangeClass[];
  /** 0..1: what it can do at run time at the most; 0 without a changed line of code or configuration. */
  readonly potency: number;
  /** Where a word stands weighs: 1 in changed lines, less in their surroundings and in paths. */
  readonly words: ReadonlyMap<string, number>;
}

const WORD_WEIGHT = { changed: 1, around: 0.4, path: 0.5 };
/** Added and removed code with the same words in it was moved, turned round or laid out anew. */
const MOVED = 0.97;
const MOVED_POTENCY = 0.1;

export function classifyDiff(files: readonly FileDiff[]): ClassifiedDiff {
  const lines = changedLines(files);
  const code = lines.filter(({ code: text }) => text.trim() !== '');
  const potent = Math.max(0, ...files.map((file) => (hasCode(file, code) ? potencyOf(file.kind) : 0)));
  const isMoved = isSameWords(code);
  return {
    classes: isMoved ? [] : strongestOfEach(files, code),
    potency: potent * (isMoved ? MOVED_POTENCY : 1),
    words: weighWords(files),
  };
}

interface ChangedLine {
  readonly sign: string;
  readonly code: string;
  readonly path: string;
}

function changedLines(files: readonly FileDiff[]): ChangedLine[] {
  return files.flatMap(({ path, hunks }) =>
    hunks.flatMap(({ lines }) =>
      lines.filter(({ sign }) => sign !== ' ').map(({ sign, text }) => ({ sign, path, code: codeOf(text) })),
    ),
  );
}

function hasCode({ path }: FileDiff, code: readonly ChangedLine[]): boolean {
  return code.some((line) => line.path === path);
}

function isSameWords(code: readonly ChangedLine[]): boolean {
  const counts = new Map<string, number>();
  let total = 0;
  for (const { sign, code: text } of code) {
    for (const token of tokensOf(text)) {
      if (!/\w/.test(token)) continue;
      counts.set(token, (counts.get(token) ?? 0) + (sign === '+' ? 1 : -1));
      total++;
    }
  }
  const different = [...counts.values()].reduce((sum, count) => sum + Math.abs(count), 0);
  return total > 0 && 1 - different / total >= MOVED && !hasNewMarks(code);
}

/** The same words with other operators between them are another program. */
function hasNewMarks(code: readonly ChangedLine[]): boolean {
  const marks = (sign: string) =>
    code
      .filter((line) => line.sign === sign)
      .flatMap(({ code: text }) => text.match(/<=|>=|==|!=|&&|\|\||[<>!*/%+-]/g) ?? [])
      .sort()
      .join(' ');
  return marks('+') !== marks('-');
}

function strongestOfEach(files: readonly FileDiff[], code: readonly ChangedLine[]): ChangeClass[] {
  const potencies = new Map(files.map(({ path, kind }) => [path, potencyOf(kind)]));
  const programs = code.filter(({ path }) => (potencies.get(path) ?? 1) >= 1);
  const found = [
    ...conceptChanges(programs),
    ...raisedErrors(programs),
    ...relationChanges(files.filter(({ kind }) => potencyOf(kind) >= 1)),
    ...files.flatMap((file) =>
      potencyOf(file.kind) < 0.2
        ? []
        : [
            ...file.hunks.flatMap((hunk) => replacementsOf(hunk)).flatMap((one) => replacedValues(one, file.kind)),
            ...codeShapes(file),
          ].map((one) => ({ ...one, path: file.path })),
    ),
  ];
  const strongest = new Map<string, ChangeClass>();
  const [gone, come] = ['-', '+'].map(
    (sign) => new Set(code.filter((line) => line.sign === sign).flatMap((line) => tokensOf(line.code))),
  );
  for (const one of found) {
    if (isShuffled(one, gone, come)) continue;
    const known = strongest.get(one.name);
    const anchors = [...new Set([...(known?.anchors ?? []), ...one.anchors])].slice(0, 40);
    if (!known || one.strength > known.strength) strongest.set(one.name, { ...one, anchors });
    else strongest.set(one.name, { ...known, anchors });
  }
  return [...strongest.values()].sort(
    (left, right) => right.strength - left.strength || (left.name < right.name ? -1 : 1),
  );
}

/** A name that is still there, or was there already, was moved to another line and not renamed. */
function isShuffled(
  { name, anchors: [from = '', to = ''] }: ChangeClass,
  gone: ReadonlySet<string> | undefined,
  come: ReadonlySet<string> | undefined,
): boolean {
  return name === 'name-changed' && (come?.has(from) === true || gone?.has(to) === true);
}

function weighWords(files: readonly FileDiff[]): Map<string, number> {
  const weights = new Map<string, number>();
  const note = (text: string, weight: number) => {
    for (const word of wordsOf(text)) weights.set(word, Math.max(weight, weights.get(word) ?? 0));
  };
  for (const { path, kind, hunks } of files) {
    const potency = potencyOf(kind);
    note(path, WORD_WEIGHT.path * potency);
    for (const { lines } of hunks) {
      for (const { sign, text } of lines) {
        const code = codeOf(text);
        note(
          code === '' ? text : code,
          potency * (sign === ' ' || code === '' ? WORD_WEIGHT.around : WORD_WEIGHT.changed),
        );
      }
    }
  }
  return weights;
}
