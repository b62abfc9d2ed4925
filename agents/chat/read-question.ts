/**
 * Understands a question without a language model: its time, names and words decide the topic, and words that nothing knows decide
 * whether it was understood at all. A pure function of the text and the names.
 */
import type { ChangeKind } from '../../domain/change.ts';
import type { Measure } from '../../domain/telemetry-query.ts';
import { durationMs, type TimeWindow } from '../../domain/time-window.ts';
import { leftOutOf } from './left-out.ts';
import type { Names } from './names.ts';
import type { AskedTime, Question, Topic } from './question.ts';
import { BEFORE_NAME, type LooseWord, type ReadWords, readWords, singular } from './read-words.ts';
import type { Concept } from './vocabulary.ts';

export type ReadQuestion =
  | { readonly kind: 'question'; readonly question: Question; readonly notes: readonly string[] }
  /** A name that telemetry does not know: the question is clear, and has no answer. */
  | { readonly kind: 'unknown-name'; readonly name: string; readonly time: AskedTime }
  /** `reasons` are sentences; `words` nobody knows. */
  | { readonly kind: 'not-understood'; readonly words: readonly string[]; readonly reasons: readonly string[] }
  /** It asks to have something done. */
  | { readonly kind: 'action' };

const MINUTE_MS = 60_000;
const USUAL_MS = 15 * MINUTE_MS;
const DAY_MS = 86_400_000;
/** Changes are few, and cause what comes hours later. */
const USUAL_MS_OF: Readonly<Partial<Record<Topic, number>>> = {
  changes: DAY_MS,
  versions: DAY_MS,
  why: 60 * MINUTE_MS,
};

/** Words that only say "requests": without another they ask for nothing in particular. */
const EMPTY_CONCEPTS: ReadonlySet<Concept> = new Set([
  'which',
  'request',
  'again',
  'group:service',
  'who',
  'containing',
  'new',
]);

/**
 * @param time read before the names were, because names are those of that time (read-time.ts)
 * @param text without that time
 * @param previous the question before in this conversation
 */
export function readQuestion(
  text: string,
  time: AskedTime | undefined,
  names: Names,
  nowMs: number,
  previous?: Question,
): ReadQuestion {
  const words = readWords(text, names);
  const [firstConcept] = [...words.concepts].filter((concept) => concept !== 'again');
  if (firstConcept === 'action') return { kind: 'action' };
  const own = hasOwnTopic(words) ? chooseTopic(words, time) : undefined;
  const isFollowUp = previous !== undefined && (words.goesOn || own === undefined);
  const topic = own ?? (isFollowUp ? previous.topic : chooseTopic(words, time));
  const unknown = unknownTo(topic, words);
  const unread = reasonsAgainst(topic, words, time);
  if (topic === undefined || unread.length > 0 || isMostlyUnknown(unknown, words)) {
    return { kind: 'not-understood', words: words.looseWords.map(({ word }) => word), reasons: unread };
  }
  const asked = time ?? (isFollowUp ? previous.time : usualTime(topic, nowMs));
  const unknownName = words.unknown.concat(unknown).find(({ before }) => BEFORE_NAME.has(before));
  if (unknownName && !(isSearch(topic) && unknownName.before === 'for'))
    return { kind: 'unknown-name', name: unknownName.word, time: asked };
  const read = fillQuestion(topic, words, asked);
  const question = isFollowUp ? goOn(previous, read, words) : read;
  return { kind: 'question', question, notes: [...notesOf(words, unknown), ...leftOutOf(question)] };
}

const isSearch = (topic: Topic | undefined): boolean => topic === 'logs' || topic === 'log-counts';

/** What turns a question into another one when it is left out: exceptions, days that were not understood, and nothing but thanks. */
function reasonsAgainst(topic: Topic | undefined, words: ReadWords, time: AskedTime | undefined): string[] {
  const { concepts, services, operation, attributes, filters, limit } = words;
  const isNegated = concepts.has('negation') && topic !== 'why';
  const names = services.length + attributes.length + filters.length;
  const said = [...concepts].filter((concept) => concept !== 'again' && concept !== 'thanks');
  const isNothing = said.length + names === 0 && operation === undefined && limit === undefined && time === undefined;
  const isEmpty = isNothing && words.looseWords.length === 0 && words.quoted.length === 0;
  return [
    ...(isNegated
      ? ['I cannot answer what leaves something out or sets a bar (not, without, except, more than).']
      : []),
    ...(concepts.has('unread-time')
      ? ['I did not understand the time: write since 10:30, yesterday at 10:30 or 2026-01-31 10:30 (UTC).']
      : []),
    ...(isEmpty ? ['It asks for nothing.'] : []),
  ];
}

