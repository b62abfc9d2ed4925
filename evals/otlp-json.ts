/** Small builders of OTLP/JSON requests for the adapters; shapes and names as the OTLP specification's JSON mapping. */
import type { OtlpRequest } from './replay-case.ts';

const RECORDS_PER_REQUEST = 5_000;

export type AttributeValue = string | number | boolean;

export function attributes(values: Readonly<Record<string, AttributeValue>>): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** One record (span, log record or metric) with the attributes of the resource it belongs to. */
export interface ResourceRecord {
  readonly resource: Readonly<Record<string, AttributeValue>>;
  readonly record: object;
}

const SHAPES = {
  traces: { path: '/v1/traces', outer: 'resourceSpans', scope: 'scopeSpans', records: 'spans' },
  logs: { path: '/v1/logs', outer: 'resourceLogs', scope: 'scopeLogs', records: 'logRecords' },
  metrics: { path: '/v1/metrics', outer: 'resourceMetrics', scope: 'scopeMetrics', records: 'metrics' },
} as const;

/** Groups records by resource into requests of a bounded size. */
export function* buildRequests(signal: keyof typeof SHAPES, records: Iterable<ResourceRecord>): Generator<OtlpRequest> {
  let pending: ResourceRecord[] = [];
  for (const record of records) {
    pending.push(record);
    if (pending.length === RECORDS_PER_REQUEST) {
      yield buildRequest(signal, pending);
      pending = [];
    }
  }
  if (pending.length > 0) yield buildRequest(signal, pending);
}

function buildRequest(signal: keyof typeof SHAPES, records: readonly ResourceRecord[]): OtlpRequest {
  const shape = SHAPES[signal];
  const groups = Map.groupBy(records, ({ resource }) => JSON.stringify(resource));
  const resources = [...groups.values()].map((group) => ({
    resource: { attributes: attributes(group[0]?.resource ?? {}) },
    [shape.scope]: [{ scope: { name: 'replay' }, [shape.records]: group.map(({ record }) => record) }],
  }));
  return { path: shape.path, body: { [shape.outer]: resources } };
}
