/** One trace by its id: spans in tree order with their own time and log lines, and the exemplars that metrics kept of it. */
import { z } from 'zod';
import type { TraceExemplarRow, TraceLogRow, TraceSpanRow, WholeTrace } from '../../clickhouse/read-trace.ts';
import type { TimeWindow } from '../../domain/time-window.ts';
import {
  TRACE_ID,
  type Trace,
  type TraceExemplar,
  type TraceLog,
  type TraceSpan,
  traceSchema,
} from '../../domain/trace.ts';
import { defineTool, type ToolLimits } from '../tool.ts';
import { cutRows, rounded, roundNumbers, windowInput } from '../tool-shapes.ts';
import { type PlacedSpan, toSpanTree } from './span-tree.ts';

/** Attributes of each span, and of those that failed: the first pair with which the whole trace fits, else the last. */
const DETAIL_LEVELS = [
  { all: 8, failed: 8 },
  { all: 2, failed: 8 },
  { all: 0, failed: 4 },
] as const;
type Detail = (typeof DETAIL_LEVELS)[number];
const MAX_TEXT = 120;
const MAX_LOGS = 200;
const MAX_EXEMPLARS = 100;
const MAX_EXEMPLAR_ATTRIBUTES = 4;
/** Of the output's size; what spans leave over is for the rest. */
const SHARES = { spans: 0.7, logs: 0.2, exemplars: 0.1 } as const;

export const getTrace = defineTool({
  name: 'get_trace',
  title: 'Get one trace',
  description:
    'Everything that carries one trace id: its spans in tree order with depth, self time, status, key attributes (fewer in large traces) and their log lines; log records of no span shown; and metric exemplars measured in it.',
  input: z.object({
    traceId: z.string().toLowerCase().regex(TRACE_ID, 'a trace id has 32 hex digits'),
    window: windowInput.optional(),
    offset: z.int().nonnegative().default(0).describe('Spans to skip: to read on in a trace that was cut.'),
  }),
  output: traceSchema,
  effect: 'read',
  limits: { maxRows: 2_000, timeoutMs: 20_000, maxTokens: 4_000 },
  run: async (question, context, limits) => {
    const { traceId, window } = question;
    const bounds = { timeoutMs: limits.timeoutMs, signal: context.signal };
    const maxima = { maxSpans: limits.maxRows, maxLogs: MAX_LOGS, maxExemplars: MAX_EXEMPLARS };
    const whole = await context.telemetry.traces.readTrace({ traceId, window, ...maxima }, bounds);
    const output = toOutput(whole, question.offset, limits);
    const { totalSpans, totalLogs, totalExemplars } = output;
    return {
      output,
      queries: whole.queries,
      window: extentOf(whole.spans) ?? window ?? { startMs: 0, endMs: context.clock.nowMs() },
      summary: `Trace ${traceId}: ${totalSpans} spans, ${totalLogs} log records, ${totalExemplars} exemplars.`,
    };
  },
});

function toOutput(whole: WholeTrace, offset: number, limits: ToolLimits): Trace {
  const { totalSpans, totalLogs, totalExemplars, searched } = whole;
  const startMs = startOf(whole);
  const since = (atMs: number) => rounded(atMs - (startMs ?? 0));
  const share = (part: number) => ({ ...limits, maxTokens: limits.maxTokens * part });

  const spans = cutTree(toSpanTree(whole.spans).slice(offset), startMs ?? 0, share(SHARES.spans));
  const logs = cutRows(
    whole.logs.map((record) => toOutputLog(record, since)),
    share(SHARES.logs),
    totalLogs,
  );
  const exemplars = cutRows(
    whole.exemplars.map((exemplar) => toOutputExemplar(exemplar, since)),
    share(SHARES.exemplars),
    totalExemplars,
  );
  return {
    startMs,
    ...withLogs(
      spans,
      logs.rows.toSorted((left, right) => left.offsetMs - right.offsetMs),
    ),
    totalSpans,
    totalLogs,
    exemplars: exemplars.rows,
    totalExemplars,
    orphans: countOrphans(whole.spans),
    ...(searched ? { searched } : {}),
    truncated: offset + spans.length < totalSpans || logs.truncated || exemplars.truncated,
  };
}

