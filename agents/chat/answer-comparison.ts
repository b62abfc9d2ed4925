/** Answers questions about what is different: one place in two windows, the operations and metrics that moved most. */
import { formatQuantity, type Quantity } from '../../domain/quantity.ts';
import type { Measure } from '../../domain/telemetry-query.ts';
import type { TimeWindow } from '../../domain/time-window.ts';
import { compareMetrics } from '../../tools/read/compare-metrics.ts';
import { compareOperations } from '../../tools/read/compare-operations.ts';
import { getFigures } from '../../tools/read/get-figures.ts';
import { listChanges } from '../../tools/read/list-changes.ts';
import { conditionsOf, MEASURE_WORDS } from './answer-requests.ts';
import { type Asking, nothingThere, placeOf, type Said, tableOf, windowsToCompare } from './asking.ts';

const COMPARED: readonly Measure[] = ['rate', 'errorRatio', 'p50', 'p95', 'p99', 'count'];
/** Less than this is no difference that somebody would call one. */
const NOTICEABLE = 1.2;
const FEW_REQUESTS = 20;
const DAY_MS = 86_400_000;

type Pair = { readonly before: number | null; readonly after: number | null };

export async function answerComparison(asking: Asking): Promise<Said> {
  const { services, by } = asking.question;
  const isByPlace = services.length > 1 && by.every((field) => field === 'service');
  if (by.length > 0 && !isByPlace) return compareGroups(asking);
  if (services.length <= 1) return comparePlace(asking);
  const places: Said[] = [];
  for (const service of services) {
    places.push(await comparePlace({ ...asking, question: { ...asking.question, services: [service] } }));
  }
  return {
    ...windowsToCompare(asking.question),
    kind: places.every(({ kind }) => kind === 'empty') ? 'empty' : 'answered',
    text: places.map(({ text }) => text).join(' '),
    tables: places.flatMap(({ tables = [] }) => tables),
    notes: [...new Set(places.flatMap(({ notes = [] }) => notes))],
  };
}

const MAX_GROUPS = 500;

/** "Which service got slower": every group in both windows, the one that changed most first. */
async function compareGroups(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const windows = (await windowsAroundDeploy(asking)) ?? windowsToCompare(question);
  const isAboutErrors = question.measures.some((measure) => measure === 'errors' || measure === 'errorRatio');
  const measure: Measure = isAboutErrors ? 'errorRatio' : 'p95';
  const read = async (window: TimeWindow) => {
    const { groups } = await run(getFigures, {
      ...{ from: 'requests', measures: [measure], where: conditionsOf(question), window },
      ...{ by: [...question.by], limit: MAX_GROUPS },
    });
    return new Map(
      groups
        .filter(({ items }) => items >= FEW_REQUESTS)
        .map((group) => [group.by.join(', '), group.figures[0] ?? null]),
    );
  };
  const [before, after] = [await read(windows.baseline), await read(windows.window)];
  const changed = [...after]
    .map(([name, value]) => ({ name, before: before.get(name) ?? null, after: value }))
    .filter((pair) => pair.before !== null && pair.after !== null)
    .sort((left, right) => growthOf(right, isAboutErrors) - growthOf(left, isAboutErrors));
  const [first] = changed;
  if (!first)
    return nothingThere(asking, `no ${question.by.join(' and ')} with 20 requests in both times`, windows.window);
  const { words, quantity } = MEASURE_WORDS[measure];
  const columns = [
    { heading: question.by.join(', '), quantity: 'text' as const },
    { heading: `${words} before`, quantity },
    { heading: 'after', quantity },
  ];
  const rows = changed.map((pair) => [pair.name, pair.before, pair.after]);
  return {
    kind: 'answered',
    text: `${first.name} rose most: ${words} ${fromTo(quantity, first)}.`,
    tables: [tableOf(columns, rows, { limit: question.limit })],
    ...windows,
  };
}

/** Ratios by their difference, durations by their factor. */
function growthOf({ before, after }: Pair, isRatio: boolean): number {
  if (isRatio) return (after ?? 0) - (before ?? 0);
  return (after ?? 0) / Math.max(before ?? 0, 0.001);
}

