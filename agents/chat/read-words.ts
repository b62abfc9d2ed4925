/** Takes a question apart: quotations, numbers, names that telemetry knows, words of the vocabulary, and what is left over. */
import type { Names } from './names.ts';
import { type Concept, correctWord, isKnownWord, isSlip, isStopWord, meaningAt } from './vocabulary.ts';

export interface ReadWords {
  readonly concepts: ReadonlySet<Concept>;
  readonly services: readonly string[];
  readonly operation?: string | undefined;
  /** An exact name. */
  readonly metric?: string | undefined;
  /** Words that occur in names of metrics, and mean nothing else. */
  readonly metricWords: readonly string[];
  readonly pod?: string | undefined;
  /** Keys of attributes. */
  readonly attributes: readonly string[];
  readonly quoted: readonly string[];
  readonly traceId?: string | undefined;
  readonly limit?: number | undefined;
  readonly filters: readonly { readonly key: string; readonly value: string }[];
  readonly minDurationMs?: number | undefined;
  /** What was taken for something else than it says. */
  readonly corrections: readonly Correction[];
  /** What is no word of the vocabulary and no service, as it stands: the text to look for, where lines are asked for. */
  readonly looseWords: readonly LooseWord[];
  /** Content words that nothing knows, and the word before each. */
  readonly unknown: readonly LooseWord[];
  /** Whether the question begins with a word that goes on from an earlier one. */
  readonly goesOn: boolean;
}

const QUOTED = /"([^"]{1,500})"|`([^`]{1,500})`|(?<![\w])'([^']{2,500})'(?!\w)/g;
const TRACE_ID = /\b[0-9a-f]{32}\b/i;
const LIMIT =
  /\b(?:top|first|last|show|the|worst|newest|latest)\s+(\d{1,3})\b(?!\s*(?:%|st\b|th\b))|\b(\d{1,3})\s+(?=(?:slowest|fastest|busiest|worst|most|newest|latest|last|services|logs?|lines|traces|examples)\b)/i;
/** "slower than 2s", "over 500 ms" */
const AT_LEAST =
  /\b(?:(?:slower|longer|more|greater) than|over|above|exceeding|at least)\s+(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?)\b/i;
/** Stands in the text where a name was. */
const NAME = '\u0001';
const SERVICE_SUFFIX = /[-_.]?(?:service|svc|srv|server|api|app)$/;

/** @param text without its time */
export function readWords(text: string, names: Names): ReadWords {
  const quoted: string[] = [];
  let rest = text.replace(QUOTED, (_, ...groups: (string | undefined)[]) => {
    quoted.push(groups.slice(0, 3).find((group) => group !== undefined) ?? '');
    return ' , ';
  });
  const traceId = TRACE_ID.exec(rest)?.[0].toLowerCase();
  if (traceId !== undefined) rest = rest.replace(TRACE_ID, NAME);
  const atLeast = AT_LEAST.exec(rest);
  if (atLeast) rest = rest.replace(AT_LEAST, ' , ');
  const limitMatch = LIMIT.exec(rest);
  const limit = limitMatch ? Number(limitMatch[1] ?? limitMatch[2]) : undefined;
  if (limitMatch) rest = rest.replace(limitMatch[0], limitMatch[0].replace(/\d+/, ' '));

  const found = findNames(rest, quoted, names);
  const { tokens, corrections } = correctTokens(tokensOf(withDirection(found.rest)), names);
  const reading = readTokens(tokens, names, corrections);
  return {
    ...reading,
    corrections,
    services: inOrder([...found.services, ...reading.services], text),
    operation: found.operation,
    metric: found.metric,
    attributes: [...new Set([...found.attributes, ...reading.attributes])],
    quoted: quoted.filter((one) => !found.usedQuotes.has(one)),
    traceId,
    limit,
    filters: found.filters,
    minDurationMs: atLeast ? Number(atLeast[1]) * (atLeast[2]?.startsWith('m') ? 1 : 1_000) : undefined,
  };
}

/** Names that consist of more than a word, and services: found in the text as a whole, the longest first. */
function findNames(text: string, quoted: readonly string[], names: Names) {
  let rest = ` ${text} `;
  const usedQuotes = new Set<string>();
  const take = (name: string): boolean => {
    const quote = quoted.find((one) => one.toLowerCase() === name.toLowerCase());
    if (quote !== undefined) {
      usedQuotes.add(quote);
      return true;
    }
    const at = findWhole(rest, name);
    if (at === undefined) return false;
    rest = `${rest.slice(0, at)} ${NAME} ${rest.slice(at + name.length)}`;
    return true;
  };
  // A value that is also a word of questions ("error", "new") is that word.
  const isValueHere = ({ value }: { value: string }) => !isKnownWord(value.toLowerCase()) && take(value);
  const operation = longestFirst(names.operations.map((one) => one.operation).filter((one) => /\W/.test(one))).find(
    take,
  );
  const metric = longestFirst(names.metrics.map((one) => one.metric).filter((one) => /[._]/.test(one))).find(take);
  const services = longestFirst(names.services.filter((name) => !isVerbHere(rest, name))).filter(take);
  const attributes = longestFirst(names.attributes.filter((one) => /[._]/.test(one))).filter(take);
  const filters = [...names.values].sort((left, right) => right.value.length - left.value.length).filter(isValueHere);
  const shortOperation = operation ?? findShortOperation(rest, names);
  if (operation === undefined && shortOperation !== undefined) take(lastSegment(shortOperation));
  return { rest, operation: shortOperation, metric, services, attributes, filters, usedQuotes };
}