/** Each record goes to its span if that is shown. */
function withLogs(spans: readonly TraceSpan[], records: readonly TraceLog[]): Pick<Trace, 'spans' | 'logs'> {
  const shown = new Set(spans.map(({ spanId }) => spanId));
  const bySpan = Map.groupBy(records, ({ spanId }) => (shown.has(spanId) ? spanId : ''));
  return {
    spans: spans.map((span) => {
      const lines = bySpan.get(span.spanId)?.map(({ offsetMs, severity, body }) => ({ offsetMs, severity, body }));
      return lines ? { ...span, logs: lines } : span;
    }),
    logs: bySpan.get('') ?? [],
  };
}

function countOrphans(spans: readonly TraceSpanRow[]): number {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const isCut = spans.length < (spans[0]?.totalRows ?? 0);
  return isCut ? 0 : spans.filter(({ parentSpanId }) => parentSpanId !== '' && !ids.has(parentSpanId)).length;
}

/** A whole trace with few attributes says more than its beginning with many. */
function cutTree(tree: readonly PlacedSpan<TraceSpanRow>[], startMs: number, limits: ToolLimits): TraceSpan[] {
  const levels = DETAIL_LEVELS.map((detail) => {
    const spans = tree.map((span) => toOutputSpan(span, startMs, detail));
    return cutRows(spans, limits);
  });
  return (levels.find(({ truncated }) => !truncated) ?? levels.at(-1))?.rows ?? [];
}

function toOutputSpan(span: PlacedSpan<TraceSpanRow>, traceStartMs: number, detail: Detail): TraceSpan {
  const { depth, spanId, service, operation, spanKind, durationMs, selfMs, status } = span;
  const exception = [span.exceptionType, span.exceptionMessage].filter((text) => text !== '').join(': ');
  const attributes = tellingAttributes(span.attributes, status === 'Error' ? detail.failed : detail.all);
  const offsetMs = span.startMs - traceStartMs;
  return {
    ...roundNumbers({ depth, spanId, service, operation, spanKind, offsetMs, durationMs, selfMs, status }),
    ...(span.statusMessage ? { statusMessage: cutText(span.statusMessage) } : {}),
    ...(exception ? { exception: cutText(exception) } : {}),
    ...(span.pod ? { pod: span.pod } : {}),
    ...(span.version ? { version: span.version } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}

function toOutputLog(
  { atMs, service, spanId, severity, body }: TraceLogRow,
  since: (atMs: number) => number,
): TraceLog {
  return { offsetMs: since(atMs), service, spanId, severity, body };
}

function toOutputExemplar(exemplar: TraceExemplarRow, since: (atMs: number) => number): TraceExemplar {
  const { atMs, service, metric, unit, value, spanId } = exemplar;
  const attributes = tellingAttributes(exemplar.attributes, MAX_EXEMPLAR_ATTRIBUTES);
  return {
    ...{ offsetMs: since(atMs), service, metric, unit, value, spanId },
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}

const TELLING = /^(http\.|url\.|rpc\.|db\.|messaging\.|server\.|peer\.|error|exception|faas\.|graphql\.)/;

/** What a call was and how it ended first, then the rest by name. */
function tellingAttributes(attributes: Readonly<Record<string, string>>, count: number): Record<string, string> {
  const keys = Object.keys(attributes).sort();
  const ranked = [...keys.filter((key) => TELLING.test(key)), ...keys.filter((key) => !TELLING.test(key))];
  return Object.fromEntries(ranked.slice(0, count).map((key) => [key, cutText(attributes[key] ?? '')]));
}

function cutText(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

/** Where no span is kept, records and exemplars still have a beginning. */
function startOf({ spans, logs, exemplars }: WholeTrace): number | null {
  const extent = extentOf(spans);
  if (extent) return extent.startMs;
  const instants = [...logs, ...exemplars].map(({ atMs }) => atMs);
  return instants.length === 0 ? null : Math.floor(Math.min(...instants));
}

function extentOf(spans: readonly TraceSpanRow[]): TimeWindow | undefined {
  if (spans.length === 0) return undefined;
  const startMs = Math.floor(spans.reduce((earliest, span) => Math.min(earliest, span.startMs), Infinity));
  const endMs = Math.ceil(spans.reduce((latest, span) => Math.max(latest, span.startMs + span.durationMs), 0));
  return { startMs, endMs: Math.max(endMs, startMs + 1) };
}