function hasOwnTopic({ concepts, metric, metricWords, traceId }: ReadWords): boolean {
  const own = [...concepts].filter((concept) => !EMPTY_CONCEPTS.has(concept) && !isGrouping(concept));
  return own.length > 0 || metric !== undefined || metricWords.length > 0 || traceId !== undefined;
}

function isGrouping(concept: Concept): boolean {
  return concept.startsWith('group:') || concept === 'each' || concept === 'over-time' || concept === 'by-minute';
}

/** Words that the answer will not respect: names of metrics, too, where no metric is asked for; none, where they are searched for. */
function unknownTo(topic: Topic | undefined, { looseWords, unknown, quoted }: ReadWords): readonly LooseWord[] {
  if (isSearch(topic)) return [];
  // Somebody's own words in quotes are a name, where they are no text to look for.
  const quotedNames = quoted.map((word) => ({ word, before: 'of' }));
  return [...(topic === 'metric' ? unknown : looseWords), ...quotedNames];
}

/** One word in a long question may be left out and named; more, and another question would be answered than was asked. */
function isMostlyUnknown(unknown: readonly LooseWord[], { concepts, services }: ReadWords): boolean {
  return unknown.length > 1 || (unknown.length === 1 && concepts.size + services.length === 0);
}

function notesOf({ corrections }: ReadWords, unknown: readonly LooseWord[]): string[] {
  return [
    ...corrections.map(({ typed, meant }) => `"${typed}" was read as ${meant}.`),
    ...unknown.map(({ word }) => `"${word}" was not understood and left out.`),
  ];
}

type Rule = readonly [
  topic: Topic,
  when: (has: (...any: Concept[]) => boolean, words: ReadWords, time?: AskedTime) => boolean,
];

const OF_REQUESTS: readonly Concept[] = [
  'measure:rate',
  'measure:count',
  'measure:errors',
  'measure:errorRatio',
  'measure:average',
  'measure:p50',
  'measure:p90',
  'measure:p95',
  'measure:p99',
  'measure:max',
  'measure:min',
  'latency',
  'slowest',
  'fastest',
  'how-many',
  'health',
  'most',
  'least',
];

const NOT_OF_METRICS: readonly Concept[] = ['latency', 'slowest', 'measure:errors', 'measure:errorRatio'];

/** In this order: the first that holds. */
const RULES: readonly Rule[] = [
  ['trace', (_, { traceId }) => traceId !== undefined],
  [
    'why',
    (has, words) =>
      has('why') &&
      !has('kind:deploy', 'kind:commit', 'kind:flag', 'kind:config', 'deployed', 'metrics') &&
      !isOrigin(has, words),
  ],
  ['error-origins', (has, words) => isOrigin(has, words)],
  ['callers', (has, { services }) => has('callers') && services.length > 0],
  ['callees', (has, { services }) => has('callees') && services.length > 0],
  ['metric-names', (has, words) => has('metrics') && !has('shift', 'changes', 'compare') && !hasMetric(words)],
  ['metric-shifts', (has, words) => has('metrics') && has('shift', 'changes', 'compare') && !hasMetric(words)],
  ['shifts', (has) => has('shift') || (has('changes', 'slower') && has('group:operation') && !has('deployed'))],
  ['log-patterns', (has) => has('new') && has('logs', 'log-line', 'measure:errors', 'warnings')],
  ['log-kinds', (has) => has('common') && has('logs', 'log-line', 'measure:errors', 'warnings')],
  [
    'distinct',
    (has, { attributes }) =>
      has('how-many', 'distinct') &&
      !has('each') &&
      (attributes.length > 0 || has('group:service', 'group:pod', 'group:operation')) &&
      !has('request', 'traces', 'logs', 'log-line'),
  ],
  [
    'log-counts',
    (has) =>
      has('logs', 'log-line', 'warnings') &&
      has('how-many', 'most', 'least', 'measure:rate', 'over-time', 'by-minute', 'each', 'measure:count'),
  ],
  ['logs', (has, { quoted }) => has('logs', 'log-line', 'warnings') || (quoted.length > 0 && has('containing'))],
  [
    'versions',
    (has, { services }) =>
      has('running', 'group:version') &&
      !has(...OF_REQUESTS, 'kind:deploy', 'deployed', 'changes') &&
      (services.length > 0 || has('which')),
  ],
  ['metric', (has, words) => hasMetric(words) && !has(...NOT_OF_METRICS)],
  ['comparison', (has) => has('slower') || (has('since-deploy') && has(...OF_REQUESTS))],
  [
    'changes',
    (has) => has('kind:deploy', 'kind:commit', 'kind:flag', 'kind:config', 'kind:infrastructure', 'deployed'),
  ],
  [
    'traces',
    (has) =>
      has('traces', 'example') ||
      (has('slowest', 'latency', 'measure:errors') &&
        has('request') &&
        !has(
          'how-many',
          'group:service',
          'group:operation',
          'each',
          'measure:errorRatio',
          'measure:p95',
          'measure:rate',
          'most',
        ) &&
        has('slowest')),
  ],
  [
    'affected',
    (has, { attributes }) =>
      (has('affected') && (has('who', 'which', 'measure:errors', 'latency') || attributes.length > 0)) ||
      (has('who') && has('measure:errors', 'slowest', 'latency')),
  ],
  [
    'comparison',
    (has, words, time) => has('slower') || time?.baseline !== undefined || (has('compare') && !isBetweenPlaces(words)),
  ],
  ['changes', (has) => has('changes')],
  ['requests', (has) => has(...OF_REQUESTS, 'compare')],
  ['requests', (has, { services, operation }) => (services.length > 0 || operation !== undefined) && !has('action')],
  ['requests', (has) => has('group:service', 'group:operation')],
];

