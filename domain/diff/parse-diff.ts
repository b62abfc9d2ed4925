/**
 * Unified diffs (POSIX diff -u, git) as files with signed lines, whatever tool cut them out: file headers may be missing and a
 * hunk may name its file itself. One pass over the text; what is no diff becomes no lines.
 */
import { type FileKind, fileKindOf, potencyOf } from './file-kind.ts';

export interface DiffLine {
  readonly sign: '+' | '-' | ' ';
  readonly text: string;
}

/** Lines that stand together; a hunk's heading (the function it lies in) comes first, as context. */
export interface Hunk {
  readonly lines: readonly DiffLine[];
}

export interface FileDiff {
  /** Empty when the diff does not say. */
  readonly path: string;
  readonly kind: FileKind;
  readonly hunks: readonly Hunk[];
}

const LONGEST_DIFF = 200_000;
/** Longer lines are generated or minified: nothing a person wrote stands beyond. */
const LONGEST_LINE = 500;
const HUNK_HEADING = /^@@(?: -\d+(?:,\d+)? \+\d+(?:,\d+)?)?(?: @@)? ?(.*)$/;
const PATH_IN_HEADING = /^([\w.@+-]+(?:\/[\w.@+-]+)+|[\w.@+-]+\.[A-Za-z]{1,8})(?=$|[\s:])[:\s]*/;

/** @param paths the files the commit says it touched, for a diff that names none */
export function parseDiff(text: string, paths: readonly string[] = []): FileDiff[] {
  const files = new Map<string, DiffLine[][]>();
  const lines = text.slice(0, LONGEST_DIFF).split('\n');
  let path = mostPotent(paths);
  let hunk: DiffLine[] | undefined;
  const open = (heading: string): DiffLine[] => {
    const opened: DiffLine[] = heading === '' ? [] : [{ sign: ' ', text: heading }];
    const hunks = files.get(path) ?? [];
    files.set(path, hunks);
    hunks.push(opened);
    return opened;
  };
  for (const [index, raw] of lines.entries()) {
    const line = raw.slice(0, LONGEST_LINE).replace(/\r$/, '');
    const named = headerPath(line, lines[index - 1], lines[index + 1]);
    if (named !== undefined) {
      path = named || path;
      hunk = undefined;
    } else if (line.startsWith('@@')) {
      const heading = readHeading(line);
      path = heading.path || path;
      hunk = open(heading.rest);
    } else if (isSigned(line)) {
      hunk ??= open('');
      hunk.push({ sign: line[0] === '\t' ? ' ' : (line[0] as DiffLine['sign']), text: line.slice(1) });
    }
  }
  return [...files].map(([name, hunks]) => ({
    path: name,
    kind: fileKindOf(name),
    hunks: hunks.map((signed) => ({ lines: signed })),
  }));
}

/** A diff that names no file is most likely about the one that matters. */
function mostPotent(paths: readonly string[]): string {
  const [first = ''] = [...paths].sort((left, right) => potencyOf(fileKindOf(right)) - potencyOf(fileKindOf(left)));
  return first;
}

function isSigned(line: string): boolean {
  return line.startsWith('+') || line.startsWith('-') || line.startsWith(' ') || line.startsWith('\t');
}

/** The path that a header line names, '' for a header without one; undefined: no header. */
function headerPath(line: string, previous = '', next = ''): string | undefined {
  if (line.startsWith('diff --git ')) return / b\/(.+)$/.exec(line)?.[1] ?? '';
  const isBefore = line.startsWith('--- ') && next.startsWith('+++ ');
  const isAfter = line.startsWith('+++ ') && previous.startsWith('--- ');
  if (!isBefore && !isAfter) return undefined;
  const path = (line.slice(4).split('\t')[0] ?? '').replace(/^[ab]\//, '');
  return path === '/dev/null' ? '' : path;
}

function readHeading(line: string): { path: string; rest: string } {
  const heading = HUNK_HEADING.exec(line)?.[1] ?? '';
  const path = PATH_IN_HEADING.exec(heading);
  const rest = (path ? heading.slice(path[0].length) : heading).replace(/^@@\s*/, '').trim();
  return { path: path?.[1] ?? '', rest };
}
