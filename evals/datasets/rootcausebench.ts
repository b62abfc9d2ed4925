/**
 * Adapter for RootCauseBench (Edge Delta): JSON and CSV files of logs, spans and metrics become OTLP, what people did becomes
 * changes (./rootcausebench-changes.ts), and the page that went out opens the incident. The clustered log patterns and the
 * instruction that come along are not read: they are somebody's analysis, not telemetry.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { InvariantError } from '../../platform/errors.ts';
import { type AttributeValue, attributes, buildRequests, type ResourceRecord } from '../otlp-json.ts';
import type { LoadedCase, OtlpRequest, ReplayCase } from '../replay-case.ts';
import { readChanges, textOrNothing } from './rootcausebench-changes.ts';

/** Whoever is paged looks a few minutes later; what the files hold of the time after that, nobody knew yet. */
const LOOKED_AFTER_MS = 5 * 60_000;

const pageSchema = z.object({
  service: textOrNothing,
  fired_at: z.string(),
  severity: textOrNothing,
  summary: z.string(),
});

const logSchema = z.looseObject({
  timestamp: z.string(),
  service: z.string(),
  severity_text: textOrNothing,
  msg: z.string(),
  trace_id: textOrNothing,
});
type LogLine = z.infer<typeof logSchema>;

const spanSchema = z.looseObject({
  trace_id: z.string(),
  span_id: z.string(),
  parent_id: z.string().nullish(),
  service: z.string(),
  name: z.string(),
  start: z.string(),
  duration_ms: z.number(),
  status: textOrNothing,
  error: z.unknown().optional(),
  status_message: z.unknown().optional(),
  attributes: z.record(z.string(), z.unknown()).nullish(),
});
type SpanRecord = z.infer<typeof spanSchema>;

interface MetricRow {
  readonly atMs: number;
  readonly service: string;
  readonly metric: string;
  readonly value: number;
}

/** Cases of one part, in name order. */
export function listRootCauseBenchCases(partDir: string): ReplayCase[] {
  const casesDir = join(partDir, 'cases');
  return readdirSync(casesDir)
    .sort()
    .map((caseId) => ({ caseId, load: () => loadCase(join(casesDir, caseId)) }));
}

function loadCase(caseDir: string): LoadedCase {
  const text = (file: string) => readFileSync(join(caseDir, file), 'utf8');
  const page = pageSchema.parse(JSON.parse(text('alert.json')));
  const lookedMs = Date.parse(page.fired_at) + LOOKED_AFTER_MS;
  const logs = readLines(text('logs.ndjson')).filter(({ timestamp }) => Date.parse(timestamp) < lookedMs);
  const spans = z
    .array(spanSchema)
    .parse(JSON.parse(text('traces.json')))
    .filter(({ start }) => Date.parse(start) < lookedMs);
  const metrics = readMetrics(text('metrics.csv')).filter(({ atMs }) => atMs < lookedMs);
  const times = [
    ...logs.map(({ timestamp }) => Date.parse(timestamp)),
    ...spans.map(({ start }) => Date.parse(start)),
    ...metrics.map(({ atMs }) => atMs),
  ];
  if (times.length === 0) throw new InvariantError(`no telemetry before the page in ${caseDir}`);
  const searchWindow = { startMs: Math.min(...times), endMs: Math.min(lookedMs, Math.max(...times) + 1) };

  function* requests(): Generator<OtlpRequest> {
    yield* buildRequests('metrics', metrics.map(toMetric));
    yield* buildRequests('traces', toSpans(spans));
    yield* buildRequests('logs', logs.map(toLogRecord));
  }

  return {
    searchWindow,
    service: page.service,
    title: page.summary.slice(0, 500),
    severity: severityOf(page.severity),
    requests: requests(),
    changes: readChanges(caseDir).filter(({ at }) => at === undefined || Date.parse(at) < lookedMs),
    expectedRows: { otel_traces: spans.length, otel_logs: logs.length, otel_metrics_gauge: metrics.length },
  };
}

function severityOf(word: string): 'low' | 'medium' | 'high' {
  if (/^(critical|high|emergency|page)$/i.test(word)) return 'high';
  return /^(low|info|notice)$/i.test(word) ? 'low' : 'medium';
}

function readLines(text: string): LogLine[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => logSchema.parse(JSON.parse(line)));
}

const metricsFileSchema = z.array(
  z.object({ timestamp: z.string(), service: z.string(), metric: z.string(), value: z.string() }),
);

function readMetrics(text: string): MetricRow[] {
  const rows = metricsFileSchema.parse(parse(text, { columns: true, skip_empty_lines: true }));
  return rows.flatMap(({ timestamp, service, metric, value }) =>
    value !== '' && Number.isFinite(Number(value))
      ? [{ atMs: Date.parse(timestamp), service, metric, value: Number(value) }]
      : [],
  );
}

