/** What a renderer writes on: a width, a palette, and how the reader starts the CLI; with the few shapes that reports use. */
import { cut, hangingText, textWidth, wrapText } from './layout.ts';
import type { Palette } from './palette.ts';

export interface Page {
  /** Columns; no line is longer. */
  readonly width: number;
  readonly palette: Palette;
  /** How the reader starts the CLI, word by word: `inquest`, `--data-dir`, `~/.inquest/demo`. */
  readonly command: readonly string[];
}

export const MIN_WIDTH = 60;
export const DEFAULT_WIDTH = 80;

const EVIDENCE_MARK = /\[ev_[0-9a-f]{12}\]/g;

/** Evidence ids in their brackets, for the end of a sentence: ` [ev_0123456789ab]`. */
export function citation(evidenceIds: readonly string[], atMost: number = evidenceIds.length): string {
  const shown = evidenceIds.slice(0, atMost).map((id) => ` [${id}]`);
  const more = evidenceIds.length - shown.length;
  return shown.join('') + (more > 0 ? ` +${more}` : '');
}

/** A heading after an empty line, its remark behind it in small. */
export function section(page: Page, title: string, lines: readonly string[], remark = ''): string[] {
  if (lines.length === 0) return [];
  const heading = page.palette.strong(cut(title, page.width));
  const shownRemark = remark === '' ? '' : `  ${page.palette.faint(cut(remark, page.width - textWidth(title) - 2))}`;
  return ['', heading + shownRemark, ...lines];
}

/** Wrapped text, indented by two. */
export function paragraph(page: Page, text: string): string[] {
  return wrapText(text, page.width - 2).map((line) => `  ${quietCitations(page, line)}`);
}

/** `  label  text`, further lines under the text; citations in small. */
export function labelled(page: Page, label: string, text: string, labelWidth: number): string[] {
  const lines = hangingText(label, text, { indent: 2, labelWidth, width: page.width });
  return lines.map((line) => quietCitations(page, line));
}

export function bullet(page: Page, text: string): string[] {
  return labelled(page, '-', text, 1).map((line) => line.replace(/^ {2}- {2}/, '  - ').replace(/^ {5}/, '    '));
}

/**
 * A command to copy, continued with backslashes where it is too long, so that what is pasted still runs.
 * @param rest the arguments after the CLI's own name and options, each already quoted for a shell
 */
export function commandLines(page: Page, ...rest: string[]): string[] {
  const room = page.width - 4;
  const lines: string[] = [];
  let line = ' ';
  for (const word of [...page.command, ...rest]) {
    if (textWidth(line) + 1 + textWidth(word) > room && line.trim() !== '') {
      lines.push(`${line} \\`);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].flatMap((each) => breakLongWord(each, page.width)).map((each) => page.palette.command(each));
}

/** Inside a word a shell continues only when the next line starts at the first column. */
function breakLongWord(line: string, width: number): string[] {
  const pieces: string[] = [];
  let rest = line;
  while (textWidth(rest) > width) {
    pieces.push(`${rest.slice(0, width - 1)}\\`);
    rest = rest.slice(width - 1);
  }
  return [...pieces, rest];
}

function quietCitations(page: Page, line: string): string {
  return line.replace(EVIDENCE_MARK, (mark) => page.palette.faint(mark));
}
