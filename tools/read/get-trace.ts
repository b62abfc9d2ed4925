/** One trace as a tree of spans with the time each spent itself, and the trace's log records. */
import { z } from 'zod';
import type { TraceLogRow, TraceSpanRow } from '../../clickhouse/read-traces.ts';
import type { TimeWindow } from '../../domain/time-window.ts';
import { defineTool, type ToolLimits } from '../tool.ts';
import { cutRows, rounded, roundNumbers, windowInput } from '../tool-shapes.ts';
import { toSpanTree } from './span-tree.ts';

/** Attributes of each span, and of those that failed: the first pair with which the whole trace fits, else the last. */
const DETAIL_LEVELS = [
  { all: 8, failed: 8 },
  { all: 2, failed: 8 },
  { all: 0, failed: 4 },
] as const;
type Detail = (typeof DETAIL_LEVELS)[number];
const MAX_TEXT = 120;
const MAX_LOGS = 100;
/** Of the output's size; the rest is for log records. */
const SPANS_SHARE = 0.75;

const spanSchema = z.object({
  depth: z.int().nonnegative(),
  spanId: z.string(),
  service: z.string(),
  operation: z.string(),
  spanKind: z.string(),
  /** Start after the trace's start. */
  offsetMs: z.number(),
  durationMs: z.number(),
  /** Duration minus that of direct children, never below 0. */
  selfMs: z.number(),
  status: z.string(),
  statusMessage: z.string().optional(),
  exception: z.string().optional(),
  pod: z.string().optional(),
  version: z.string().optional(),
  /** The most telling ones, values cut; fewer in large traces. */
  attributes: z.record(z.string(), z.string()).optional(),
});

const logSchema = z.object({
  offsetMs: z.number(),
  service: z.string(),
  spanId: z.string(),
  severity: z.string(),
  body: z.string(),
});

export const getTrace = defineTool({
  name: 'get_trace',
  title: 'Get one trace',
  description:
    'All spans of one trace in tree order with depth, self time, status and key attributes (fewer in large traces), and the log records that carry its id.',
  input: z.object({
    traceId: z
      .string()
      .toLowerCase()
      .regex(/^[0-9a-f]{32}$/, 'a trace id has 32 hex digits'),
    window: windowInput.optional(),
    offset: z.int().nonnegative().default(0).describe('Spans to skip: to read on in a trace that was cut.'),
  }),
  output: z.object({
    /** Start of the first span; null when no span has this id. */
    startMs: z.number().nullable(),
    spans: z.array(spanSchema),
    totalSpans: z.int().nonnegative(),
    logs: z.array(logSchema),
    totalLogs: z.int().nonnegative(),
    truncated: z.boolean(),
  }),
  effect: 'read',
  limits: { maxRows: 2_000, timeoutMs: 20_000, maxTokens: 3_500 },
  run: async (question, context, limits) => {
    const bounds = { timeoutMs: limits.timeoutMs, signal: context.signal };
    const [spans, logs] = await Promise.all([
      context.telemetry.traces.readSpans(question, { ...bounds, maxRows: limits.maxRows }),
      context.telemetry.traces.readLogs(question, { ...bounds, maxRows: MAX_LOGS }),
    ]);
    const extent = extentOf(spans.rows);
    const tree = toSpanTree(spans.rows).slice(question.offset);
    const totalSpans = spans.rows[0]?.totalRows ?? 0;
    const keptSpans = cutTree(tree, extent?.startMs ?? 0, { ...limits, maxTokens: limits.maxTokens * SPANS_SHARE });
    const records = logs.rows.map((record) => toOutputLog(record, extent?.startMs ?? record.atMs));
    const logLimits = { ...limits, maxTokens: limits.maxTokens * (1 - SPANS_SHARE) };
    const keptLogs = cutRows(records, logLimits, logs.rows[0]?.totalRows);
    return {
      output: {
        startMs: extent?.startMs ?? null,
        spans: keptSpans,
        totalSpans,
        logs: keptLogs.rows,
        totalLogs: keptLogs.totalRows,
        truncated: question.offset + keptSpans.length < totalSpans || keptLogs.truncated,
      },
      queries: [spans.query, logs.query],
      window: extent ?? question.window ?? { startMs: 0, endMs: context.clock.nowMs() },
      summary: `Trace ${question.traceId}: ${totalSpans} spans, ${keptLogs.totalRows} log records.`,
    };
  },
});

type TreeSpan = TraceSpanRow & { readonly depth: number; readonly selfMs: number };

/** A whole trace with few attributes says more than its beginning with many. */
function cutTree(tree: readonly TreeSpan[], startMs: number, limits: ToolLimits): z.infer<typeof spanSchema>[] {
  const levels = DETAIL_LEVELS.map((detail) => {
    const spans = tree.map((span) => toOutputSpan(span, startMs, detail));
    return cutRows(spans, limits);
  });
  return (levels.find(({ truncated }) => !truncated) ?? levels.at(-1))?.rows ?? [];
}

function toOutputSpan(span: TreeSpan, traceStartMs: number, detail: Detail): z.infer<typeof spanSchema> {
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

function toOutputLog(record: TraceLogRow, traceStartMs: number): z.infer<typeof logSchema> {
  const { atMs, service, spanId, severity, body } = record;
  return { offsetMs: rounded(atMs - traceStartMs), service, spanId, severity, body };
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

function extentOf(spans: readonly TraceSpanRow[]): TimeWindow | undefined {
  if (spans.length === 0) return undefined;
  const startMs = Math.floor(spans.reduce((earliest, span) => Math.min(earliest, span.startMs), Infinity));
  const endMs = Math.ceil(spans.reduce((latest, span) => Math.max(latest, span.startMs + span.durationMs), 0));
  return { startMs, endMs: Math.max(endMs, startMs + 1) };
}
