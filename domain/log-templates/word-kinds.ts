/** What a single word shows about itself: a number, an id, a name of a program or file, a part of a date. No state, no regular expressions. */

/** Stands for whatever varies. */
export const VARIABLE = '<*>';

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isUpper = (code: number): boolean => code >= 65 && code <= 90;
const isLower = (code: number): boolean => code >= 97 && code <= 122;
export const isLetter = (code: number): boolean => isUpper(code) || isLower(code) || code > 127;
export const isHex = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);

const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const WEEKDAYS = wordSet('Mon Tue Wed Thu Fri Sat Sun Monday Tuesday Wednesday Thursday Friday Saturday Sunday');
const MONTHS = wordSet(
  'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec January February March April June July August September October November December',
);
const AFTER_TIMES = wordSet('UTC GMT EST EDT CST CDT MST MDT PST PDT CET CEST BST IST JST AM PM am pm');
/** A number and its unit are one quantity: what takes 3 ms now and 2 s then is the same line. */
const UNITS = wordSet('ns us µs ms s sec secs min mins h hr hrs B kB KB MB GB TB KiB MiB GiB TiB');
const SOURCE_FILES = wordSet('c cc cpp cs ex go h java js jsx kt lua mjs php pl py rb rs scala sh swift ts tsx');

export const isMonth = (word: string): boolean => MONTHS.has(word);
export const isWeekday = (word: string): boolean => WEEKDAYS.has(word);
/** What may stand after a number and belongs to it. */
export const isUnit = (word: string): boolean => UNITS.has(word) || AFTER_TIMES.has(word);

/** `orders.py`: a number after it and a colon is a line of code. */
export function isSourceFile(word: string): boolean {
  const dot = word.lastIndexOf('.');
  return dot > 0 && SOURCE_FILES.has(word.slice(dot + 1));
}

export function hasDigit(word: string): boolean {
  for (let at = 0; at < word.length; at++) if (isDigit(word.charCodeAt(at))) return true;
  return false;
}

/** Eight hexadecimal digits and more: an id, also without a decimal digit. */
export function isHexId(word: string): boolean {
  if (word.length < 8) return false;
  for (let at = 0; at < word.length; at++) if (!isHex(word.charCodeAt(at))) return false;
  return true;
}

/** In capitals all through. */
export function isCapitals(word: string): boolean {
  for (let at = 0; at < word.length; at++) if (!isUpper(word.charCodeAt(at))) return false;
  return word !== '';
}

/**
 * A name rather than a word of a sentence: joined by marks (`a.b`, `a/b`, `a_b`, `a-b`, `a@b`), written in camel case, or one
 * letter alone. Names vary sooner than words do.
 */
export function isName(word: string): boolean {
  if (word.length === 1) return true;
  for (let at = 0; at < word.length; at++) {
    const code = word.charCodeAt(at);
    if (!isLetter(code)) return true;
    if (at > 0 && isUpper(code) && isLower(word.charCodeAt(at - 1))) return true;
  }
  return false;
}
