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

export type OtlpEncoding = 'protobuf' | 'json';

export interface OtlpRows {
  readonly rows: TelemetryRows;
  readonly count: RecordCount;
}

/** Throws InputError when the body is no such request; a bad record in it is counted, not thrown. */
export function readOtlpRows(signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array, nowMs: number): OtlpRows {
  const count = new RecordCount();
  const mappers = {
    traces: (request: OtlpRequests['traces']) => mapTraces(request, count),
    logs: (request: OtlpRequests['logs']) => mapLogs(request, nowMs, count),
    metrics: (request: OtlpRequests['metrics']) => mapMetrics(request, count),
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
