/**
 * A log line cut into words and what stands between them, in one pass over a bounded prefix. What a single line shows to vary
 * (numbers, ids, addresses, dates, query strings) is masked here; which plain words vary is for other lines to tell.
 */
import {
  hasDigit,
  isCapitals,
  isDigit,
  isHex,
  isHexId,
  isLetter,
  isMonth,
  isSourceFile,
  isUnit,
  isWeekday,
  VARIABLE,
} from './word-kinds.ts';

/** A line says in its beginning what kind of line it is. */
const MAX_CHARACTERS = 2_000;
/** Words and separators; what follows is one variable. */
const MAX_TOKENS = 200;
const MAX_SEPARATOR_CHARACTERS = 20;

/** Groups of digits in the longest address. */
const MAX_GROUPS = 20;

const [SPACE, DELIMITER] = [1, 2];
/** By character code; every other character is part of a word. */
const CLASSES = new Uint8Array(256);
for (let code = 0; code <= 32; code++) CLASSES[code] = SPACE;
CLASSES[0xa0] = SPACE;
for (const delimiter of ',;=()[]{}<>"\'|:`') CLASSES[delimiter.charCodeAt(0)] = DELIMITER;
const COLON = 58;
const DOT = 46;
const isEnding = (code: number): boolean => code === DOT || code === 33 || code === 63; // . ! ?

/** Between variables, they make one of them: `10.0.0.1:80`, `1, 2, 3`. */
const JOINING = new Set([...' ,:/|*.-+#@&']);

interface Scan {
  readonly text: string;
  readonly tokens: string[];
  /** Between the last word and the next. */
  separator: string;
  at: number;
  /** The last word as the line has it. */
  lastRaw: string;
  /** The last word stands for several with spaces or commas between. */
  isList: boolean;
}

/**
 * Words at even places, the text between them at odd ones (white space as one space); first and last may be empty. `<*>` is a
 * word. Lines that differ in their variables alone give the same tokens.
 */
export function tokenizeLine(line: string): string[] {
  // Half a character, where the prefix cuts one in two, is refused by every store.
  const text = withoutEscapes(line.slice(0, MAX_CHARACTERS).toWellFormed());
  const scan: Scan = { text, tokens: [], separator: '', at: 0, lastRaw: '', isList: false };
  while (isSpace(text, scan.at)) scan.at++;
  while (scan.at < text.length) {
    if (scan.tokens.length >= MAX_TOKENS) {
      scan.separator = ' ';
      pushWord(scan, VARIABLE);
      break;
    }
    if (passSeparator(scan)) continue;
    const start = scan.at;
    const word = takeWord(scan);
    pushWord(scan, word);
    scan.lastRaw = text.slice(start, scan.at);
    takeEnding(scan);
  }
  scan.tokens.push(scan.separator.trimEnd());
  return scan.tokens;
}

/** Without the colours and cursor moves of a terminal (ECMA-48 CSI sequences). */
function withoutEscapes(text: string): string {
  let from = text.indexOf('\u001b[');
  if (from < 0) return text;
  let plain = '';
  let copied = 0;
  while (from >= 0) {
    plain += text.slice(copied, from);
    copied = from + 2;
    while (copied < text.length && !isLetter(text.charCodeAt(copied))) copied++;
    copied++;
    from = text.indexOf('\u001b[', copied);
  }
  return plain + text.slice(copied);
}

const classOf = (text: string, at: number): number => CLASSES[text.charCodeAt(at)] ?? 0;
const isSpace = (text: string, at: number): boolean => classOf(text, at) === SPACE;

/** Steps over one character that belongs to no word. */
function passSeparator(scan: Scan): boolean {
  const { text, at } = scan;
  const characterClass = classOf(text, at);
  if (characterClass === SPACE) {
    if (!scan.separator.endsWith(' ')) addSeparator(scan, ' ');
  } else if (characterClass === DELIMITER) {
    if (!isComparison(text, at)) addSeparator(scan, text.charAt(at));
  } else if (isLeader(text, at)) {
    if (!scan.separator.endsWith('..')) addSeparator(scan, '..');
  } else {
    return false;
  }
  scan.at++;
  return true;
}

