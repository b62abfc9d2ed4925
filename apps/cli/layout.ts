/** Text in columns: measuring, cutting, padding and wrapping by what a terminal shows. Knows nothing of colours or content. */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Between a number and its unit no line ends. */
const UNIT_GAP = /(\d) (?=(?:%|ms|s|min|h|d|MB|GB|UTC)(?![\p{L}\d]))/gu;
const ASCII = /^[\x20-\x7e]*$/;

/** Terminal columns that a text without escapes takes. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (/^\p{M}+$/u.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** The text if it fits into `width` columns, otherwise its beginning and an ellipsis. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  return `${takeColumns(text, width - 1)}…`;
}

/** Exactly `width` columns: cut, or padded at the end (`start`: padded at the start). */
export function cell(text: string, width: number, pad: 'end' | 'start' = 'end'): string {
  const shown = cut(text, width);
  const padding = ' '.repeat(Math.max(0, width - textWidth(shown)));
  return pad === 'end' ? shown + padding : padding + shown;
}

function takeColumns(text: string, width: number): string {
  let taken = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width) break;
    taken += segment;
  }
  return taken;
}

/** Lines of at most `width` columns, broken at white space, and inside a word only where the word alone is too long. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  const words = text
    .replace(UNIT_GAP, '$1\u00a0')
    .split(/[^\S\u00a0]+/u)
    .filter((part) => part !== '');
  for (const word of words) {
    for (const piece of splitWord(word.replaceAll('\u00a0', ' '), width)) {
      const joined = line === '' ? piece : `${line} ${piece}`;
      if (textWidth(joined) <= width) {
        line = joined;
      } else {
        lines.push(line);
        line = piece;
      }
    }
  }
  return line === '' ? lines : [...lines, line];
}

function splitWord(word: string, width: number): string[] {
  const pieces: string[] = [];
  let rest = word;
  while (textWidth(rest) > width) {
    const piece = takeColumns(rest, Math.max(1, width)) || rest.slice(0, 1);
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return rest === '' ? pieces : [...pieces, rest];
}

/** A paragraph behind a label: `  label  text ...`, further lines under the text. The label is cut to `labelWidth`. */
export function hangingText(
  label: string,
  text: string,
  options: { indent: number; labelWidth: number; width: number },
): string[] {
  const { indent, labelWidth, width } = options;
  const gap = labelWidth === 0 ? 0 : 2;
  const first = ' '.repeat(indent) + cell(label, labelWidth) + ' '.repeat(gap);
  const further = ' '.repeat(textWidth(first));
  const wrapped = wrapText(text, Math.max(10, width - textWidth(first)));
  return (wrapped.length === 0 ? [''] : wrapped).map((line, index) =>
    ((index === 0 ? first : further) + line).trimEnd(),
  );
}

/** `ratio` 0..1 drawn in `cells` columns. */
export function bar(ratio: number, cells: number): string {
  const full = Math.max(0, Math.min(cells, Math.round(ratio * cells)));
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

export interface Column {
  readonly heading: string;
  readonly align?: 'right';
  /** May shrink to this many columns when the table is too wide; left out: never shrinks. */
  readonly minWidth?: number;
}

/**
 * Rows under headings, two spaces between columns, no line wider than `width`: first the columns that may shrink do, then
 * columns are dropped from the right.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const kept = [...columns];
  while (kept.length > 1) {
    const widths = shrink(kept, naturalWidths(kept, rows), width);
    if (widths) return drawTable(kept, widths, rows);
    kept.pop();
  }
  return drawTable(kept, [Math.min(width, naturalWidths(kept, rows)[0] ?? width)], rows);
}

function naturalWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map((column, index) =>
    Math.max(textWidth(column.heading), ...rows.map((row) => textWidth(row[index] ?? ''))),
  );
}

function shrink(columns: readonly Column[], natural: readonly number[], width: number): number[] | undefined {
  const widths = [...natural];
  const total = () => widths.reduce((sum, each) => sum + each, 0) + 2 * (widths.length - 1);
  while (total() > width) {
    const widest = widths
      .map((each, index) => ({ index, each, min: columns[index]?.minWidth ?? Number.POSITIVE_INFINITY }))
      .filter(({ each, min }) => each > min)
      .sort((left, right) => right.each - left.each)[0];
    if (!widest) return undefined;
    widths[widest.index] = widest.each - 1;
  }
  return widths;
}

function drawTable(
  columns: readonly Column[],
  widths: readonly number[],
  rows: readonly (readonly string[])[],
): string[] {
  const draw = (cells: readonly string[]) =>
    columns
      .map((column, index) => cell(cells[index] ?? '', widths[index] ?? 0, column.align === 'right' ? 'start' : 'end'))
      .join('  ')
      .trimEnd();
  return [draw(columns.map((column) => column.heading)), ...rows.map(draw)];
}
