/** One trace as a waterfall: a line for each span, what failed and what it logged below it; then records and exemplars. Pure. */
import { formatClock, formatDay } from '../../domain/time-window.ts';
import type { Trace, TraceSpan } from '../../domain/trace.ts';
import { cell, table } from './layout.ts';
import { labelled, type Page, paragraph, section } from './page.ts';
import { plainCopy } from './plain-text.ts';
import { countOf, formatDuration, formatFigure } from './words.ts';

const MAX_SPANS = 200;
/** For each span; the last ones say how it ended. */
const MAX_LINES = 5;
const MAX_RECORDS = 20;
const MAX_EXEMPLARS = 20;
/** Deeper spans stand under each other: names stay readable. */
const MAX_INDENT = 10;

const COLUMNS = { service: 14, duration: 8, gaps: 3 * 2 };

export function renderTrace(traceId: string, raw: Trace, page: Page): string {
  const trace = plainCopy(raw);
  return [
    ...heading(traceId, trace, page),
    ...section(
      page,
      'SPANS',
      waterfall(trace, page),
      moreThan(trace.totalSpans, Math.min(trace.spans.length, MAX_SPANS)),
    ),
    ...records(trace, page),
    ...exemplars(trace, page),
    ...remarks(trace, page),
  ].join('\n');
}

function heading(
  traceId: string,
  { startMs, spans, totalSpans, totalLogs, totalExemplars }: Trace,
  page: Page,
): string[] {
  const start = startMs === null ? '' : `${formatDay(startMs)} ${formatClock(startMs)} UTC`;
  const services = new Set(spans.map(({ service }) => service)).size;
  const failed = spans.filter(isFailed).length;
  const facts = [
    start,
    ...(spans.length > 0 ? [timeOf(lengthMs(spans))] : []),
    `${countOf(totalSpans, 'span')} of ${countOf(services, 'service')}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    countOf(totalLogs, 'log record'),
    countOf(totalExemplars, 'exemplar'),
  ];
  return [page.palette.strong(`Trace ${traceId}`), ...paragraph(page, facts.join(', '))];
}

function waterfall({ spans }: Trace, page: Page): string[] {
  const totalMs = Math.max(lengthMs(spans), 0.001);
  const room = page.width - 2 - COLUMNS.service - COLUMNS.duration - COLUMNS.gaps;
  const nameWidth = Math.ceil(room * 0.6);
  return spans.slice(0, MAX_SPANS).flatMap((span) => {
    const indent = Math.min(span.depth, MAX_INDENT);
    const name = cell(`${' '.repeat(indent)}${isFailed(span) ? '✗ ' : ''}${span.operation}`, nameWidth);
    const paint = isFailed(span) ? page.palette.bad : (text: string) => text;
    const line = [
      paint(name),
      page.palette.faint(cell(span.service, COLUMNS.service)),
      cell(timeOf(span.durationMs), COLUMNS.duration, 'start'),
      paint(strip(span, totalMs, room - nameWidth)),
    ];
    return [`  ${line.join('  ')}`.trimEnd(), ...underneath(span, indent, page)];
  });
}

/** Where in the trace's time a span lies. */
function strip({ offsetMs, durationMs }: TraceSpan, totalMs: number, cells: number): string {
  const from = Math.min(cells - 1, Math.floor((offsetMs / totalMs) * cells));
  const length = Math.max(1, Math.min(cells - from, Math.round((durationMs / totalMs) * cells)));
  return `${' '.repeat(from)}${'━'.repeat(length)}`;
}

/** How it failed, and what it wrote. */
function underneath(span: TraceSpan, indent: number, page: Page): string[] {
  const problem = [span.statusMessage, span.exception].filter((text) => text !== undefined).join('; ');
  const logs = span.logs ?? [];
  const hidden = logs.length - MAX_LINES;
  const lines = [
    ...(problem === '' ? [] : [problem]),
    ...(hidden > 0 ? [`${countOf(hidden, 'earlier record')}: --json`] : []),
    ...logs.slice(-MAX_LINES).map(({ offsetMs, severity, body }) => `${offset(offsetMs)} ${severity} ${body}`),
  ];
  const margin = ' '.repeat(indent + 2);
  const narrow = { ...page, width: page.width - margin.length };
  return lines.flatMap((line) => paragraph(narrow, line)).map((line) => margin + page.palette.faint(line));
}

function records({ logs, totalLogs, spans }: Trace, page: Page): string[] {
  const withSpans = spans.reduce((sum, span) => sum + (span.logs?.length ?? 0), 0);
  const lines = logs
    .slice(0, MAX_RECORDS)
    .flatMap(({ offsetMs, service, severity, body }) =>
      labelled(page, offset(offsetMs), `${service} ${severity} ${body}`, COLUMNS.duration),
    );
  return section(
    page,
    'RECORDS OF NO SPAN SHOWN',
    lines,
    moreThan(totalLogs - withSpans, Math.min(logs.length, MAX_RECORDS)),
  );
}

function exemplars(trace: Trace, page: Page): string[] {
  const shown = trace.exemplars.slice(0, MAX_EXEMPLARS);
  if (shown.length === 0) return [];
  const columns = [
    { heading: 'at', align: 'right' as const },
    { heading: 'service', minWidth: 8 },
    { heading: 'metric', minWidth: 12 },
    { heading: 'value', align: 'right' as const },
    { heading: 'attributes', minWidth: 10 },
  ];
  const rows = shown.map(({ offsetMs, service, metric, unit, value, attributes = {} }) => [
    offset(offsetMs),
    service,
    metric,
    value === null ? 'not a number' : `${formatFigure(value)} ${unit === '1' ? '' : unit}`.trimEnd(),
    Object.entries(attributes)
      .map(([key, text]) => `${key}=${text}`)
      .join(' '),
  ]);
  const [head = '', ...lines] = table(columns, rows, page.width - 2).map((line) => `  ${line}`);
  return section(page, 'EXEMPLARS', [page.palette.faint(head), ...lines], moreThan(trace.totalExemplars, shown.length));
}

/** What may be missing, and why. */
function remarks({ orphans, spans, searched }: Trace, page: Page): string[] {
  const texts = [
    ...(spans.length === 0
      ? ['No span with this id is stored (any more): sampled out, expired or not sent here.']
      : []),
    ...(orphans > 0 ? [`${countOf(orphans, 'span')} of a parent that is not stored: the trace is incomplete.`] : []),
    ...(searched
      ? [`Records and exemplars were looked for from ${clock(searched.startMs)} to ${clock(searched.endMs)} UTC.`]
      : []),
  ];
  return texts.length === 0 ? [] : ['', ...texts.flatMap((text) => paragraph(page, text)).map(page.palette.faint)];
}

function clock(atMs: number): string {
  return `${formatDay(atMs)} ${formatClock(atMs)}`;
}

function moreThan(total: number, shown: number): string {
  return total > shown ? `${shown} of ${total}; more with --json` : '';
}

function offset(ms: number): string {
  return ms < 0 ? `-${timeOf(-ms)}` : `+${timeOf(ms)}`;
}

function timeOf(ms: number): string {
  return ms < 1_000 ? `${formatFigure(ms)} ms` : formatDuration(ms);
}

function isFailed({ status }: TraceSpan): boolean {
  return status === 'Error';
}

function lengthMs(spans: readonly TraceSpan[]): number {
  return spans.reduce((latest, { offsetMs, durationMs }) => Math.max(latest, offsetMs + durationMs), 0);
}