/** `CreateOrder` of `shop.order.v1.Order/CreateOrder`: unmistakable, although a part only. */
function findShortOperation(text: string, names: Names): string | undefined {
  const candidates = names.operations.filter(({ operation }) => /^[A-Z]\w{4,}$/.test(lastSegment(operation)));
  return candidates.find(({ operation }) => findWhole(text, lastSegment(operation)) !== undefined)?.operation;
}

function lastSegment(operation: string): string {
  return operation.slice(operation.lastIndexOf('/') + 1);
}

function longestFirst(names: readonly string[]): string[] {
  return [...new Set(names)].sort((left, right) => right.length - left.length || (left < right ? -1 : 1));
}

/** Where the name stands as a whole, in any case. */
function findWhole(text: string, name: string): number | undefined {
  const lower = text.toLowerCase();
  const wanted = name.toLowerCase();
  for (let at = lower.indexOf(wanted); at >= 0 && wanted !== ''; at = lower.indexOf(wanted, at + 1)) {
    if (!/[\w-]/.test(lower[at - 1] ?? ' ') && !/[\w-]/.test(lower[at + wanted.length] ?? ' ')) return at;
  }
  return undefined;
}

/** "search the logs for" and "order by" mean no service of that name. */
function isVerbHere(text: string, name: string): boolean {
  const verbs: Readonly<Record<string, RegExp>> = {
    search: /^\s*search\s+(?:the\s+)?(?:logs?|lines|traces?|for|in)\b/i,
    order: /(?<!\b(?:of|for|in|on|by|does)\s+)\border(?:ed)?\s+by\b/i,
  };
  return verbs[name.toLowerCase()]?.test(text) ?? false;
}

/** "What does web call" asks for those it calls, "services that call web" for those that call it. */
function withDirection(text: string): string {
  return text
    .replace(new RegExp(`(?:calls?\\s+)?does\\s+${NAME}\\s+(?:call|make|use)s?\\b`, 'i'), ` ${NAME} depends on `)
    .replace(new RegExp(`\\b(?:services?|who|what|that)\\s+calls?\\s+${NAME}`, 'i'), ` callers ${NAME} `);
}

function tokensOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[’]/g, "'")
    .replace(/\b(what|who|where|how|that|it)'s\b/g, '$1 is')
    .replace(/[?!;:()[\]{}]|[.,](?=\s|$)/g, ' , ')
    .split(/\s+/)
    .filter((token) => token !== '');
}

/** A word, and the one before it. */
export interface LooseWord {
  readonly word: string;
  readonly before: string;
}

interface Correction {
  readonly typed: string;
  readonly meant: string;
}

/** As they stand in the text; those that stand otherwise than they are named come last. */
function inOrder(services: readonly string[], text: string): string[] {
  const placeOf = (service: string) => findWhole(text, service) ?? text.length;
  return [...new Set(services)].sort((left, right) => placeOf(left) - placeOf(right));
}

/** Words that nothing knows, as what they were probably meant to be: a service first, then a word of the vocabulary. */
function correctTokens(typed: readonly string[], names: Names) {
  const corrections: Correction[] = [];
  const tokens = typed.map((token, index) => {
    const isKnown = token === NAME || isKnownWord(token) || /\d/.test(token) || matchesMetric(token, names);
    if (isKnown || findAttribute(token, typed[index - 1] ?? '', names) !== undefined) return token;
    const isNamePlace = BEFORE_NAME.has(typed[index - 1] ?? '');
    // "cart" after "of" is a service that is not there, and no "chart" with a slip.
    const meant = findService(token, names) ?? (isNamePlace ? undefined : correctWord(token));
    if (meant === undefined) return token;
    corrections.push({ typed: token, meant });
    return meant;
  });
  return { tokens, corrections };
}

/** The one service that a word means without naming it exactly: `auth` for `auth-service`, a slip of the finger. */
function findService(token: string, names: Names): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(SERVICE_SUFFIX, '').replace(/[-_.]/g, '');
  const only = (found: readonly string[]) => (found.length === 1 ? found[0] : undefined);
  return (
    only(names.services.filter((name) => plain(name) === plain(token) && plain(token) !== '')) ??
    only(names.services.filter((name) => isSlip(token, name.toLowerCase())))
  );
}