async function comparePlace(asking: Asking): Promise<Said> {
  const { question } = asking;
  const windows = (await windowsAroundDeploy(asking)) ?? windowsToCompare(question);
  const [before, after] = [await figuresIn(asking, windows.baseline), await figuresIn(asking, windows.window)];
  const place = placeOf(question);
  const nothing = nothingThere(
    { ...asking, question: { ...question, time: { window: windows.window, said: '' } } },
    `no requests to ${place}`,
  );
  if (before.count === 0 && after.count === 0) return nothing;
  const pairs = new Map(
    COMPARED.map((measure) => [
      measure,
      { before: before.figures.get(measure) ?? null, after: after.figures.get(measure) ?? null },
    ]),
  );
  const rows = COMPARED.filter((measure) => measure !== 'count').map((measure) => {
    const { words, quantity } = MEASURE_WORDS[measure];
    const pair = pairs.get(measure) ?? { before: null, after: null };
    return [words, formatQuantity(quantity, pair.before), formatQuantity(quantity, pair.after), changeOf(pair)];
  });
  rows.push(['requests', formatQuantity('count', before.count), formatQuantity('count', after.count), '']);
  const columns = ['', 'before', 'after', 'change'].map((heading) => ({ heading, quantity: 'text' as const }));
  const few = Math.min(before.count, after.count) < FEW_REQUESTS;
  return {
    kind: 'answered',
    text: `${place}: ${verdictOf(pairs, question.measures)}.`,
    tables: [tableOf(columns, rows)],
    ...windows,
    notes: few ? ['There are fewer than 20 requests on one side: percentiles of so few say little.'] : [],
  };
}

const MAX_AROUND_MS = 3_600_000;

/** "Slower after the deploy": the hour at most before and after the newest one; undefined: it is not asked for, or there is none. */
async function windowsAroundDeploy({ question, run }: Asking) {
  const [service] = question.services;
  const { endMs } = question.time.window;
  if (!question.kinds.includes('deploy') || question.time.baseline) return undefined;
  const window = { startMs: Math.max(0, endMs - DAY_MS), endMs };
  const { changes } = await run(listChanges, {
    ...{ window, kinds: ['deploy'], diffCharacters: 0 },
    ...(service === undefined ? {} : { service }),
  });
  const deploy = changes.find((change) => service === undefined || change.service === service);
  if (!deploy || deploy.atMs >= endMs) return undefined;
  return {
    window: { startMs: deploy.atMs, endMs: Math.min(endMs, deploy.atMs + MAX_AROUND_MS) },
    baseline: { startMs: Math.max(0, deploy.atMs - MAX_AROUND_MS), endMs: deploy.atMs },
  };
}

async function figuresIn({ question, run }: Asking, window: TimeWindow) {
  const { groups } = await run(getFigures, {
    from: 'requests',
    measures: [...COMPARED],
    where: conditionsOf(question),
    window,
  });
  const [group] = groups;
  return {
    count: group?.items ?? 0,
    figures: new Map(COMPARED.map((measure, index) => [measure, group?.figures[index] ?? null])),
  };
}

/** `slower: p95 from 16.8 ms to 247 ms, 14.7 times as long; error rate from 0% to 47.2%` */
function verdictOf(pairs: ReadonlyMap<Measure, Pair>, asked: readonly Measure[]): string {
  const p95 = pairs.get('p95');
  const others = new Set<Measure>([
    ...asked.filter((measure) => measure !== 'p95' && measure !== 'errors'),
    'errorRatio',
  ]);
  const told = [...others].flatMap((measure) => {
    const { words, quantity } = MEASURE_WORDS[measure];
    const pair = pairs.get(measure);
    return pair ? `${words} ${fromTo(quantity, pair)}` : [];
  });
  const latency = p95 ? [`${speedOf(p95)}: p95 ${fromTo('duration', p95)}${timesAs(ratioOf(p95))}`] : [];
  // What was asked for comes first.
  return (asked.length > 0 && !asked.includes('p95') ? [...told, ...latency] : [...latency, ...told]).join('; ');
}

