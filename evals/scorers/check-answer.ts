/** Holds an answer to what a right one says: figures in any unit people use, names in their order, honesty about what is not there. */
import type { Answer } from '../../domain/answer.ts';
import { writeAnswer } from '../../domain/write-answer.ts';
import type { Expectation, NumberExpectation, Quantity } from '../ask/ask-question.ts';

const WITHIN = 0.05;
const WINDOW_SLACK_MS = 60_000;

/**
 * @param vocabulary names of services and dependencies, for `first`
 * @param question as it was asked: what it names is no answer
 * @returns what is missing, as a person would say it; empty: nothing
 */
export function checkAnswer(
  answer: Answer,
  expectations: readonly Expectation[],
  { vocabulary, question, nowMs }: { vocabulary: readonly string[]; question: string; nowMs: number },
): string[] {
  const isEmptyWanted = expectations.some(({ kind }) => kind === 'empty');
  const isDeclineWanted = expectations.some(({ kind }) => kind === 'declines');
  const problems = expectations.flatMap((expectation) => {
    const problem = check(answer, expectation, { vocabulary, question, nowMs });
    return problem === undefined ? [] : [problem];
  });
  // Whoever is asked for figures and answers with none, however politely, has not answered.
  if (!isEmptyWanted && !isDeclineWanted && answer.kind !== 'answered') problems.unshift(`is ${answer.kind}`);
  return problems;
}

interface Circumstances {
  readonly vocabulary: readonly string[];
  readonly question: string;
  readonly nowMs: number;
}

function check(answer: Answer, expectation: Expectation, circumstances: Circumstances): string | undefined {
  const whole = said(answer, circumstances.nowMs);
  switch (expectation.kind) {
    case 'number':
      return checkNumber(whole, answer.text, expectation);
    case 'first':
      return checkFirst(answer.text, whole, expectation.name, circumstances);
    case 'says':
      return checkTexts(whole, expectation.all, expectation.none);
    case 'saysOne':
      return expectation.of.some((text) => holds(whole, text))
        ? undefined
        : `says none of ${expectation.of.slice(0, 3).join(', ')}`;
    case 'window':
      return checkWindow(answer, expectation);
    case 'declines':
      return answer.kind === 'declined' && answer.suggestions.length > 0
        ? undefined
        : `is ${answer.kind}, not declined with suggestions`;
    case 'empty':
      return answer.kind === 'empty' || isZero(answer) ? undefined : `is ${answer.kind}, and there is nothing`;
  }
}

function checkFirst(text: string, whole: string, wanted: string, { vocabulary, question }: Circumstances) {
  const named = firstNamed(text, vocabulary, question) ?? firstNamed(whole, vocabulary, question);
  return named === wanted ? undefined : `names ${named ?? 'nobody'} first, not ${wanted}`;
}

function checkTexts(whole: string, all: readonly string[], none: readonly string[] = []): string | undefined {
  const missing = all.find((text) => !holds(whole, text));
  if (missing !== undefined) return `does not say "${missing}"`;
  const foreign = none.find((text) => holds(whole, text));
  return foreign === undefined ? undefined : `says "${foreign}"`;
}

function checkWindow({ window }: Answer, wanted: { readonly startMs: number; readonly endMs: number }) {
  const { startMs = 0, endMs = 0 } = window ?? {};
  const isNear = (left: number, right: number) => Math.abs(left - right) <= WINDOW_SLACK_MS;
  return isNear(startMs, wanted.startMs) && isNear(endMs, wanted.endMs) ? undefined : 'is about another time';
}

/** Suggestions are no part of what is answered. */
function said(answer: Answer, nowMs: number): string {
  return writeAnswer({ ...answer, suggestions: [], understood: '' }, nowMs);
}

/** "0 errors in 0 requests" is as good as "nothing found". */
function isZero({ kind, text }: Answer): boolean {
  return kind === 'answered' && /^(?:no|none|nothing|0)\b/i.test(text);
}

function holds(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

function firstNamed(text: string, vocabulary: readonly string[], question: string): string | undefined {
  const asked = new Set(vocabulary.filter((name) => placeOf(question, name) !== undefined));
  const places = vocabulary
    .filter((name) => !asked.has(name))
    .flatMap((name) => {
      const at = placeOf(text, name);
      return at === undefined ? [] : [{ name, at }];
    })
    .sort((left, right) => left.at - right.at || right.name.length - left.name.length);
  return places[0]?.name;
}

function placeOf(text: string, name: string): number | undefined {
  const at = text.search(new RegExp(`(?<![\\w-])${name.replace(/[.*+?^$()|[\]{}\\]/g, '\\$&')}(?![\\w-])`, 'i'));
  return at < 0 ? undefined : at;
}

function checkNumber(whole: string, sentence: string, { quantity, value, within = WITHIN, of }: NumberExpectation) {
  const places =
    of === undefined
      ? [sentence]
      : whole
          .split('\n')
          .flatMap((line) => line.split('; '))
          .filter((line) => holds(line, of));
  const found = places.flatMap((place) => figuresIn(place, quantity));
  const margin = Math.abs(value) * within;
  if (found.some((figure) => Math.abs(figure - value) <= margin + 1e-9)) return undefined;
  const shown = found.slice(0, 4).map((figure) => figure.toPrecision(4));
  return `has ${shown.join(', ') || 'no figure'}${of === undefined ? '' : ` for ${of}`} instead of ${value.toPrecision(4)} (${quantity})`;
}

const FIGURE =
  /(?<![\w.:-])(<\s*)?(\d[\d,]*(?:\.\d+)?)(?:\s*(%|ms|min|s|h|KiB|MiB|GiB|B|\/s|\/min|per second|per minute|requests?\/s|req\/s|seconds?|milliseconds?|minutes?)(?![\w]))?/gi;

/** Times of day are no figures. */
const CLOCK = /\b\d{1,2}:\d{2}(?::\d{2})?\b/g;

const UNITS: Readonly<Record<Quantity, Readonly<Record<string, number>>>> = {
  count: { '': 1 },
  plain: { '': 1, '/s': 1 },
  perSecond: {
    '/s': 1,
    'per second': 1,
    'req/s': 1,
    'request/s': 1,
    'requests/s': 1,
    '/min': 1 / 60,
    'per minute': 1 / 60,
  },
  ratio: { '%': 0.01, '': 1 },
  duration: {
    ms: 1,
    milliseconds: 1,
    millisecond: 1,
    s: 1_000,
    seconds: 1_000,
    second: 1_000,
    min: 60_000,
    minutes: 60_000,
    minute: 60_000,
  },
  bytes: { '': 1, b: 1, kib: 1_024, mib: 1_024 ** 2, gib: 1_024 ** 3 },
};

/** Every number of the text with a unit of this quantity, in its base unit. */
function figuresIn(text: string, quantity: Quantity): number[] {
  return [...text.replace(CLOCK, ' ').matchAll(FIGURE)].flatMap(([, less, digits = '', unit = '']) => {
    const factor = UNITS[quantity][unit.toLowerCase()];
    if (factor === undefined) return [];
    const value = Number(digits.replaceAll(',', '')) * factor;
    // "< 0.1%" is a figure near nothing.
    return [less === undefined ? value : value / 2];
  });
}
