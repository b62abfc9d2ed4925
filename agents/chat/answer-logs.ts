/** Answers questions about log lines: which, how many, and which kinds are new. */

import { formatQuantity, formatSpan } from '../../domain/quantity.ts';
import type { Condition } from '../../domain/telemetry-query.ts';
import { formatMinute } from '../../domain/time-window.ts';
import { compareLogTemplates } from '../../tools/read/compare-log-templates.ts';
import { getFigures } from '../../tools/read/get-figures.ts';
import { searchLogs } from '../../tools/read/search-logs.ts';
import { ofServices } from './answer-requests.ts';
import { type Asking, nothingThere, placeOf, type Said, tableOf, windowsToCompare } from './asking.ts';
import { chartOf } from './chart.ts';

const LISTED = 10;
const MAX_LISTED = 50;
const MAX_BODY = 200;
const MAX_GROUPS = 500;
const BASELINE_MS = 3_600_000;
const TEXT = { quantity: 'text' as const };

export async function answerLogs(asking: Asking): Promise<Said> {
  const { question, run, nowMs } = asking;
  const { severity, text, services, time } = question;
  const [service] = services;
  const limit = Math.min(question.limit ?? LISTED, MAX_LISTED);
  const { lines, totalRows } = await run(searchLogs, {
    window: time.window,
    limit,
    ...(service === undefined ? {} : { service }),
    ...(severity === undefined ? {} : { minSeverity: severity }),
    ...(text === undefined ? {} : { text }),
  });
  const what = describeLines(asking);
  const [newest] = lines;
  if (!newest) return nothingThere(asking, `no ${what}`);
  const rows = lines.map((line) => [line.atMs, line.service, line.severityText, line.body.slice(0, MAX_BODY)]);
  const columns = [
    { heading: 'time (UTC)', quantity: 'instant' as const },
    { heading: 'service', ...TEXT },
    { heading: 'severity', ...TEXT },
    { heading: 'line', ...TEXT },
  ];
  return {
    kind: 'answered',
    text: `${formatQuantity('count', totalRows)} ${what}, ${formatSpan(time.window, nowMs)} UTC; the newest at ${formatMinute(newest.atMs)}.`,
    tables: [tableOf(columns, rows, { limit, totalRows })],
  };
}

function describeLines({ question }: Asking): string {
  const { severity, text, services } = question;
  const kind =
    severity === undefined ? 'log lines' : severity === 'error' ? 'error lines' : 'lines of severity warn or worse';
  return `${kind} of ${placeOf({ ...question, services: services.slice(0, 1), operation: undefined })}${text === undefined ? '' : ` containing "${text}"`}`;
}

const COUNTED = { error: 'error lines', warn: 'warnings', any: 'log lines' };

export async function answerLogCounts(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const { severity, text, services, stepSeconds, order, limit } = question;
  const isOne = services.length === 1;
  const asked = question.by.filter((field) => /^(?:service|pod|version|severity|attribute\..+)$/.test(field));
  const by = asked.length > 0 ? asked : isOne ? [] : ['service'];
  const { window } = question.time;
  const { groups, totalRows } = await run(getFigures, {
    ...{ from: 'logs', measures: ['count', 'rate'], where: conditionsOf(asking), by: [...by], window, order },
    limit: MAX_GROUPS,
    ...(stepSeconds === undefined ? {} : { stepSeconds, by: [] }),
  });
  const about = `${COUNTED[severity ?? 'any']}${text === undefined ? '' : ` containing "${text}"`}`;
  const wanted = groups.filter(({ by: values }) => by.length === 0 || values.some((value) => value !== ''));
  const total = formatQuantity(
    'count',
    wanted.reduce((sum, { items }) => sum + items, 0),
  );
  const [first] = wanted;
  if (!first) {
    const isKnown = await hasLines(asking);
    if (isKnown) return { kind: 'answered', text: `0 ${about} of ${placeOf(question)}.` };
    return nothingThere(asking, `no log lines of ${placeOf(question)}`);
  }
  if (stepSeconds !== undefined || by.length === 0) {
    const chart = chartOf(groups, { label: about, quantity: 'count', window, stepSeconds: stepSeconds ?? 60 });
    return { kind: 'answered', text: `${total} ${about} of ${placeOf(question)}.`, chart };
  }
  const rows = wanted.map((group) => [...group.by, group.figures[0] ?? 0, group.figures[1] ?? null]);
  const columns = [
    ...by.map((heading) => ({ heading, ...TEXT })),
    { heading: COUNTED[severity ?? 'any'], quantity: 'count' as const },
    { heading: 'rate', quantity: 'rate' as const },
  ];
  return {
    kind: 'answered',
    text: `${first.by.join(', ')} has the ${order === 'most' ? 'most' : 'fewest'}: ${formatQuantity('count', first.items)} ${about} (${total} in all).`,
    tables: [tableOf(columns, rows, { limit, totalRows })],
  };
}