/** Units that a metric's name ends in, as UCUM; a name that tells none has none. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_ms$/, 'ms'],
  [/_seconds$/, 's'],
  [/_(pct|percent)$/, '%'],
  [/_ratio$/, '1'],
  [/_bytes$/, 'By'],
  [/_mb$/, 'MBy'],
  [/_(rps|per_sec|per_second)$/, '1/s'],
  [/_per_min(ute)?$/, '1/min'],
];

function toMetric({ atMs, service, metric, value }: MetricRow): ResourceRecord {
  const unit = UNITS.find(([ending]) => ending.test(metric))?.[1] ?? '';
  const point = { timeUnixNano: nanos(atMs), asDouble: value };
  return { resource: { 'service.name': service }, record: { name: metric, unit, gauge: { dataPoints: [point] } } };
}

const SEVERITY_NUMBER: Readonly<Record<string, number>> = {
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  WARNING: 13,
  ERROR: 17,
  FATAL: 21,
};

function toLogRecord({ timestamp, service, severity_text, msg, trace_id, ...rest }: LogLine): ResourceRecord {
  const severityNumber = SEVERITY_NUMBER[severity_text.toUpperCase()];
  return {
    resource: { 'service.name': service },
    record: {
      timeUnixNano: nanos(Date.parse(timestamp)),
      ...(severity_text === '' ? {} : { severityText: severity_text }),
      ...(severityNumber === undefined ? {} : { severityNumber }),
      body: { stringValue: msg },
      attributes: attributes(plainValues(rest)),
      ...(isTraceId(trace_id) ? { traceId: trace_id } : {}),
    },
  };
}

const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;
const STATUS_CODE: Readonly<Record<string, number>> = { OK: 1, ERROR: 2 };

/**
 * Span ids are short words there, and a child's trace id may only stand for its parent's: ids are derived, a child takes its
 * parent's trace. The kind, which the files lack, follows from whether parent or child is of another service.
 */
function toSpans(spans: readonly SpanRecord[]): ResourceRecord[] {
  const parentOf = new Map(spans.map((span) => [span, findParent(spans, span)]));
  const callsAway = new Set(
    spans.flatMap((span) => {
      const parent = parentOf.get(span);
      return parent && parent.service !== span.service ? [parent] : [];
    }),
  );
  const rootOf = (span: SpanRecord, steps = spans.length): SpanRecord => {
    const parent = parentOf.get(span);
    return parent && steps > 0 ? rootOf(parent, steps - 1) : span;
  };
  const spanId = (span: SpanRecord) => digest(`${rootOf(span).trace_id} ${span.span_id}`, 16);
  return spans.map((span) => {
    const { parent_id, name, start, duration_ms, status, error, status_message, attributes: nested, ...rest } = span;
    const { trace_id: _trace, span_id: _span, service, ...others } = rest;
    const parent = parentOf.get(span);
    const traceId = rootOf(span).trace_id;
    const values = plainValues({ ...others, ...nested });
    const isEntry = parent === undefined || parent.service !== service;
    const isCall = callsAway.has(span) || values['peer.service'] !== undefined;
    const message = [error, status_message, values['error.message']].find((each) => typeof each === 'string') ?? '';
    return {
      resource: { 'service.name': service },
      record: {
        traceId: isTraceId(traceId) ? traceId : digest(traceId, 32),
        spanId: spanId(span),
        parentSpanId: parent ? spanId(parent) : '',
        name,
        kind: isEntry ? SPAN_KIND.server : isCall ? SPAN_KIND.client : SPAN_KIND.internal,
        startTimeUnixNano: nanos(Date.parse(start)),
        endTimeUnixNano: nanos(Date.parse(start) + duration_ms),
        status: { code: STATUS_CODE[status.toUpperCase()] ?? 0, message },
        attributes: attributes(values),
      },
    };
  });
}

function findParent(spans: readonly SpanRecord[], child: SpanRecord): SpanRecord | undefined {
  const named = spans.filter((span) => span !== child && span.span_id === child.parent_id);
  return named.find(({ trace_id }) => trace_id === child.trace_id) ?? named[0];
}

/** Attributes as OTLP has them; a list or an object becomes its JSON. */
function plainValues(values: Readonly<Record<string, unknown>>): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]): [string, AttributeValue][] => {
      if (value === null || value === undefined) return [];
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [[key, value]];
      return [[key, JSON.stringify(value)]];
    }),
  );
}

function isTraceId(text: string): boolean {
  return /^(?!0{32})[0-9a-f]{32}$/.test(text);
}

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

/** Times in milliseconds, with a part of one, in nanoseconds: microseconds are exact in a double, nanoseconds are not. */
function nanos(atMs: number): string {
  return `${Math.round(atMs * 1000)}000`;
}
