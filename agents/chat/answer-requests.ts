/** Answers questions about requests: how many, how fast, how many failed, whose, over time. */
import type { AnswerTable } from '../../domain/answer.ts';
import { formatQuantity, type Quantity } from '../../domain/quantity.ts';
import type { Condition, Measure } from '../../domain/telemetry-query.ts';
import { getFigures } from '../../tools/read/get-figures.ts';
import { readableStepSeconds } from '../../tools/steps.ts';
import { type Asking, listOf, nothingThere, placeOf, type Said, tableOf } from './asking.ts';
import { chartOf } from './chart.ts';
import type { Question } from './question.ts';

export const MEASURE_WORDS: Readonly<Record<Measure, { readonly words: string; readonly quantity: Quantity }>> = {
  count: { words: 'requests', quantity: 'count' },
  rate: { words: 'request rate', quantity: 'rate' },
  errors: { words: 'errors', quantity: 'count' },
  errorRatio: { words: 'error rate', quantity: 'ratio' },
  average: { words: 'average duration', quantity: 'duration' },
  p50: { words: 'p50', quantity: 'duration' },
  p90: { words: 'p90', quantity: 'duration' },
  p95: { words: 'p95', quantity: 'duration' },
  p99: { words: 'p99', quantity: 'duration' },
  min: { words: 'shortest duration', quantity: 'duration' },
  max: { words: 'longest duration', quantity: 'duration' },
};

/** What somebody who asks how something is doing wants to know. */
const OVERVIEW: readonly Measure[] = ['rate', 'errorRatio', 'p50', 'p95', 'p99', 'errors'];
const MAX_MEASURES = 6;
const MAX_GROUPS = 500;
const STEP_SECONDS = 10;

type Group = Awaited<ReturnType<typeof figuresOf>>['groups'][number];

export async function answerRequests(asking: Asking): Promise<Said> {
  const { question } = asking;
  if (question.stepSeconds !== undefined) return answerOverTime(asking, question.stepSeconds);
  const isOverview = question.measures.length === 0;
  const groups = question.by;
  return groups.length > 0 || isOfEverybody(question) ? answerByGroup(asking) : answerOne(asking, isOverview);
}

/** "Any errors?" without a name is a list of services, not a sum over callers and callees. */
function isOfEverybody({ services, operation }: Question): boolean {
  return services.length === 0 && operation === undefined;
}

/** What a question's requests have in common. */
export function conditionsOf({ services, operation, pod, filters, minDurationMs }: Question): Condition[] {
  const equal = (field: string, value: string | undefined): Condition[] =>
    value === undefined ? [] : [{ field, is: 'equal', value }];
  return [
    ...ofServices(services),
    ...equal('operation', operation),
    ...equal('pod', pod),
    ...Object.entries(Object.groupBy(filters, ({ key }) => key)).map(
      ([key, same = []]): Condition => ({
        field: `attribute.${key}`,
        is: 'oneOf',
        value: same.map(({ value }) => value),
      }),
    ),
    ...(minDurationMs === undefined ? [] : [{ field: 'durationMs', is: 'atLeast' as const, value: minDurationMs }]),
  ];
}

export function ofServices(services: readonly string[]): Condition[] {
  return services.length === 0 ? [] : [{ field: 'service', is: 'oneOf', value: [...services] }];
}

function figuresOf(
  { question, run }: Asking,
  measures: readonly Measure[],
  more: { by?: readonly string[]; stepSeconds?: number; order?: 'most' | 'least' } = {},
) {
  return run(getFigures, {
    from: 'requests',
    measures: [...new Set([...measures, 'count' as const])].slice(0, MAX_MEASURES),
    where: conditionsOf(question),
    window: question.time.window,
    limit: MAX_GROUPS,
    ...more,
    by: [...(more.by ?? [])],
  });
}

async function answerOne(asking: Asking, isOverview: boolean): Promise<Said> {
  const { question } = asking;
  const measures = isOverview ? OVERVIEW.slice(0, 5) : question.measures;
  const asked = withContext(measures);
  const { groups } = await figuresOf(asking, asked);
  const [group] = groups;
  const place = placeOf(question);
  if (!group || group.items === 0) return nothingThere(asking, `no requests to ${place}`);
  const said = (measure: Measure) => say(measure, group.figures[asked.indexOf(measure)] ?? null);
  const requests = formatQuantity('count', group.items);
  const text = isOverview
    ? `${place}: ${asked.slice(0, 5).map(said).join(', ')} (${requests} requests).`
    : `${place}: ${measures.map(said).join(', ')}${remark(measures, asked, group)}.`;
  return { kind: 'answered', text, chart: await chartOfMeasure(asking, measures[0] ?? 'rate') };
}

