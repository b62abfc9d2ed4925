/** A block of lines on a terminal that is drawn over in place: one write for each update, nothing blinks, nothing is left behind. */
import { cut, textWidth } from './layout.ts';

export interface BlockStream {
  write(text: string): unknown;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface LiveBlock {
  /** Draws these lines, cut to the terminal's width, in the place of the last ones. */
  update(lines: readonly string[]): void;
  /** Leaves what was drawn last on the screen; the cursor stands below it. */
  close(): void;
}

const UP = (rows: number) => (rows > 0 ? `\u001b[${rows}F` : '');
const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** @param paint colours a whole line after it was cut; `index` 0 is the first */
export function openLiveBlock(stream: BlockStream, paint: (line: string, index: number) => string): LiveBlock {
  let drawn: readonly string[] = [];

  /** A terminal made narrower since the last update has wrapped what stands there. */
  function drawnRows(columns: number): number {
    return drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
  }

  return {
    update: (lines) => {
      const columns = stream.columns ?? 80;
      const room = Math.max(1, (stream.rows ?? 24) - 1);
      const next = lines.slice(0, room).map((line) => cut(line, columns - 1));
      const text = next.map((line, index) => `${paint(line, index)}${CLEAR_TO_END_OF_LINE}\n`).join('');
      stream.write(`${UP(drawnRows(columns))}${text}${CLEAR_BELOW}`);
      drawn = next;
    },
    close: () => {
      drawn = [];
    },
  };
}
