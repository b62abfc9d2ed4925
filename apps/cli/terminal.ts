/**
 * The process's three streams as commands use them: what is asked for goes to stdout (text, or exactly one JSON document),
 * everything about the work itself to stderr, single keys come from stdin.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { wrapText } from './layout.ts';
import { openLiveBlock } from './live-block.ts';
import { DEFAULT_WIDTH, MIN_WIDTH } from './page.ts';
import { colourPalette, type Palette, plainPalette } from './palette.ts';
import { plainJson, plainText } from './plain-text.ts';

export interface Terminal {
  /** stdout carries JSON only. */
  readonly json: boolean;
  readonly width: number;
  /** For stdout. */
  readonly palette: Palette;
  /** For stderr. */
  readonly notePalette: Palette;
  /** Text for people on stdout; nothing when JSON was asked for. */
  print(text: string): void;
  /** The document for machines; nothing when JSON was not asked for. */
  printJson(value: unknown): void;
  /** One of many documents, on a line of its own; nothing when JSON was not asked for. */
  printJsonLine(value: unknown): void;
  /** A sentence about what is going on, on stderr: cleaned, and wrapped behind its own indentation. */
  note(text: string): void;
  /** Lines for stderr that are laid out already. */
  noteLines(lines: readonly string[]): void;
  /** Shows a changing block on stderr where that is a terminal; undefined where it is not. */
  openBlock(): { update(lines: readonly string[]): void; close(): void } | undefined;
  /** Asks for one of `keys`; undefined where nobody can be asked. Rejects with the signal's reason when it aborts. */
  askKey(question: string, keys: readonly string[], signal: AbortSignal): Promise<string | undefined>;
}

export interface TerminalStreams {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
}

export interface TerminalOptions {
  readonly json: boolean;
  readonly colour: boolean;
  /** Columns; left out: the terminal's own, at most 100, or 80. */
  readonly width?: number | undefined;
}

/** Lines longer than this are hard to read. */
const MAX_READABLE_WIDTH = 100;

export function openTerminal({ stdin, stdout, stderr }: TerminalStreams, options: TerminalOptions): Terminal {
  const { json } = options;
  const width =
    options.width ??
    Math.max(MIN_WIDTH, Math.min(stdout.columns ?? stderr.columns ?? DEFAULT_WIDTH, MAX_READABLE_WIDTH));
  const notePalette = paletteOf(stderr, options.colour);
  const noteLines = (lines: readonly string[]) => {
    for (const line of lines) stderr.write(`${line}\n`);
  };
  return {
    json,
    width,
    palette: paletteOf(stdout, options.colour && !json),
    notePalette,
    print: (text) => {
      if (!json) stdout.write(`${text}\n`);
    },
    printJson: (value) => {
      if (json) stdout.write(`${plainJson(value, 2)}\n`);
    },
    printJsonLine: (value) => {
      if (json) stdout.write(`${plainJson(value)}\n`);
    },
    note: (text) => {
      const indent = ' '.repeat(text.length - text.trimStart().length);
      const lines = wrapText(plainText(text), width - indent.length).map((line) => indent + line);
      noteLines(lines.length === 0 ? [''] : lines);
    },
    noteLines,
    openBlock: () =>
      stderr.isTTY
        ? openLiveBlock(stderr, (line, index) => (index === 0 ? notePalette.strong(line) : line))
        : undefined,
    askKey: async (question, keys, signal) => {
      if (!stdin.isTTY || !stderr.isTTY) return undefined;
      stderr.write(`${question} `);
      try {
        return await readKey(stdin, keys, signal);
      } finally {
        stderr.write('\n');
      }
    },
  };
}

/** Node looks at NO_COLOR, FORCE_COLOR and TERM itself when asked whether a terminal has colours. */
function paletteOf(stream: WriteStream, colour: boolean): Palette {
  return colour && stream.isTTY && stream.hasColors() ? colourPalette : plainPalette;
}

const CTRL_C = '\u0003';

function readKey(stdin: ReadStream, keys: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      stdin.off('data', onData);
      signal.removeEventListener('abort', onAbort);
      stdin.setRawMode(false);
      stdin.pause();
    };
    const onAbort = () => {
      stop();
      reject(signal.reason);
    };
    const onData = (data: Buffer) => {
      const key = data.toString('utf8').toLowerCase();
      if (key === CTRL_C) {
        // In raw mode the terminal sends no signal for it.
        process.kill(process.pid, 'SIGINT');
      } else if (keys.includes(key)) {
        stop();
        resolve(key);
      }
    };
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.resume();
  });
}
