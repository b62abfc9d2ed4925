/** Answers questions about metrics: which there are, and what one of them measured, of whom, over time. */
import { formatQuantity, type Quantity } from '../../domain/quantity.ts';
import type { Condition, Measure } from '../../domain/telemetry-query.ts';
import { getFigures } from '../../tools/read/get-figures.ts';
import { listMetrics } from '../../tools/read/list-metrics.ts';
import { readableStepSeconds } from '../../tools/steps.ts';
import { ofServices } from './answer-requests.ts';
import { type Asking, nothingThere, placeOf, type Said, tableOf } from './asking.ts';
import { chartOf } from './chart.ts';
import type { Names } from './names.ts';
import { singular, wordsOfMetric } from './read-words.ts';

const TEXT = { quantity: 'text' as const };
const LISTED = 40;
const MEASURED: readonly Measure[] = ['average', 'min', 'max', 'p95'];
const WORDS: Readonly<Partial<Record<Measure, string>>> = {
  average: 'average',
  min: 'lowest',
  max: 'highest',
  p50: 'median',
  p90: 'p90',
  p95: 'p95',
  p99: 'p99',
};
const STEP_SECONDS = 10;
/** A share of something has no unit and is called so; it reads as a percentage. */
/** What is above is in percent already. */
const MAX_SHARE = 1.5;
const SHARE = /utili[sz]ation|ratio|percent/i;

export async function answerMetricNames(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const [service] = question.services;
  const { metrics, totalRows } = await run(listMetrics, {
    window: question.time.window,
    limit: 200,
    ...(service === undefined ? {} : { service }),
  });
  if (metrics.length === 0) return nothingThere(asking, `no metrics of ${placeOf(question)}`);
  const rows = metrics.map(({ metric, kind, unit, series }) => [metric, kind, unit, series]);
  const columns = [
    ...['metric', 'kind', 'unit'].map((heading) => ({ heading, ...TEXT })),
    { heading: 'series', quantity: 'count' as const },
  ];
  return {
    kind: 'answered',
    text: `${totalRows} metrics of ${placeOf(question)}.`,
    tables: [tableOf(columns, rows, { limit: question.limit ?? LISTED, totalRows })],
  };
}

export async function answerMetric(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const metric = question.metric ?? (await chooseMetric(asking));
  if (metric === undefined) {
    return nothingThere(asking, `no metric called ${question.metricWords.join(' ')} of ${placeOf(question)}`);
  }
  const asked = question.by.filter((field) => ['service', 'pod'].includes(field));
  const by = asked.length > 0 ? asked : splitOf(asking);
  const named = question.measures.filter((measure) => WORDS[measure] !== undefined);
  const measures = [...new Set([...named, ...MEASURED])].slice(0, 5);
  const { groups, totalRows } = await run(getFigures, {
    ...{ from: 'metrics', metric, measures, by: [...by], window: question.time.window, order: question.order },
    where: conditionsOf(asking),
    limit: 200,
  });
  const [first] = groups;
  if (!first) return nothingThere(asking, `no values of ${metric} of ${placeOf(question)}`);
  const isShare =
    SHARE.test(metric) && first.unit !== '%' && Math.max(...first.figures.map((one) => one ?? 0)) <= MAX_SHARE;
  const form = { quantity: isShare ? ('ratio' as const) : ('number' as const), unit: first.unit };
  // What is the same in every row tells nothing.
  const shown = by.map((_, index) => by.length === 1 || groups.some((group) => group.by[index] !== first.by[index]));
  const columns = [
    ...by.filter((_, index) => shown[index]).map((heading) => ({ heading, ...TEXT })),
    ...measures.map((measure) => ({ heading: WORDS[measure] ?? measure, ...form })),
  ];
  const rows = groups.map((group) => [
    ...group.by.filter((_, index) => shown[index]).map((value) => value || '-'),
    ...group.figures,
  ]);
  const isMany = question.services.length > 1;
  const whole = by.length === 0 || isMany ? first : await wholeOf(asking, metric, measures);
  return {
    kind: 'answered',
    text: textOf(asking, metric, { measures, form, first, whole, by, isRanked: asked.length > 0 || isMany }),
    tables: [tableOf(columns, rows, { limit: question.limit, totalRows })],
    chart: isMany ? undefined : await chartOfMetric(asking, metric, measures[0] ?? 'average', form),
  };
}