/** An error count without the requests it is of, or a rate without its count, tells half. */
function withContext(measures: readonly Measure[]): Measure[] {
  const context: Measure[] =
    measures.includes('errors') || measures.includes('errorRatio') ? ['errors', 'errorRatio'] : [];
  return [...new Set([...measures, ...context, 'count' as const])].slice(0, MAX_MEASURES);
}

function remark(measures: readonly Measure[], asked: readonly Measure[], group: Group): string {
  const rest = asked.filter((measure) => !measures.includes(measure));
  const words = rest.map((measure) => say(measure, group.figures[asked.indexOf(measure)] ?? null));
  return words.length > 0 ? ` (${words.join(', ')})` : '';
}

/** `p95 247 ms`, `63 errors` */
function say(measure: Measure, value: number | null): string {
  const { words, quantity } = MEASURE_WORDS[measure];
  const figure = formatQuantity(quantity, value);
  return quantity === 'count' ? `${figure} ${words}` : `${words} ${figure}`;
}

async function answerByGroup(asking: Asking): Promise<Said> {
  const { question } = asking;
  const by = question.by.length > 0 ? question.by : ['service'];
  const asked = question.measures.length > 0 ? withContext(question.measures) : OVERVIEW;
  const { groups, totalRows } = await figuresOf(asking, asked, { by, order: question.order });
  const wanted = groups.filter((group) => isWanted(group, question, asked));
  if (groups.length === 0) return nothingThere(asking, `no requests to ${placeOf(question)}`);
  if (wanted.length === 0) return { kind: 'answered', text: noneText(groups, question, by) };
  const isAll = question.measures.length === 0;
  const total = totalRows > MAX_GROUPS ? totalRows : wanted.length;
  return {
    kind: 'answered',
    text: isAll ? `${listedText(wanted, by)}.` : `${leadText(wanted, by, asked, question)}.`,
    tables: [groupTable(wanted, by, isAll ? OVERVIEW : asked, asked, question.limit, total)],
  };
}

function noneText(groups: readonly Group[], question: Question, by: readonly string[]): string {
  if (!asksErrors(question)) return `No request to ${placeOf(question)} has ${listOf(by)}.`;
  return `No errors: ${countOf(groups)} requests to ${placeOf(question)}, none failed.`;
}

function listedText(groups: readonly Group[], by: readonly string[]): string {
  return `${groups.length} ${by.length === 1 && by[0] === 'service' ? 'services' : 'groups'}, the busiest first`;
}

function leadText(groups: readonly Group[], by: readonly string[], asked: readonly Measure[], question: Question) {
  const { measures, services, order } = question;
  const say_ = (group: Group, measure: Measure) => say(measure, group.figures[asked.indexOf(measure)] ?? null);
  if (services.length > 1) {
    return groups
      .map((group) => `${nameOf(group, by)}: ${measures.map((one) => say_(group, one)).join(', ')}`)
      .join('; ');
  }
  const [measure = 'rate'] = measures;
  const [first, ...others] = groups.slice(0, 3);
  const then = others.map((group) => `${nameOf(group, by)} (${say_(group, measure)})`);
  const lead =
    first === undefined ? '' : `${nameOf(first, by)} ${superlativeOf(measure, order)}: ${say_(first, measure)}`;
  return then.length > 0 ? `${lead}; then ${listOf(then)}` : lead;
}

const SUPERLATIVES: Readonly<Partial<Record<Quantity, readonly [most: string, least: string]>>> = {
  count: ['has the most', 'has the fewest'],
  duration: ['is slowest', 'is fastest'],
};

function superlativeOf(measure: Measure, order: Question['order']): string {
  const [most, least] = SUPERLATIVES[MEASURE_WORDS[measure].quantity] ?? ['has the highest', 'has the lowest'];
  return order === 'most' ? most : least;
}

function asksErrors({ measures }: Question): boolean {
  return measures.some((one) => one === 'errors' || one === 'errorRatio');
}

function countOf(groups: readonly Group[]): string {
  return formatQuantity(
    'count',
    groups.reduce((sum, { items }) => sum + items, 0),
  );
}

/** Only groups that have what was split by, and only those that failed where errors are asked for. */
function isWanted(group: Group, question: Question, asked: readonly Measure[]): boolean {
  if (group.by.every((value) => value === '')) return false;
  const errors = group.figures[asked.indexOf('errors')] ?? 0;
  return !asksErrors(question) || question.services.length > 1 || question.order === 'least' || errors > 0;
}