const isOrigin = (has: (...any: Concept[]) => boolean, _: ReadWords): boolean => has('origin') && has('measure:errors');

/** Of several services, or of several values of one attribute: they are compared with each other, and not with the time before. */
const isBetweenPlaces = ({ services, filters }: ReadWords): boolean =>
  services.length > 1 || new Set(filters.map(({ key }) => key)).size < filters.length;

function hasMetric({ metric, metricWords }: ReadWords): boolean {
  return metric !== undefined || metricWords.length > 0;
}

function chooseTopic(words: ReadWords, time: AskedTime | undefined): Topic | undefined {
  const has = (...any: Concept[]) => any.some((concept) => words.concepts.has(concept));
  return RULES.find(([, when]) => when(has, words, time))?.[0];
}

export function usualTime(topic: Topic, nowMs: number): AskedTime {
  // On a whole minute, so that steps of time begin on one.
  const startMs = Math.floor((nowMs - (USUAL_MS_OF[topic] ?? USUAL_MS)) / MINUTE_MS) * MINUTE_MS;
  return { window: { startMs: Math.max(0, startMs), endMs: nowMs }, said: '' };
}

function fillQuestion(topic: Topic, words: ReadWords, time: AskedTime): Question {
  const { concepts, services, operation, metric, metricWords, pod, quoted, traceId, limit } = words;
  const has = (concept: Concept) => concepts.has(concept);
  const by = groupingOf(topic, words);
  return {
    topic,
    measures: measuresOf(words),
    services,
    operation,
    metric,
    metricWords,
    pod,
    by,
    stepSeconds: stepOf(words, time.window),
    order: has('least') || has('fastest') ? 'least' : 'most',
    limit,
    // "How many are affected" counts those that failed.
    failing: has('measure:errors') || has('measure:errorRatio') || (topic === 'distinct' && has('affected')),
    severity: severityOf(words),
    text: quoted[0] ?? (topic === 'logs' || topic === 'log-counts' ? looseText(words) : undefined),
    traceId,
    // "And every other region" is no condition on the region.
    filters: words.filters.filter(({ key }) => !(has('each') && by.includes(`attribute.${key}`))),
    minDurationMs: words.minDurationMs,
    kinds: kindsOf(words),
    time,
  };
}

/** "Was anything deployed" asks for deploys; "what changed" for every kind. */
function kindsOf({ concepts }: ReadWords): ChangeKind[] {
  const named = [...concepts].flatMap((concept) =>
    concept.startsWith('kind:') ? (concept.slice('kind:'.length) as ChangeKind) : [],
  );
  return named.length === 0 && (concepts.has('deployed') || concepts.has('since-deploy')) ? ['deploy'] : named;
}

/** "logs about connection refused": what is left over is what to look for. */
function looseText({ looseWords }: ReadWords): string | undefined {
  return looseWords.length > 0 ? looseWords.map(({ word }) => singular(word)).join(' ') : undefined;
}