interface Figures {
  readonly by: readonly string[];
  readonly figures: readonly (number | null)[];
}

interface Telling {
  readonly measures: readonly Measure[];
  readonly form: { readonly quantity: Quantity; readonly unit: string };
  readonly first: Figures;
  readonly whole: Figures | undefined;
  readonly by: readonly string[];
  readonly isRanked: boolean;
}

function textOf({ question }: Asking, name: string, { measures, form, first, whole, isRanked }: Telling): string {
  const say = ({ figures }: Figures) =>
    measures
      .slice(0, 3)
      .map((measure, index) => `${WORDS[measure]} ${formatQuantity(form.quantity, figures[index] ?? null, form.unit)}`)
      .join(', ');
  const place = placeOf(question);
  if (isRanked)
    return `${first.by.join(', ')} has the ${question.order === 'most' ? 'highest' : 'lowest'} ${name}: ${say(first)}.`;
  return `${name} of ${place}: ${say(whole ?? first)}.`;
}

function conditionsOf({ question }: Asking): Condition[] {
  const equal = (field: string, value: string): Condition => ({ field, is: 'equal', value });
  return [...ofServices(question.services), ...(question.pod === undefined ? [] : [equal('pod', question.pod)])];
}

/** Of one service by pod and series, because their mean may hide the one that is full; of all by service. */
function splitOf({ question }: Asking): string[] {
  return question.services.length === 1 ? ['pod', 'series'] : ['service'];
}

async function wholeOf({ question, run, ...rest }: Asking, metric: string, measures: readonly Measure[]) {
  const { groups } = await run(getFigures, {
    ...{ from: 'metrics', metric, measures: [...measures], window: question.time.window },
    where: conditionsOf({ question, run, ...rest }),
  });
  return groups[0];
}

async function chartOfMetric(
  asking: Asking,
  metric: string,
  measure: Measure,
  form: { quantity: Quantity; unit: string },
) {
  const { question, run } = asking;
  const { window } = question.time;
  const stepSeconds =
    question.stepSeconds ??
    readableStepSeconds({ ...window, endMs: window.endMs + (window.endMs - window.startMs) }, STEP_SECONDS);
  const { groups } = await run(getFigures, {
    ...{ from: 'metrics', metric, measures: [measure], window, stepSeconds },
    where: conditionsOf(asking),
  });
  return chartOf(groups, {
    label: `${WORDS[measure]} ${metric} of ${placeOf(question)}`,
    ...form,
    window,
    stepSeconds,
  });
}

/** The metric of this service whose name has most of the words; of several, shares before amounts, then the shortest name. */
async function chooseMetric({ question, names, run }: Asking): Promise<string | undefined> {
  const known: Names['metrics'][number][] = question.services.length === 0 ? [...names.metrics] : [];
  for (const service of question.services) {
    known.push(...(await run(listMetrics, { window: question.time.window, service, limit: 500 })).metrics);
  }
  const wanted = question.metricWords.map(singular);
  const ranked = known
    .map(({ metric }) => ({ metric, hits: wanted.filter((word) => wordsOfMetric(metric).includes(word)).length }))
    .filter(({ hits }) => hits > 0)
    .sort(
      (left, right) =>
        right.hits - left.hits ||
        Number(SHARE.test(right.metric)) - Number(SHARE.test(left.metric)) ||
        left.metric.length - right.metric.length ||
        (left.metric < right.metric ? -1 : 1),
    );
  return ranked[0]?.metric;
}