function nameOf(group: Group | undefined, by: readonly string[]): string {
  return (group?.by ?? []).map((value, index) => (value === '' ? `(no ${by[index]})` : value)).join(', ');
}

function groupTable(
  groups: readonly Group[],
  by: readonly string[],
  shown: readonly Measure[],
  asked: readonly Measure[],
  limit: number | undefined,
  totalRows: number,
): AnswerTable {
  const columns = [
    ...by.map((field) => ({ heading: field.replace(/^(?:attribute|resource)\./, ''), quantity: 'text' as const })),
    ...shown.map((measure) => ({ heading: MEASURE_WORDS[measure].words, quantity: MEASURE_WORDS[measure].quantity })),
  ];
  const rows = groups.map((group) => [
    ...group.by.map((value) => value || '-'),
    ...shown.map((measure) => group.figures[asked.indexOf(measure)] ?? null),
  ]);
  return tableOf(columns, rows, { limit, totalRows });
}

async function chartOfMeasure(asking: Asking, measure: Measure) {
  const { window } = asking.question.time;
  const stepSeconds = readableStepSeconds(
    { startMs: window.startMs, endMs: window.startMs + (window.endMs - window.startMs) * 2 },
    STEP_SECONDS,
  );
  const { groups } = await figuresOf(asking, [measure], { stepSeconds });
  const { words, quantity } = MEASURE_WORDS[measure];
  return chartOf(groups, { label: `${words} of ${placeOf(asking.question)}`, quantity, window, stepSeconds });
}

const MAX_STEPS_LISTED = 60;

async function answerOverTime(asking: Asking, stepSeconds: number): Promise<Said> {
  const { question } = asking;
  const measures = question.measures.length > 0 ? question.measures : OVERVIEW.slice(0, 4);
  const [measure = 'rate'] = measures;
  const { groups } = await figuresOf(asking, measures, { stepSeconds });
  if (groups.length === 0) return nothingThere(asking, `no requests to ${placeOf(question)}`);
  const { words, quantity } = MEASURE_WORDS[measure];
  const values = groups.map(({ figures }) => figures[0] ?? null);
  const known = values.filter((value) => value !== null);
  const top = Math.max(...known);
  const topAt = groups[values.indexOf(top)]?.atMs ?? 0;
  const text = `${words} of ${placeOf(question)}: between ${formatQuantity(quantity, Math.min(...known))} and ${formatQuantity(quantity, top)}, highest at ${formatQuantity('instant', topAt)} UTC, by steps of ${stepSeconds} s.`;
  const columns = [
    { heading: 'time (UTC)', quantity: 'instant' as const },
    ...measures.map((one) => ({ heading: MEASURE_WORDS[one].words, quantity: MEASURE_WORDS[one].quantity })),
  ];
  const rows = groups.map(({ atMs, figures }) => [atMs, ...measures.map((_, index) => figures[index] ?? null)]);
  return {
    kind: 'answered',
    text,
    tables: [tableOf(columns, rows, { limit: MAX_STEPS_LISTED })],
    chart: chartOf(groups, {
      label: `${words} of ${placeOf(question)}`,
      quantity,
      window: question.time.window,
      stepSeconds,
    }),
  };
}

/** "How many customers got an error": values of an attribute among requests, or among failed ones. */
export async function answerDistinct(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const [field = 'service'] = question.by;
  const key = field.slice(field.indexOf('.') + 1);
  const failing: Condition[] = question.failing ? [{ field: 'status', is: 'equal', value: 'error' }] : [];
  const present: Condition = { field, is: 'unequal', value: '' };
  const { groups, totalRows } = await run(getFigures, {
    ...{ from: 'requests', measures: ['count'], by: [field], window: question.time.window, limit: MAX_GROUPS },
    where: [...conditionsOf(question), ...failing, present],
  });
  const place = placeOf(question);
  const what = `${question.failing ? 'failed ' : ''}requests to ${place}`;
  if (totalRows === 0) return nothingThere(asking, `no ${what} with ${key}`);
  const rows = groups.map(({ by, figures }) => [...by, figures[0] ?? null]);
  const columns = [
    { heading: key, quantity: 'text' as const },
    { heading: question.failing ? 'errors' : 'requests', quantity: 'count' as const },
  ];
  return {
    kind: 'answered',
    text: `${formatQuantity('count', totalRows)} distinct values of ${key} among ${what}.`,
    tables: [tableOf(columns, rows, { limit: question.limit, totalRows })],
  };
}
