/** The whole way of a request's body: either encoding, decoded, mapped to rows, counted. */
import type { TelemetryRows } from '../../clickhouse/telemetry-rows.ts';
import { decodeJson } from './decode-json.ts';
import { decodeProto } from './decode-proto.ts';
import { mapLogs } from './map-logs.ts';
import { mapMetrics } from './map-metrics.ts';
import { mapTraces } from './map-traces.ts';
import type { OtlpRequests } from './otlp-messages.ts';
import type { OtlpSignal } from './otlp-schema.ts';
import { RecordCount } from './record-count.ts';
import { timeLimitsAt } from './time-limits.ts';

export type OtlpEncoding = 'protobuf' | 'json';

export interface OtlpRows {
  readonly rows: TelemetryRows;
  readonly count: RecordCount;
}

/**
 * Throws InputError when the body is no such request, LimitError when it holds too much; a bad record is counted, not thrown.
 * @param nowMs the time of receipt
 * @param retentionDays days after which the store deletes a row; 0: never
 */
export function readOtlpRows(
  signal: OtlpSignal,
  encoding: OtlpEncoding,
  body: Uint8Array,
  nowMs: number,
  retentionDays = 0,
): OtlpRows {
  const count = new RecordCount();
  const times = timeLimitsAt(nowMs, retentionDays);
  const mappers = {
    traces: (request: OtlpRequests['traces']) => mapTraces(request, times, count),
    logs: (request: OtlpRequests['logs']) => mapLogs(request, times, count),
    metrics: (request: OtlpRequests['metrics']) => mapMetrics(request, times, count),
  };
  return { rows: decodeAndMap(signal, encoding, body, mappers), count };
}

function decodeAndMap<S extends OtlpSignal>(
  signal: S,
  encoding: OtlpEncoding,
  body: Uint8Array,
  mappers: { readonly [K in OtlpSignal]: (request: OtlpRequests[K]) => TelemetryRows },
): TelemetryRows {
  const request = encoding === 'json' ? decodeJson(signal, body) : decodeProto(signal, body);
  return mappers[signal](request);
}
