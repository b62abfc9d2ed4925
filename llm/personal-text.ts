/** Personal data in a text: addresses, numbers that prove themselves by their checksum, and names where a field says so. */
import { isIP, isIPv6 } from 'node:net';

interface Span {
  readonly kind: 'iban' | 'card' | 'email' | 'phone' | 'ip' | 'person';
  readonly start: number;
  readonly end: number;
}

const MAILBOX = /(?:@|%40)(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])/g;
const MAX_LOCAL_PART = 64;
const LOCAL_PART = /[\p{L}\p{N}._%+-]{1,64}$/u;
const IPV4 = /(?<![\w.~])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)/g;
/** 120.0.0.0 behind Chrome/, v or version is none. */
const BEFORE_VERSION = /(?:[A-Za-z]\/|version["']?[\s:=]{1,3}["']?)$/i;
const IPV6 = /(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:(?:\.\d{1,3}){3})?(?![\w:])/g;
const LOCAL_ADDRESS = /^(?:127\.|0\.0\.0\.0$|::1?$)/;
const PHONE =
  /(?<![\w+.-])(?:\+\d{1,3}[\s().-]{0,2}(?:\d[\s().-]{0,2}){6,12}\d|(?:\(\d{3}\)\s?|\d{3}-)\d{3}-\d{4})(?![\w-])/g;
const IBAN = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g;
/** Visa, Mastercard, Amex, Discover, Diners, JCB by how they begin: a timestamp may pass the checksum, too. */
const CARD = /(?<![\w.-])(?:4|5[1-5]|2[2-7]|3[04-8]|6[045])(?:[ -]?\d){12,17}(?![\w-])/g;
const PERSON =
  /(?<![\w./-])(?:user|(?:user|enduser|full|first|last|display|sur)[_.-]?name|username|surname|enduser\.id|user\.(?:email|full_name)|author|e-?mail|phone|mobile)(?:\\?["'])?\s{0,2}[:=]\s{0,2}(?:\\"([^"\\]{1,128})|"(?![,\]}:\s])([^"\\]{1,128})|'(?![,\]}:\s])([^'"]{1,128})|([^\s"'`,;&<>()[\]{}\\]{1,128}))/dgi;
const AUTHOR = /(?<![\w-])(?:Author|Committer|Signed-off-by|Co-authored-by):\s{1,8}([^\n<"\\]{1,80})</dg;
const NOBODY =
  /^(?:not|is|was|has|had|does|did|with|without|cannot|can|id|unknown|null|none|nil|undefined|anonymous|root|admin|system|service|agent|true|false|[\d.:-]+|\$\d+|\?|%s|:\w+)$/i;

export function* findPersonal(text: string): Generator<Span> {
  for (const match of text.matchAll(MAILBOX)) {
    const before = text.slice(Math.max(0, match.index - MAX_LOCAL_PART), match.index);
    const local = LOCAL_PART.exec(before)?.[0] ?? '';
    if (local !== '') yield { kind: 'email', start: match.index - local.length, end: match.index + match[0].length };
  }
  yield* find('ip', IPV4, text, (value, before) => isAddress(value) && !BEFORE_VERSION.test(before));
  yield* find('ip', IPV6, text, (value) => isIPv6(value) && /\d/.test(value) && isAddress(value));
  yield* find('iban', IBAN, text, hasIbanChecksum);
  yield* find('card', CARD, text, hasCardChecksum);
  yield* find('phone', PHONE, text);
  for (const match of [...text.matchAll(PERSON), ...text.matchAll(AUTHOR)]) {
    const group = match.slice(1).findIndex((each) => each !== undefined) + 1;
    const [start, end] = match.indices?.[group] ?? [0, 0];
    const name = (match[group] ?? '').trimEnd();
    if (!NOBODY.test(name)) yield { kind: 'person', start, end: Math.min(end, start + name.length) };
  }
}

function* find(
  kind: Span['kind'],
  pattern: RegExp,
  text: string,
  isIt: (value: string, before: string) => boolean = () => true,
): Generator<Span> {
  for (const { 0: value, index } of text.matchAll(pattern)) {
    if (isIt(value, text.slice(Math.max(0, index - 16), index))) {
      yield { kind, start: index, end: index + value.length };
    }
  }
}

/** This machine is nobody's. */
function isAddress(value: string): boolean {
  return isIP(value) !== 0 && !LOCAL_ADDRESS.test(value);
}

/** ISO 13616: country and check digits moved to the end, letters as numbers from 10, modulo 97 is 1. */
function hasIbanChecksum(value: string): boolean {
  const compact = value.replaceAll(' ', '');
  if (compact.length < 15 || compact.length > 34) return false;
  let rest = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const number = Number.parseInt(character, 36);
    rest = (rest * (number > 9 ? 100 : 10) + number) % 97;
  }
  return rest === 1;
}

/** Luhn, ISO/IEC 7812-1. */
function hasCardChecksum(value: string): boolean {
  const digits = value.replaceAll(/\D/g, '');
  if (digits.length < 14 || digits.length > 19) return false;
  let sum = 0;
  for (const [index, digit] of [...digits].reverse().entries()) {
    const doubled = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