function speedOf(pair: Pair): string {
  const factor = ratioOf(pair);
  if (factor === undefined) return 'speed not comparable';
  if (factor > NOTICEABLE) return 'slower';
  return factor < 1 / NOTICEABLE ? 'faster' : 'about as fast';
}

function timesAs(factor: number | undefined): string {
  if (factor === undefined || (factor <= NOTICEABLE && factor >= 1 / NOTICEABLE)) return '';
  return factor > 1
    ? `, ${formatQuantity('number', factor)} times as long`
    : `, ${formatQuantity('number', 1 / factor)} times as fast`;
}

function fromTo(quantity: Quantity, { before, after }: Pair): string {
  return `from ${formatQuantity(quantity, before)} to ${formatQuantity(quantity, after)}`;
}

function ratioOf({ before, after }: Pair): number | undefined {
  return before === null || after === null || before === 0 ? undefined : after / before;
}

function changeOf(pair: Pair): string {
  const factor = ratioOf(pair);
  if (factor === undefined) return '';
  return factor >= 2
    ? `x ${formatQuantity('number', factor)}`
    : `${factor >= 1 ? '+' : ''}${Math.round((factor - 1) * 100)}%`;
}

export async function answerShifts(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const windows = windowsToCompare(question);
  const [service] = question.services;
  const { operations, totalRows } = await run(compareOperations, {
    ...windows,
    ...(service === undefined ? {} : { service }),
  });
  // Calls into a service and out of another are the same trouble twice: what a service does itself is named.
  const moved = operations.filter(({ spanKind, changeScore }) => spanKind !== 'Client' && changeScore > 0);
  const [first] = moved;
  if (!first) return nothingThere(asking, `no operation of ${placeOf(question)} to compare`, windows.window);
  const rows = moved.map((one) => [
    one.service,
    one.baseline.p95Ms,
    one.window.p95Ms,
    one.baseline.errorRatio,
    one.window.errorRatio,
    one.operation,
  ]);
  const columns = [
    { heading: 'service', quantity: 'text' as const },
    { heading: 'p95 before', quantity: 'duration' as const },
    { heading: 'after', quantity: 'duration' as const },
    { heading: 'errors before', quantity: 'ratio' as const },
    { heading: 'after', quantity: 'ratio' as const },
    { heading: 'operation', quantity: 'text' as const },
  ];
  const p95 = fromTo('duration', { before: first.baseline.p95Ms, after: first.window.p95Ms });
  const errors = fromTo('ratio', { before: first.baseline.errorRatio, after: first.window.errorRatio });
  return {
    kind: 'answered',
    text: `${first.operation} of ${first.service} changed most: p95 ${p95}, error rate ${errors}.`,
    tables: [tableOf(columns, rows, { limit: question.limit, totalRows })],
    ...windows,
  };
}

export async function answerMetricShifts(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const windows = windowsToCompare(question);
  const [service] = question.services;
  const limit = question.limit ?? 10;
  const { series, totalRows } = await run(compareMetrics, {
    ...windows,
    limit,
    ...(service === undefined ? {} : { service }),
  });
  const [first] = series;
  if (!first) return nothingThere(asking, `no metrics of ${placeOf(question)} to compare`, windows.window);
  const rows = series.map((one) => [
    one.service,
    one.metric,
    one.pod || seriesName(one.attributes),
    formatQuantity('number', one.baselineMedian, one.unit),
    formatQuantity('number', one.windowMedian, one.unit),
    one.deviation,
  ]);
  const columns = ['service', 'metric', 'pod', 'usual', 'now'].map((heading) => ({
    heading,
    quantity: 'text' as const,
  }));
  const text = `${first.metric} of ${first.service} moved most: from ${formatQuantity('number', first.baselineMedian, first.unit)} to ${formatQuantity('number', first.windowMedian, first.unit)} (medians).`;
  return {
    kind: 'answered',
    text,
    tables: [tableOf([...columns, { heading: 'deviations', quantity: 'number' }], rows, { limit, totalRows })],
    ...windows,
  };
}

function seriesName(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
