/** Words of code and of telemetry made comparable: identifiers split at camelCase, snake_case and kebab-case, and kept whole. */

/** Keywords and filler of programming languages and log lines: they are in every diff and in every message. */
const FILLER = new Set(
  (
    'the and for with from into that this not are was has have had been were but its one two new old now any all none null nil true false ' +
    'func function return const let var def class struct interface type string int int32 int64 float bool byte bytes void public private ' +
    'static final import package export default async await case switch else break continue range make len err error errors failed failure ' +
    'fail request requests response value values data item items key keys name names get set add put run use using used self ctx context ' +
    'http https www com org net svc service services internal pkg src lib main app test tests func end start started begin info warn warning ' +
    'debug level msg message status code time date line lines file files path object list map array number count total per via before after ' +
    'than more less over under when while then does did done will would can could should must may max min user users client server handler ' +
    'handle method call calls called process processing handled completed served unavailable'
  ).split(' '),
);

const LONGEST_TEXT = 20_000;
const IDENTIFIER = /[A-Za-z_$][\w$-]{1,80}/g;
const PART = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g;

/** Lower-case parts of one identifier: `parseHTTPBody`, `parse_http-body` are both parse, http, body. */
export function partsOf(identifier: string): string[] {
  return (identifier.match(PART) ?? []).map((part) => part.toLowerCase());
}

/** The words of a text, fillers left out: every part of three letters or more, and every compound as `a_b`. At most 20 000 characters count. */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  for (const [identifier] of text.slice(0, LONGEST_TEXT).matchAll(IDENTIFIER)) {
    const parts = partsOf(identifier);
    for (const part of parts) {
      const word = stem(part);
      if (word.length > 2 && !FILLER.has(word) && !FILLER.has(part)) words.add(word);
    }
    if (parts.length > 1) words.add(parts.join('_'));
  }
  return words;
}

/** Plurals only: what more a stemmer does, it does to English, not to identifiers. */
function stem(word: string): string {
  if (word.length < 5 || !word.endsWith('s') || word.endsWith('ss') || word.endsWith('us')) return word;
  return word.endsWith('ies') ? `${word.slice(0, -3)}y` : word.slice(0, -1);
}

/** True for a compound such as `listProducts`, which two texts hardly share by chance. */
export function isCompound(word: string): boolean {
  return word.includes('_');
}

/** A text as plain lower-case words with single spaces, for patterns: `http.server_duration` is `http server duration`. */
export function plainWords(text: string): string {
  return text
    .slice(0, LONGEST_TEXT)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[_\-./:=]+/g, ' ')
    .toLowerCase();
}
