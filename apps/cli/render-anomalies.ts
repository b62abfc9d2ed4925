/** Anomalies for people: a list with a sentence each, and one explained with everything that belongs to it. Pure. */

import type { Anomaly } from '../../domain/anomaly.ts';
import type { AnomalyRecord } from '../../domain/anomaly-record.ts';
import type { Feedback } from '../../domain/feedback.ts';
import type { ExplainedAnomaly } from '../../domain/noise-lesson.ts';
import { describeScope } from '../../domain/noise-rule.ts';
import { formatClock, formatDay } from '../../domain/time-window.ts';
import { table } from './layout.ts';
import { bullet, commandLines, labelled, type Page, paragraph, section } from './page.ts';
import { plainCopy } from './plain-text.ts';
import { asSentence, formatDayAndMinute, formatFigure } from './words.ts';

const LABEL_WIDTH = 10;

export interface ListedSpan {
  /** `1h`, as it was asked for. */
  readonly since: string;
  /** There is more than is shown. */
  readonly isCut: boolean;
  readonly withHidden: boolean;
}

export function renderAnomalies(raw: readonly AnomalyRecord[], page: Page, span: ListedSpan): string {
  if (raw.length === 0) {
    const more = span.withHidden ? '' : ' that is shown: --all also lists what rules hide';
    return paragraph(page, `Nothing abnormal since ${span.since}${more}.`).join('\n');
  }
  const records = plainCopy(raw);
  const columns = [
    { heading: 'anomaly' },
    { heading: 'since (UTC)' },
    { heading: 'service', minWidth: 8 },
    { heading: 'deviation' },
    { heading: 'state' },
  ];
  const rows = records.map((record) => {
    const { anomalyId, sinceMs, service, deviation } = record.anomaly;
    return [anomalyId, formatMinute(sinceMs), service, formatBars(deviation), stateWord(record)];
  });
  const [heading = '', ...lines] = table(columns, rows, page.width);
  return [
    page.palette.faint(heading),
    ...records.flatMap((record, index) => [
      page.palette.strong(lines[index] ?? ''),
      ...paragraph(page, asSentence(record.anomaly.sentence)),
      ...paragraph(page, describeState(record)).map(page.palette.faint),
    ]),
    ...(span.isCut ? ['', ...paragraph(page, 'There are more: --limit shows up to 200, --service those of one.')] : []),
  ].join('\n');
}

/** `2.3x the bar` */
export function formatBars(deviation: number): string {
  return `${deviation < 9.95 ? deviation.toFixed(1) : Math.round(deviation)}x the bar`;
}

function formatMinute(atMs: number): string {
  return formatDayAndMinute(atMs);
}

function stateWord({ anomaly, incidentId, endedAtMs }: AnomalyRecord): string {
  if (anomaly.hiddenBy !== undefined) return 'hidden';
  if (endedAtMs !== undefined) return 'over';
  if (anomaly.deviation < 1) return 'below';
  return incidentId === '' ? 'alone' : 'in incident';
}

/** Everything that is to be said of its state; empty: it goes on, and no incident came of it. */
function describeState({ anomaly, incidentId, endedAtMs }: AnomalyRecord): string {
  const { hiddenBy, tolerance } = anomaly;
  const parts = [
    ...(incidentId === '' ? [] : [`in ${incidentId}`]),
    ...(hiddenBy === undefined ? [] : [`hidden by ${hiddenBy}`]),
    ...(tolerance === undefined ? [] : [`its bar is raised ${formatFigure(tolerance)}x, since it was called noise`]),
    ...(endedAtMs === undefined ? [] : [`over since ${formatClock(endedAtMs)}`]),
  ];
  const text = parts.join('; ');
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export function renderExplainedAnomaly(raw: ExplainedAnomaly, page: Page): string {
  const explained = plainCopy(raw);
  const { record, correlated, feedback } = explained;
  const { anomaly, endedAtMs } = record;
  const facts: [string, string][] = [
    ['observed', `${formatValue(anomaly.observed, anomaly)}, ${formatSpan(anomaly.window)}`],
    ['baseline', formatValue(anomaly.expected, anomaly)],
    ['range', `${formatValue(anomaly.range[0], anomaly)} to ${formatValue(anomaly.range[1], anomaly)}`],
    ['deviation', describeDeviation(anomaly.deviation, anomaly.tolerance)],
    ['since', `${formatDay(anomaly.sinceMs)} ${formatClock(anomaly.sinceMs)} UTC`],
    ...(endedAtMs === undefined
      ? []
      : [['until', `${formatDay(endedAtMs)} ${formatClock(endedAtMs)} UTC`] as [string, string]]),
    ['detector', `${anomaly.detector}, ${anomaly.aspect} in ${anomaly.signal}`],
    ['users', anomaly.hurtsUsers ? 'notice it' : 'need not notice it'],
    ['state', stateOf(explained)],
  ];
  return [
    page.palette.strong(`${anomaly.anomalyId}  ${formatBars(anomaly.deviation)}`),
    ...paragraph(page, asSentence(anomaly.sentence)),
    '',
    ...facts.flatMap(([label, text]) => labelled(page, label, text, LABEL_WIDTH)),
    ...section(
      page,
      'CORRELATED SIGNALS',
      correlated.flatMap(({ sentence, deviation }) =>
        bullet(page, `${formatBars(deviation)}: ${asSentence(sentence)}`),
      ),
      record.incidentId === '' ? 'abnormal at the same time' : `of ${record.incidentId}`,
    ),
    ...section(
      page,
      'FEEDBACK',
      feedback.flatMap((each) => bullet(page, describeFeedback(each))),
    ),
    ...section(page, 'IS IT A PROBLEM?', [
      ...commandLines(page, 'feedback', anomaly.anomalyId, '--real'),
      ...commandLines(page, 'feedback', anomaly.anomalyId, '--noise'),
    ]),
  ].join('\n');
}

function stateOf({ record, incident, rule }: ExplainedAnomaly): string {
  if (rule) return `hidden by ${rule.ruleId}: ${describeScope(rule.scope)}`;
  if (incident) return `in ${incident.incidentId} (${incident.status}): ${incident.title}`;
  if (record.incidentId !== '') return `in ${record.incidentId}`;
  if (record.anomaly.deviation < 1) return 'below its bar since that was raised: nothing follows from it';
  return 'alone: no other signal agrees, so that no incident came of it';
}

function describeDeviation(deviation: number, tolerance: number | undefined): string {
  const raised = tolerance === undefined ? '' : `, which feedback raised ${formatFigure(tolerance)}x for now`;
  return `${formatBars(deviation)} of its own past${raised}`;
}

function formatSpan({ startMs, endMs }: AnomalyRecord['anomaly']['window']): string {
  return `${formatClock(startMs)} to ${formatClock(endMs)} UTC`;
}

/** Shares of failed requests are percents to people. */
function formatValue(value: number, { unit, aspect }: Pick<Anomaly, 'unit' | 'aspect'>): string {
  if (aspect === 'errors' && unit === '1') return `${formatFigure(100 * value)} %`;
  return unit === '1' || unit === '' ? formatFigure(value) : `${formatFigure(value)} ${unit}`;
}

export function describeFeedback({ judgement, by, atMs, reason }: Feedback): string {
  const why = reason === '' ? '' : `: ${reason}`;
  return `${judgement}, said ${by} on ${formatMinute(atMs)} UTC${why}`;
}
