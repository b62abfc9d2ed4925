/** Secrets in a text: by the shape of the vendor's key, by the name of the field they stand in, or by how random they look. */

interface Span {
  readonly kind: 'secret';
  readonly start: number;
  readonly end: number;
}

/** Keys that say what they are; one greedy class at the end of each. */
const VENDOR_KEYS = new RegExp(
  `(?<![A-Za-z0-9])(?:${[
    'gh[pousr]_[A-Za-z0-9]{20,}', // GitHub
    'github_pat_\\w{20,}',
    'glpat-[\\w-]{16,}', // GitLab
    'xox[abeoprs]-[\\w-]{10,}', // Slack
    'xapp-[\\w-]{10,}',
    '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}', // AWS
    'AIza[\\w-]{30,}', // Google
    'ya29\\.[\\w-]{16,}',
    'GOCSPX-[\\w-]{16,}',
    '(?:[spr]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,}', // Stripe
    'SG\\.[\\w-]{16,}\\.[\\w-]+', // SendGrid
    'npm_[A-Za-z0-9]{30,}',
    'pypi-[\\w-]{20,}',
    'hf_[A-Za-z0-9]{24,}', // Hugging Face
    'gsk_[A-Za-z0-9]{24,}', // Groq
    'hvs\\.[\\w-]{16,}', // Vault
    'glsa_\\w{20,}', // Grafana
    'dop_v1_[a-f0-9]{32,}', // DigitalOcean
    'dapi[a-f0-9]{32,}', // Databricks
    'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}', // Shopify
    'NRAK-[A-Z0-9]{20,}', // New Relic
    'eyJ[\\w-]{10,}(?:\\.[\\w-]+){0,4}', // JSON web tokens, also cut ones
  ].join('|')})`,
  'dg',
);
const DASHED_KEY = /(?<![A-Za-z0-9])(?:sk|key|xai|pplx|nvapi)-[\w-]{16,}/dg;

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----/g;
const PRIVATE_KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----/;
/** What a block is made of, also as JSON; with its bound, as long as a key can be. */
const PRIVATE_KEY_BODY = /[A-Za-z0-9+/=\s\\:,-]{0,16384}/y;

/** Up to the last @ before the path: a password may hold one. */
const URL_PASSWORD = /:(?:\\?\/){2}[^\s/:@?#"'\\]{0,128}:([^\s/"'\\]{1,256})@/dg;
const SCHEME = /(?<![A-Za-z0-9])(?:Bearer|Basic)\s{1,3}([\w.~+/-]{8,})/dgi;
const AUTHORIZATION =
  /authorization\\?["']?\s{0,3}[:=]\s{0,3}(?:\\?["'](?![,\]}:\s]))?(?:[A-Za-z0-9-]{2,20}\s{1,3})?([^\s"',;\\{}[\]]{6,})/dgi;
const COOKIE = /cookie\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?([^\r\n"\\=]{1,200}=[^\r\n"\\]*)/dgi;

const NAME_OF_PASSWORD = 'pass(?:word|wd|phrase|code)|(?<![a-z])pass(?==)|pwd';
const NAME_OF_KEY = '(?:private|account|access|api|encryption|signing|license|shared)[_.-]?key|secret|credential';
const NAME_OF_TOKEN = 'token|signature|(?<![a-z])sig(?==)|[cx]srf|(?:j|php)sess(?:ion)?id|(?<![a-z])otp(?![a-z])';
const NAME = `(?!secret-\\d+>)(${NAME_OF_PASSWORD}|${NAME_OF_KEY}|${NAME_OF_TOKEN})([\\w.-]{0,30})`;
const SEPARATOR = '\\s{0,3}(?:=>|[:=>])\\s{0,3}';
/** A quotation mark that opens something: behind one that closes a JSON text comes one of these, and is left alone. */
const OPEN = '(?![,\\]}:\\s])';
/** Name, end of the name, value; the marks around a name and its value are of one depth, or of one kind. */
const FIELDS = [SEPARATOR, '\\s'].flatMap((separator) => {
  const name = separator === SEPARATOR ? NAME : `--?(?:\\w{1,20}-){0,3}${NAME}`;
  return [
    `${name}(?:\\\\")?${separator}\\\\"((?:[^"\\\\]|\\\\(?!"))+)`,
    `${name}(?:"${separator}"|${separator}"${OPEN})((?:[^"\\\\]|\\\\.)+)`,
    `${name}'?${separator}'${OPEN}([^'"]+)`,
    `${name}\\\\?["']${separator}(\\d[\\w.+-]*)`,
    `${name}${separator}(?![{[])((?:[^\\s"'\`,;&<>\\\\]|\\\\(?!["']))+)`,
  ].map((pattern) => new RegExp(pattern, 'dgis'));
});
const IS_PASSWORD = new RegExp(NAME_OF_PASSWORD, 'i');
/** secretName, token_type, passwordResetUrl: about a secret, and none. */
const ABOUT_A_SECRET =
  /(?:name|refs?|type|count|length|size|ttl|expir\w*|policy|limit|file|path|ur[il]|endpoint|status|state|valid\w*|errors?|version)$/i;