function conditionsOf({ question: { services, severity, text } }: Asking): Condition[] {
  const condition = (field: string, is: Condition['is'], value: string | undefined): Condition[] =>
    value === undefined ? [] : [{ field, is, value }];
  return [
    ...ofServices(services),
    // Warnings are counted as such: a service with many errors does not write the most warnings.
    ...condition('severity', severity === 'warn' ? 'equal' : 'atLeast', severity),
    ...condition('message', 'contains', text),
  ];
}

/** Whether there are any lines of that place and time: 0 of many is an answer, 0 of nothing is none. */
async function hasLines({ question, run }: Asking): Promise<boolean> {
  const where = ofServices(question.services);
  const { groups } = await run(getFigures, { from: 'logs', measures: ['count'], where, window: question.time.window });
  return groups.length > 0;
}

export async function answerLogPatterns(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const windows = windowsToCompare(question);
  const [service] = question.services;
  const { templates } = await run(compareLogTemplates, {
    ...windows,
    limit: 100,
    ...(service === undefined ? {} : { service }),
    ...(question.severity === undefined ? {} : { minSeverity: question.severity }),
  });
  const grown = templates.filter(({ status }) => status === 'appeared' || status === 'burst');
  const [first] = grown;
  if (!first) {
    const text = templates.length === 0 ? 'no log lines' : 'no kind of log line that appeared or burst';
    return { ...nothingThere(asking, `${text} of ${placeOf(question)}`, windows.window), ...windows };
  }
  const rows = grown.map((one) => [
    one.status,
    one.service,
    one.severityText,
    one.windowCount,
    one.baselineCount,
    one.sampleBody.slice(0, MAX_BODY),
  ]);
  const columns = [
    ...['', 'service', 'severity'].map((heading) => ({ heading, ...TEXT })),
    { heading: 'lines', quantity: 'count' as const },
    { heading: 'before', quantity: 'count' as const },
    { heading: 'for example', ...TEXT },
  ];
  const appeared = grown.filter(({ status }) => status === 'appeared').length;
  return {
    kind: 'answered',
    text: `${appeared} kinds of log line are new and ${grown.length - appeared} burst; first ${first.service}: ${first.sampleBody.slice(0, MAX_BODY)}`,
    tables: [tableOf(columns, rows, { limit: question.limit })],
    ...windows,
  };
}

/** Kinds of line by how many there were, whatever normal time was like. */
export async function answerLogKinds(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const { window } = question.time;
  const baseline = { startMs: Math.max(0, window.startMs - BASELINE_MS), endMs: Math.max(1, window.startMs) };
  const [service] = question.services;
  const { templates, totalRows } = await run(compareLogTemplates, {
    ...{ window, baseline, limit: MAX_GROUPS },
    ...(service === undefined ? {} : { service }),
    ...(question.severity === undefined ? {} : { minSeverity: question.severity }),
  });
  const written = templates
    .filter(({ windowCount }) => windowCount > 0)
    .sort((left, right) => right.windowCount - left.windowCount);
  const [first] = written;
  if (!first) return nothingThere(asking, `no log lines of ${placeOf(question)}`);
  const rows = written.map((one) => [
    one.windowCount,
    one.service,
    one.severityText,
    one.sampleBody.slice(0, MAX_BODY),
  ]);
  const columns = [
    { heading: 'lines', quantity: 'count' as const },
    ...['service', 'severity', 'for example'].map((heading) => ({ heading, ...TEXT })),
  ];
  return {
    kind: 'answered',
    text: `Most frequent, ${formatQuantity('count', first.windowCount)} times, in ${first.service}: ${first.sampleBody.slice(0, MAX_BODY)}`,
    tables: [
      tableOf(columns, rows, {
        limit: question.limit,
        totalRows: Math.max(written.length, totalRows > MAX_GROUPS ? totalRows : 0),
      }),
    ],
  };
}
