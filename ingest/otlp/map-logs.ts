/** Log records to rows of otel_logs. Pure: the same request and time of receipt give the same rows. */
import type { LogRow, TelemetryRows } from '../../clickhouse/telemetry-rows.ts';
import {
  attributesColumn,
  MAX_BODY_CHARS,
  MAX_NAME_CHARS,
  type ResourceColumns,
  resourceColumns,
  type ScopeColumns,
  scopeColumns,
  sharedChars,
  spanIdOf,
  textOf,
  timeColumn,
  traceIdOf,
} from './column-values.ts';
import type { LogRecord, LogsRequest } from './otlp-messages.ts';
import type { RecordCount } from './record-count.ts';
import type { TimeLimits } from './time-limits.ts';

/** SEVERITY_NUMBER_FATAL4. */
const MAX_SEVERITY_NUMBER = 24;

export function mapLogs(request: LogsRequest, times: TimeLimits, count: RecordCount): TelemetryRows {
  const rows: LogRow[] = [];
  for (const { resource, schemaUrl, scopeLogs } of request.resourceLogs) {
    const resourceColumnsOfAll = resourceColumns(resource, schemaUrl, count);
    for (const { scope, schemaUrl: scopeSchemaUrl, logRecords } of scopeLogs) {
      const scopeColumnsOfAll = scopeColumns(scope, scopeSchemaUrl, count);
      const repeatedChars = sharedChars(resourceColumnsOfAll, scopeColumnsOfAll);
      for (const record of logRecords) {
        const row = mapLogRecord(record, times, resourceColumnsOfAll, scopeColumnsOfAll, count);
        if (row !== undefined && count.mayRepeat(repeatedChars)) rows.push(row);
      }
    }
  }
  count.accepted += rows.length;
  return rows.length > 0 ? { otel_logs: rows } : {};
}

function mapLogRecord(
  record: LogRecord,
  times: TimeLimits,
  resource: ResourceColumns,
  scope: ScopeColumns,
  count: RecordCount,
): LogRow | undefined {
  if (record.malformed !== undefined) return count.reject(record.malformed);
  const unixNano = record.timeUnixNano || record.observedTimeUnixNano || times.receivedUnixNano;
  const timeProblem = times.problemOf(unixNano);
  if (timeProblem !== undefined) return count.reject(`time ${timeProblem}`);
  if (times.isLate(unixNano)) count.late += 1;
  const { severityNumber } = record;
  const isKnownSeverity = severityNumber >= 0 && severityNumber <= MAX_SEVERITY_NUMBER;
  return {
    Timestamp: timeColumn(unixNano),
    // An invalid id means "belongs to no trace" (logs data model); the line itself is as good as any.
    TraceId: traceIdOf(record.traceId) ?? '',
    SpanId: spanIdOf(record.spanId) ?? '',
    // The upper 24 bits are reserved.
    TraceFlags: record.flags & 0xff,
    SeverityText: count.text(record.severityText, MAX_NAME_CHARS),
    SeverityNumber: isKnownSeverity ? severityNumber : 0,
    ServiceName: resource.ServiceName,
    Body: count.text(textOf(record.body), MAX_BODY_CHARS),
    ResourceSchemaUrl: resource.ResourceSchemaUrl,
    ResourceAttributes: resource.ResourceAttributes,
    ScopeSchemaUrl: scope.ScopeSchemaUrl,
    ScopeName: scope.ScopeName,
    ScopeVersion: scope.ScopeVersion,
    ScopeAttributes: scope.ScopeAttributes,
    LogAttributes: attributesColumn(record.attributes, count),
    EventName: count.text(record.eventName, MAX_NAME_CHARS),
  };
}