/** Leaders, `enabled......1`, are as long as the line is wide. */
function isLeader(text: string, at: number): boolean {
  return text.charCodeAt(at) === DOT && text.charCodeAt(at + 1) === DOT;
}

function addSeparator(scan: Scan, text: string): void {
  if (scan.separator.length < MAX_SEPARATOR_CHARACTERS) scan.separator += text;
}

/** `<1 sec`: the sign belongs to the number, unless it opens a bracket. */
function isComparison(text: string, at: number): boolean {
  if (text[at] !== '<' && text[at] !== '>') return false;
  if (at > 0 && !isSpace(text, at - 1)) return false;
  let end = at + 1;
  while (end < text.length && isDigit(text.charCodeAt(end))) end++;
  return end > at + 1 && (end === text.length || isSpace(text, end));
}

function wordEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length) {
    const characterClass = classOf(text, end);
    const isScheme = characterClass === DELIMITER && text.charCodeAt(end) === COLON && text.startsWith('://', end);
    if ((characterClass !== 0 && !isScheme) || isLeader(text, end)) break;
    end += isScheme ? 3 : 1;
  }
  return end;
}

/** The next word, masked where it shows that it varies. */
function takeWord(scan: Scan): string {
  const { text, at } = scan;
  scan.at = addressEnd(text, at);
  if (scan.at > at) return VARIABLE;
  const whole = text.slice(at, wordEnd(text, at));
  const end = at + whole.length;
  return text[end] === '=' ? takeKey(scan, whole) : takePlain(scan, whole);
}

/** A word before `=`: a key stays as it is, the query of a path varies as a whole. */
function takeKey(scan: Scan, whole: string): string {
  const end = scan.at + whole.length;
  const query = whole.indexOf('?');
  if (query > 0) {
    scan.at = queryEnd(scan.text, end);
    return maskWord(whole.slice(0, query)) + VARIABLE;
  }
  scan.at = end;
  return isLetter(whole.charCodeAt(0)) ? whole : maskWord(whole);
}

function takePlain(scan: Scan, whole: string): string {
  const { text, at } = scan;
  let length = whole.length;
  while (length > 1 && isEnding(whole.charCodeAt(length - 1))) length--;
  const word = whole.slice(0, length);
  const end = at + length;
  const place = isSourceFile(word) ? placeEnd(text, end) : end;
  const index = isCapitals(word) ? indexEnd(text, end) : end;
  scan.at = Math.max(place, index);
  if (place > end) return text.slice(at, place);
  return index > end ? VARIABLE : maskWord(word);
}

/** Full stops and the like belong to the sentence. */
function takeEnding(scan: Scan): void {
  while (isEnding(scan.text.charCodeAt(scan.at)) && !isLeader(scan.text, scan.at)) {
    addSeparator(scan, scan.text.charAt(scan.at));
    scan.at++;
  }
}

/** The end of `?key=value&key=value`. */
function queryEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && !isSpace(text, end) && !'"\'<>'.includes(text[end] ?? '')) end++;
  return end;
}

/** `:12` after a source file: another place in the code is another template. */
function placeEnd(text: string, from: number): number {
  if (text[from] !== ':') return from;
  let end = from + 1;
  while (end < text.length && end <= from + 6 && isDigit(text.charCodeAt(end))) end++;
  return end > from + 1 && end <= from + 6 ? end : from;
}

/** `(0)` after a name in capitals, `LOCAL(0)`: one of a numbered few. */
function indexEnd(text: string, from: number): number {
  if (text[from] !== '(') return from;
  let end = from + 1;
  while (end < text.length && isDigit(text.charCodeAt(end))) end++;
  return end > from + 1 && text[end] === ')' ? end + 1 : from;
}