const NO_VALUE =
  /^(?:\*+|x+|null|none|nil|true|false|undefined|empty|\[?(?:redacted|filtered|masked|hidden)\]?|\$\d+|\?|%s)$/i;

/** Long and of one alphabet; what is random of these, `looksRandom` says. */
const WORD = /(?<![\w+/=-])[A-Za-z0-9+/_-]{24,}={0,2}/dg;

export function* findSecrets(text: string): Generator<Span> {
  yield* findPrivateKeys(text);
  yield* find(VENDOR_KEYS, text);
  yield* find(DASHED_KEY, text, (key) => looksRandom(key) || key.split('-').some((part) => part.length >= 20));
  yield* find(URL_PASSWORD, text);
  yield* find(SCHEME, text, (value) => !isProse(value));
  yield* find(AUTHORIZATION, text, (value) => !isProse(value));
  yield* find(COOKIE, text);
  yield* findFields(text);
  yield* find(WORD, text, looksRandom);
}

function* find(pattern: RegExp, text: string, isSecret: (value: string) => boolean = () => true): Generator<Span> {
  for (const match of text.matchAll(pattern)) {
    const group = Math.max(0, match.slice(1).findIndex((each) => each !== undefined) + 1);
    const [start, end] = match.indices?.[group] ?? [0, 0];
    if (isSecret(match[group] ?? '')) yield { kind: 'secret', start, end };
  }
}

/** A block without an end was cut: all that may be of it is taken. */
function* findPrivateKeys(text: string): Generator<Span> {
  let end = 0;
  for (const { index: start, 0: begin } of text.matchAll(PRIVATE_KEY)) {
    if (start < end) continue;
    PRIVATE_KEY_BODY.lastIndex = start + begin.length;
    const body = PRIVATE_KEY_BODY.exec(text)?.[0] ?? '';
    const closing = PRIVATE_KEY_END.exec(body);
    end = start + begin.length + (closing ? closing.index + closing[0].length : body.length);
    yield { kind: 'secret', start, end };
  }
}

function* findFields(text: string): Generator<Span> {
  for (const match of FIELDS.flatMap((pattern) => [...text.matchAll(pattern)])) {
    const [, name = '', suffix = '', value = ''] = match;
    const [start, end] = match.indices?.[3] ?? [0, 0];
    if (NO_VALUE.test(value) || ABOUT_A_SECRET.test(suffix) || !fits(name, suffix, value)) continue;
    // "token: expired" is a sentence, "password: swordfish" had better be none.
    const isSentence = /:\s+$/.test(text.slice(start - 3, start)) && isProse(value);
    if (IS_PASSWORD.test(name) || !isSentence) yield { kind: 'secret', start, end };
  }
}

const IS_TOKEN = new RegExp(NAME_OF_TOKEN, 'i');
/** Shorter signatures are of errors, or of methods. */
const SHORTEST_SIGNATURE = 32;

/** Tokens are one word: the signature of a log line, say, is none. `tokens: 512` counts them, and pwd may be where one is. */
function fits(name: string, suffix: string, value: string): boolean {
  if (/^signature$/i.test(name) && value.length < SHORTEST_SIGNATURE) return false;
  if (/^pwd$/i.test(name) && value.startsWith('/')) return false;
  if (/tokens?$/i.test(name + suffix) && /^\d{1,9}$/.test(value)) return false;
  return !IS_TOKEN.test(name) || !/\s/.test(value);
}

function isProse(value: string): boolean {
  return /^[A-Za-z]?[a-z_-]*[.!?)]?$/.test(value);
}

/**
 * Upper and lower case and digits that take turns as often as chance would have it, which names made of words do not: there
 * a capital begins a word, and is not counted as a turn again where the word goes on. Paths are judged by their longest part.
 */
function looksRandom(text: string): boolean {
  const word = text.split('/').reduce((longest, part) => (part.length > longest.length ? part : longest), '');
  if (word.length < 16) return false;
  const counts = { upper: 0, lower: 0, digit: 0 };
  let turns = 0;
  let before: keyof typeof counts | undefined;
  for (const character of word) {
    const kind = kindOf(character);
    if (kind === undefined) continue;
    counts[kind]++;
    if (before !== undefined && before !== kind && !(before === 'upper' && kind === 'lower')) turns++;
    before = kind;
  }
  const characters = counts.upper + counts.lower + counts.digit;
  return counts.upper >= 2 && counts.lower >= 2 && counts.digit >= 1 && turns >= 0.28 * characters;
}

function kindOf(character: string): 'upper' | 'lower' | 'digit' | undefined {
  if (character >= 'a' && character <= 'z') return 'lower';
  if (character >= 'A' && character <= 'Z') return 'upper';
  return character >= '0' && character <= '9' ? 'digit' : undefined;
}
