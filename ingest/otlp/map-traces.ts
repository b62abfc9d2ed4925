/** Spans to rows of otel_traces. Pure: the same request gives the same rows. */
import type { SpanRow, TelemetryRows } from '../../clickhouse/telemetry-rows.ts';
import {
  attributesColumn,
  MAX_ITEMS,
  MAX_NAME_CHARS,
  MAX_VALUE_CHARS,
  type ResourceColumns,
  resourceColumns,
  type ScopeColumns,
  scopeColumns,
  sharedChars,
  spanIdOf,
  timeColumn,
  traceIdOf,
} from './column-values.ts';
import type { Span, SpanEvent, SpanLink, TracesRequest } from './otlp-messages.ts';
import type { RecordCount } from './record-count.ts';
import { isPlausibleTime, type TimeLimits } from './time-limits.ts';

/** A clock may be set back while a span runs: up to this much, the span took no time; beyond, its times mean nothing. */
const MAX_CLOCK_STEP_NANOS = 1_000_000_000n;

/** A start that a broken clock put years ago would outweigh every real duration in sums and averages. */
const MAX_DURATION_NANOS = 366n * 86_400n * 1_000_000_000n;

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'] as const;
const STATUS_CODES = ['Unset', 'Ok', 'Error'] as const;

export function mapTraces(request: TracesRequest, times: TimeLimits, count: RecordCount): TelemetryRows {
  const rows: SpanRow[] = [];
  for (const { resource, schemaUrl, scopeSpans } of request.resourceSpans) {
    const resourceColumnsOfAll = resourceColumns(resource, schemaUrl, count);
    for (const { scope, schemaUrl: scopeSchemaUrl, spans } of scopeSpans) {
      const scopeColumnsOfAll = scopeColumns(scope, scopeSchemaUrl, count);
      const repeatedChars = sharedChars(resourceColumnsOfAll, scopeColumnsOfAll);
      for (const span of spans) {
        const row = mapSpan(span, times, resourceColumnsOfAll, scopeColumnsOfAll, count);
        if (row !== undefined && count.mayRepeat(repeatedChars)) rows.push(row);
      }
    }
  }
  count.accepted += rows.length;
  return rows.length > 0 ? { otel_traces: rows } : {};
}

function mapSpan(
  span: Span,
  times: TimeLimits,
  resource: ResourceColumns,
  scope: ScopeColumns,
  count: RecordCount,
): SpanRow | undefined {
  if (span.malformed !== undefined) return count.reject(span.malformed);
  const { startTimeUnixNano: start, endTimeUnixNano: end, status } = span;
  const traceId = traceIdOf(span.traceId);
  if (traceId === undefined) return count.reject('trace id is not 16 bytes, or all zero');
  const spanId = spanIdOf(span.spanId);
  if (spanId === undefined) return count.reject('span id is not 8 bytes, or all zero');
  if (span.parentSpanId.length !== 0 && span.parentSpanId.length !== 8) {
    return count.reject('parent span id is neither empty nor 8 bytes');
  }
  const timeProblem = problemOfTimes(start, end, times);
  if (timeProblem !== undefined) return count.reject(timeProblem);
  // A span is sent when it has ended.
  if (times.isLate(end)) count.late += 1;
  const startColumn = timeColumn(start);
  const events = count.list(span.events, MAX_ITEMS);
  const links = count.list(span.links, MAX_ITEMS).filter(isValidLink);
  return {
    Timestamp: startColumn,
    TraceId: traceId,
    SpanId: spanId,
    // Some SDKs write eight zero bytes for "no parent".
    ParentSpanId: spanIdOf(span.parentSpanId) ?? '',
    TraceState: count.text(span.traceState, MAX_NAME_CHARS),
    SpanName: count.text(span.name, MAX_NAME_CHARS),
    SpanKind: KINDS[span.kind] ?? 'Unspecified',
    ServiceName: resource.ServiceName,
    ResourceAttributes: resource.ResourceAttributes,
    ScopeName: scope.ScopeName,
    ScopeVersion: scope.ScopeVersion,
    SpanAttributes: attributesColumn(span.attributes, count),
    Duration: end > start ? (end - start).toString() : '0',
    StatusCode: STATUS_CODES[status?.code ?? 0] ?? 'Unset',
    StatusMessage: count.text(status?.message ?? '', MAX_VALUE_CHARS),
    'Events.Timestamp': events.map((event) => eventTime(event, startColumn)),
    'Events.Name': events.map((event) => count.text(event.name, MAX_NAME_CHARS)),
    'Events.Attributes': events.map((event) => attributesColumn(event.attributes, count)),
    'Links.TraceId': links.map((link) => traceIdOf(link.traceId) ?? ''),
    'Links.SpanId': links.map((link) => spanIdOf(link.spanId) ?? ''),
    'Links.TraceState': links.map((link) => count.text(link.traceState, MAX_NAME_CHARS)),
    'Links.Attributes': links.map((link) => attributesColumn(link.attributes, count)),
  };
}

function problemOfTimes(start: bigint, end: bigint, times: TimeLimits): string | undefined {
  const startProblem = times.problemOf(start);
  if (startProblem !== undefined) return `start time ${startProblem}`;
  if (start - end > MAX_CLOCK_STEP_NANOS && isPlausibleTime(end)) return 'span ends before it starts';
  const endProblem = times.problemOf(end);
  if (endProblem !== undefined) return `end time ${endProblem}`;
  return end - start > MAX_DURATION_NANOS ? 'span lasts longer than a year' : undefined;
}

/** The time of what happened in a span; when it is unknown, the span's start. */
function eventTime(event: SpanEvent, startColumn: string): string {
  return isPlausibleTime(event.timeUnixNano) ? timeColumn(event.timeUnixNano) : startColumn;
}

/** A link that points nowhere says nothing. */
function isValidLink(link: SpanLink): boolean {
  return traceIdOf(link.traceId) !== undefined && spanIdOf(link.spanId) !== undefined;
}