function measuresOf({ concepts }: ReadWords): Measure[] {
  const named = [...concepts].flatMap((concept) =>
    concept.startsWith('measure:') ? (concept.slice('measure:'.length) as Measure) : [],
  );
  const isSlow =
    ['latency', 'slowest', 'fastest'].some((one) => concepts.has(one as Concept)) ||
    // An error rate that went up is no duration.
    (concepts.has('slower') && named.length === 0);
  const isTimed = named.some((measure) => !['rate', 'count', 'errors', 'errorRatio'].includes(measure));
  const latency: Measure[] = isSlow && !isTimed ? ['p95'] : [];
  const counted: Measure[] = concepts.has('how-many') && named.length + latency.length === 0 ? ['count'] : [];
  // "Busiest" names no measure, and "failing how often" names two.
  const busiest: Measure[] =
    named.length + latency.length + counted.length === 0 && concepts.has('most') ? ['rate'] : [];
  const measures = [...named, ...latency, ...counted, ...busiest];
  const isRatio = concepts.has('measure:errorRatio') || (concepts.has('share') && concepts.has('measure:errors'));
  return isRatio
    ? ['errorRatio', ...measures.filter((one) => !['errorRatio', 'errors', 'rate'].includes(one))]
    : measures;
}

function severityOf({ concepts }: ReadWords): 'error' | 'warn' | undefined {
  if (concepts.has('measure:errors')) return 'error';
  return concepts.has('warnings') ? 'warn' : undefined;
}

function groupingOf(topic: Topic, { concepts, services, operation, attributes, filters }: ReadWords): string[] {
  const asked = (['service', 'operation', 'pod', 'version', 'severity'] as const).filter((field) =>
    concepts.has(`group:${field}`),
  );
  const listed = ['which', 'each', 'most', 'least', 'slowest', 'fastest', 'how-many', 'compare', 'measure:errors'].some(
    (one) => concepts.has(one as Concept),
  );
  const fields: string[] = asked.filter((field) => listed || field !== 'service');
  // "For region us-east" names one value, and asks for no list; "and every other region" asks for one.
  const comparedKeys = filters.map(({ key }) => key).filter((key, index, all) => all.indexOf(key) !== index);
  const listedKeys = [...comparedKeys, ...attributes].filter(
    (key) => concepts.has('each') || comparedKeys.includes(key) || !filters.some((filter) => filter.key === key),
  );
  const keys = listedKeys.map((key) => `attribute.${key}`);
  if (services.length > 1) fields.unshift('service');
  // "Most errors" without a name asks whose they are.
  const isRanking = ['most', 'least', 'slowest', 'fastest'].some((one) => concepts.has(one as Concept));
  if (fields.length + keys.length === 0 && isRanking && topic !== 'metric') {
    if (services.length === 0 && operation === undefined) fields.push('service');
    else if (topic === 'requests' && operation === undefined) fields.push('operation');
  }
  return [...new Set([...fields, ...keys])].slice(0, 2);
}

const MINUTE_SECONDS = 60;

function stepOf({ concepts }: ReadWords, window: TimeWindow): number | undefined {
  const isLong = durationMs(window) > 2 * 3_600_000;
  if (concepts.has('by-minute')) return MINUTE_SECONDS;
  return concepts.has('over-time') ? (isLong ? 600 : MINUTE_SECONDS) : undefined;
}

/** What the new question says replaces what the one before said; the rest stays, and of another topic its place and time. */
function goOn(previous: Question, read: Question, { concepts }: ReadWords): Question {
  // Of another service neither operation, pod nor values are kept.
  const kept: Question =
    read.services.length > 0
      ? { ...previous, services: read.services, operation: undefined, pod: undefined, filters: [] }
      : previous;
  const place = {
    services: kept.services,
    operation: read.operation ?? kept.operation,
    pod: read.pod ?? kept.pod,
    filters: said(read.filters, kept.filters),
  };
  if (read.topic !== previous.topic) return { ...read, ...place };
  const isOtherMetric = read.metric !== undefined || read.metricWords.length > 0;
  return {
    ...kept,
    ...place,
    ...(isOtherMetric ? { metric: read.metric, metricWords: read.metricWords } : {}),
    measures: said(read.measures, kept.measures),
    by: said(read.by, kept.by),
    kinds: said(read.kinds, kept.kinds),
    stepSeconds: read.stepSeconds ?? kept.stepSeconds,
    limit: read.limit ?? kept.limit,
    minDurationMs: read.minDurationMs ?? kept.minDurationMs,
    text: read.text ?? kept.text,
    failing: read.failing || kept.failing,
    severity: read.severity ?? kept.severity,
    order: concepts.has('least') || concepts.has('most') ? read.order : kept.order,
    time: read.time,
  };
}

function said<Value>(now: readonly Value[], before: readonly Value[]): readonly Value[] {
  return now.length > 0 ? now : before;
}