/** A MAC or IPv6 address: four and more groups of hexadecimal digits with colons between, a decimal digit among them. */
function addressEnd(text: string, from: number): number {
  let [groups, end, hasDecimal] = [0, from, false];
  while (end < text.length && groups < MAX_GROUPS) {
    let size = 0;
    while (size < 5 && isHex(text.charCodeAt(end + size))) {
      hasDecimal ||= isDigit(text.charCodeAt(end + size));
      size++;
    }
    if (size > 4 || isLetter(text.charCodeAt(end + size))) return from;
    end += size;
    groups++;
    if (text[end] !== ':') break;
    if (!isHex(text.charCodeAt(end + 1)) && text[end + 1] !== ':') break;
    end++;
  }
  return groups >= 4 && hasDecimal ? end : from;
}

function maskWord(word: string): string {
  if (word.includes('/') || word.includes('\\')) return maskPath(word);
  if (!hasDigit(word)) return isHexId(word) ? VARIABLE : word;
  return isCodePlace(word) ? word : VARIABLE;
}

/** `OrderService#451`. */
function isCodePlace(word: string): boolean {
  const mark = word.indexOf('#');
  if (mark < 1 || word.length - mark > 6 || word.length - mark < 2 || hasDigit(word.slice(0, mark))) return false;
  for (let at = mark + 1; at < word.length; at++) if (!isDigit(word.charCodeAt(at))) return false;
  return true;
}

/** Each part by itself: the host of a URL and the names of a path stay. */
function maskPath(word: string): string {
  let masked = '';
  let part = 0;
  for (let at = 0; at <= word.length; at++) {
    if (at < word.length && word[at] !== '/' && word[at] !== '\\') continue;
    const name = word.slice(part, at);
    masked += (hasDigit(name) || isHexId(name) ? VARIABLE : name) + (word[at] ?? '');
    part = at + 1;
  }
  return masked;
}

function pushWord(scan: Scan, masked: string): void {
  const { tokens, separator } = scan;
  const word = isValueOfSwitch(masked, separator) ? VARIABLE : masked;
  scan.separator = '';
  if (isPartOfLast(scan, separator, word)) return;
  scan.isList = false;
  if (tokens.length === 0 && separator !== '') tokens.push('');
  if (tokens.length > 0) tokens.push(separator);
  tokens.push(word);
}

/** Numbers swallow what belongs to them; then nothing is to be pushed. */
function isPartOfLast(scan: Scan, separator: string, word: string): boolean {
  const last = scan.tokens.at(-1);
  if (last !== VARIABLE) return word === VARIABLE && separator === ' ' && joinDate(scan.tokens);
  if (word !== VARIABLE) return separator === ' ' && (isUnit(word) || isBlank(word));
  if (!isJoined(scan, separator)) return false;
  scan.isList ||= separator.includes(' ') || separator.includes(',');
  return true;
}

/** What stands for a number that is not there, or does not fit. */
function isBlank(word: string): boolean {
  for (const character of word) if (character !== '-' && character !== '*') return false;
  return true;
}

/** Parts of a time are one word; an address and its port stay two, as they are where the address is a name: `db:5432`. */
function isJoined({ lastRaw, isList }: Scan, separator: string): boolean {
  for (const character of separator) if (!JOINING.has(character)) return false;
  if (separator !== ':' || isList) return true;
  for (let at = 0; at < lastRaw.length; at++) {
    if (isLetter(lastRaw.charCodeAt(at)) && lastRaw[at] !== 'T') return false;
  }
  return lastRaw.split('.', 5).length !== 4;
}

function isValueOfSwitch(word: string, separator: string): boolean {
  return (word === 'true' || word === 'false') && separator.trimEnd().endsWith('=');
}

/** A number after `Wed Jun`: the words before it become part of it. */
function joinDate(tokens: string[]): boolean {
  const isDate = (word: string | undefined) => word !== undefined && (isMonth(word) || isWeekday(word));
  if (!isDate(tokens.at(-1))) return false;
  tokens[tokens.length - 1] = VARIABLE;
  while (tokens.length > 2 && tokens.at(-2) === ' ' && (isDate(tokens.at(-3)) || tokens.at(-3) === VARIABLE)) {
    tokens.splice(-2);
    tokens[tokens.length - 1] = VARIABLE;
  }
  return true;
}