/** A name comes after these. */
export const BEFORE_NAME: ReadonlySet<string> = new Set(
  'of for in on from to does do is at did and calls call by the'.split(' '),
);

/** What one word, or one phrase, turned out to be. */
type TokenReading = { readonly words: number } & (
  | { readonly kind: 'nothing' }
  | { readonly kind: 'concept'; readonly concept: Concept }
  | { readonly kind: 'attribute' | 'service' | 'pod'; readonly name: string }
  | ({ readonly kind: 'metric' | 'unknown' } & LooseWord)
);

function readTokens(tokens: readonly string[], names: Names, corrections: readonly Correction[]) {
  const meant = new Set(corrections.map((correction) => correction.meant));
  const readings: TokenReading[] = [];
  for (let index = 0; index < tokens.length; index += readings.at(-1)?.words ?? 1) {
    readings.push(readToken(tokens, index, names, meant));
  }
  const concepts = readings.flatMap((one) => (one.kind === 'concept' ? one.concept : []));
  const namesOf = (kind: TokenReading['kind']) =>
    readings.flatMap((one) => (one.kind === kind && 'name' in one ? one.name : []));
  return {
    concepts: new Set(concepts),
    services: namesOf('service'),
    attributes: namesOf('attribute'),
    metricWords: readings.flatMap((one) => (one.kind === 'metric' ? one.word : [])),
    pod: namesOf('pod')[0],
    looseWords: readings.flatMap((one) => ('before' in one ? { word: one.word, before: one.before } : [])),
    unknown: readings.flatMap((one) => (one.kind === 'unknown' ? { word: one.word, before: one.before } : [])),
    goesOn: meaningAt(tokens, 0)?.concept === 'again',
  };
}

function readToken(tokens: readonly string[], index: number, names: Names, meant: ReadonlySet<string>): TokenReading {
  const [token = '', before = ''] = [tokens[index], tokens[index - 1]];
  const meaning = meaningAt(tokens, index);
  const attribute = meaning && meaning.words > 1 ? undefined : findAttribute(token, before, names);
  if (attribute !== undefined) return { kind: 'attribute', words: 1, name: attribute };
  if (meaning) return { kind: 'concept', ...meaning };
  // Only what was corrected: a service that is named as it is was found before, and "search" here is a verb.
  if (meant.has(token) && names.services.includes(token)) return { kind: 'service', words: 1, name: token };
  if (token === NAME || isStopWord(token)) return { kind: 'nothing', words: 1 };
  if (matchesMetric(token, names)) return { kind: 'metric', words: 1, word: token, before };
  const isPod = /\d/.test(token) && names.services.some((name) => token.startsWith(`${name.toLowerCase()}-`));
  if (isPod) return { kind: 'pod', words: 1, name: token };
  return { kind: 'unknown', words: 1, word: token, before };
}

/** After these, a word asks for a list by it. */
const LISTING: ReadonlySet<string> = new Set(
  'by per which what each every other across top worst distinct unique different many'.split(' '),
);

/** "region" is `region`, "customers" is `customer.id`, "tier" is `tenant.tier`. */
function findAttribute(token: string, before: string, names: Names): string | undefined {
  const wanted = [token, singular(token)];
  // Words of the vocabulary are attributes only where a list is asked by them.
  if (meaningAt([token], 0) && !LISTING.has(before)) return undefined;
  if (meaningAt([token], 0) && !/^(?:customers?|users?|tenants?|clients?)$/.test(token)) return undefined;
  const exact = names.attributes.find((key) => wanted.includes(key.toLowerCase()));
  const byEnd = names.attributes.find((key) => wanted.includes(key.toLowerCase().split('.').at(-1) ?? ''));
  const byBegin = names.attributes.find(
    (key) =>
      /\.(?:id|name)$/.test(key) &&
      key
        .toLowerCase()
        .split('.')
        .slice(0, -1)
        .some((part) => wanted.includes(part)),
  );
  const byPart = names.attributes.find((key) =>
    key
      .toLowerCase()
      .split(/[._]/)
      .some((part) => wanted.includes(part)),
  );
  return exact ?? byBegin ?? byEnd ?? byPart;
}

export function singular(word: string): string {
  return word.replace(/ies$/, 'y').replace(/(?<=[^s])s$/, '');
}

function matchesMetric(token: string, names: Names): boolean {
  return names.metrics.some(({ metric }) => wordsOfMetric(metric).includes(singular(token)));
}

/** `db.client.connection.pending_requests` as singular words. */
export function wordsOfMetric(metric: string): string[] {
  return metric
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map(singular);
}
