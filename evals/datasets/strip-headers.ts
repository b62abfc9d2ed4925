/**
 * The messages of a log file without what its writer puts before each: time, level, process, logger. The layout is inferred from
 * the whole file, as an operator reads it off when configuring a receiver; there is no rule for any one program's logs.
 */

/** A column is part of the header when so many lines have the same kind of thing there. */
const SHARE = 0.95;
const MAX_COLUMNS = 12;
/** Untyped columns (host, logger) that may stand between typed ones. */
const MAX_GAP = 3;
/** Columns after the last typed one among which a `-` or `name:` ends the header. */
const MAX_TAIL = 3;
const MAX_HEADER_CHARACTERS = 600;

const LEVELS = new Set(
  'V D I W E F TRACE DEBUG INFO NOTICE WARN WARNING ERROR ERR SEVERE CRITICAL CRIT ALERT EMERG FATAL FAILURE PANIC'.split(
    ' ',
  ),
);
const DATE_WORDS = new Set('MON TUE WED THU FRI SAT SUN JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '));

interface Unit {
  readonly text: string;
  /** Index after it and after what separates it from the next. */
  readonly end: number;
}

type Kind = 'number' | 'date' | 'level' | 'bracket' | 'dash';

/** One message a line, in their order. */
export function stripHeaders(lines: readonly string[]): string[] {
  const rows = lines.map(splitUnits);
  const typed = countTyped(rows);
  const mark = markAfter(rows, typed);
  return lines.map((line, index) => {
    const units = rows[index] ?? [];
    const end = (mark && units.findIndex(({ text }, at) => at >= typed && at < typed + MAX_TAIL && mark(text))) ?? -1;
    const last = units[end < 0 ? typed - 1 : end];
    return line.slice(last?.end ?? 0).trim();
  });
}

/** Separated by white space or `|`; a bracket with all that is in it is one. */
function splitUnits(line: string): Unit[] {
  const units: Unit[] = [];
  const limit = Math.min(line.length, MAX_HEADER_CHARACTERS);
  let at = 0;
  while (at < limit && units.length < MAX_COLUMNS + MAX_TAIL) {
    const end = unitEnd(line, at, limit);
    const text = line.slice(at, end);
    at = end;
    while (at < limit && isBreak(line[at])) at++;
    if (text !== '') units.push({ text, end: at });
  }
  return units;
}

function unitEnd(line: string, from: number, limit: number): number {
  const isBracket = line[from] === '[';
  let depth = 0;
  let end = from;
  while (end < limit && (depth > 0 || !isBreak(line[end]))) {
    if (isBracket && line[end] === '[') depth++;
    if (isBracket && line[end] === ']') depth--;
    end++;
  }
  return end;
}

const isBreak = (character: string | undefined): boolean =>
  character === ' ' || character === '\t' || character === '|';

function kindOf(text: string): Kind | undefined {
  if (text === '-') return 'dash';
  if (text.startsWith('[') && text.endsWith(']')) return 'bracket';
  const word = text.replace(/[:,]$/, '').toUpperCase();
  if (LEVELS.has(word)) return 'level';
  if (DATE_WORDS.has(word)) return 'date';
  return /^[0-9][0-9.:,/T+-]*Z?$/.test(word) ? 'number' : undefined;
}

/** How many columns the header has that ends in a typed one; what stands after a column of names with colons is message. */
function countTyped(rows: readonly (readonly Unit[])[]): number {
  let end = 0;
  for (let column = 0; column < MAX_COLUMNS && column <= end + MAX_GAP; column++) {
    const texts = rows.map((units) => units[column]?.text ?? '');
    const kinds = Map.groupBy(texts, kindOf);
    kinds.delete(undefined);
    if ([...kinds.values()].some(({ length }) => length >= SHARE * rows.length)) end = column + 1;
    else if (texts.filter(isNameBefore).length >= SHARE * rows.length) break;
  }
  return end;
}

const isNameBefore = (text: string): boolean => text.endsWith(':');

/** What ends the header after its typed columns in nearly all lines: a dash of its own, or the colon after a name. */
function markAfter(rows: readonly (readonly Unit[])[], typed: number): ((text: string) => boolean) | undefined {
  const marks = [(text: string) => text === '-', isNameBefore];
  return marks.find((mark) => {
    const marked = rows.filter((units) => units.slice(typed, typed + MAX_TAIL).some(({ text }) => mark(text)));
    return marked.length >= SHARE * rows.length;
  });
}
