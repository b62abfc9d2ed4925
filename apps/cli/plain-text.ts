/**
 * The one door through which foreign text (telemetry, changes, names, messages of other processes) reaches a terminal: it
 * leaves without escapes, control, bidi and invisible characters, and bounded. Palettes colour only after this.
 */

/** Longest text that one string may put on the screen, in characters. */
const MAX_LINE_CHARACTERS = 1_000;
const MAX_BLOCK_CHARACTERS = 20_000;
/** Text beyond this is cut before any pattern looks at it, so that a hostile megabyte costs nothing. */
const SCAN_FACTOR = 4;

/** ESC, and what 8-bit terminals take for ESC and one more character: DCS, SOS, OSC, PM and APC; CSI; ST. BEL ends strings too. */
const [ESC, STRINGS, CSI, ST, BEL] = ['\u001b', '\u0090\u0098\u009d\u009e\u009f', '\u009b', '\u009c', '\u0007'];
/** A string runs to its end mark; an unfinished one swallows the rest, as a terminal would. */
const STRING_SEQUENCE = new RegExp(
  `(?:${ESC}[\\]PX^_]|[${STRINGS}])[^${BEL}${ESC}${ST}]*(?:${BEL}|${ESC}\\\\|${ST}|$)?`,
  'gu',
);
const CONTROL_SEQUENCE = new RegExp(`(?:${ESC}\\[|${CSI})[0-?]*[ -/]*[@-~]?`, 'gu');
const SHORT_ESCAPE = new RegExp(`${ESC}[ -/]*[0-~]?`, 'gu');
const LINE_BREAK = /\r\n?|[\v\f\u0085\u2028\u2029]/gu;
/** Every kind of control, format (bidi, zero width, tags), surrogate, private and unassigned character; not the newline. */
const INVISIBLE = /(?!\n)\p{C}/gu;
/** Letters that draw nothing: Hangul fillers, braille blank. */
const BLANK_LETTER = /[\u115f\u1160\u2800\u3164\uffa0]/gu;
/** Marks piled on one letter climb over neighbouring lines. */
const PILED_MARKS = /(\p{M}{2})\p{M}+/gu;

/** One line of text, safe to print: runs of white space become one space, what is too long ends in an ellipsis. */
export function plainText(text: string, maxCharacters: number = MAX_LINE_CHARACTERS): string {
  return bound(clean(text, maxCharacters).replace(/\s+/gu, ' ').trim(), maxCharacters);
}

/** Like plainText, but lines stay lines: for SQL and other blocks. */
export function plainBlock(text: string, maxCharacters: number = MAX_BLOCK_CHARACTERS): string {
  return bound(clean(text, maxCharacters).replace(/[^\S\n]+$/gmu, ''), maxCharacters);
}

/**
 * A copy of any plain data in which every string, and every key, went through plainText.
 * @param edit what else happens to every string that is not a key
 */
export function plainCopy<T>(value: T, edit: (text: string) => string = (text) => text): T {
  return copy(value, edit) as T;
}

/** JSON that a terminal can show: what would act on it is written as an escape, so no information is lost. */
export function plainJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent) ?? 'null';
  return text.replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, escapeUnits);
}

function clean(text: string, maxCharacters: number): string {
  return text
    .slice(0, maxCharacters * SCAN_FACTOR)
    .replace(STRING_SEQUENCE, '')
    .replace(CONTROL_SEQUENCE, '')
    .replace(SHORT_ESCAPE, '')
    .replace(LINE_BREAK, '\n')
    .replace(/\t/gu, '  ')
    .replace(INVISIBLE, '')
    .replace(BLANK_LETTER, ' ')
    .replace(PILED_MARKS, '$1');
}

function bound(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  return `${text.slice(0, maxCharacters - 1).replace(/[\ud800-\udbff]$/u, '')}…`;
}

function copy(value: unknown, edit: (text: string) => string): unknown {
  if (typeof value === 'string') return edit(plainText(value));
  if (Array.isArray(value)) return value.map((member) => copy(member, edit));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [plainText(key), copy(member, edit)]));
}

function escapeUnits(character: string): string {
  let escaped = '';
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
