/** OTLP requests whose every record carries a number of its own, so that what is stored can be compared with what was sent. */
import { createHash } from 'node:crypto';

export const DRILL_SIGNALS = ['traces', 'logs', 'metrics'] as const;
export type DrillSignal = (typeof DRILL_SIGNALS)[number];

export interface NumberedRequest {
  /** Unique for ever; every attempt to send it carries the same. */
  readonly request: string;
  readonly signal: DrillSignal;
  readonly service: string;
  readonly records: number;
  readonly atMs: number;
  /** Names of the attributes that carry the numbers. */
  readonly keys: { readonly request: string; readonly record: string };
}

/** The body of POST /v1/SIGNAL, as JSON. Pure: a second attempt sends the same bytes. */
export function numberedBody(numbered: NumberedRequest): string {
  const { signal, service } = numbered;
  const resource = { attributes: [text('service.name', service)] };
  const records = Array.from({ length: numbered.records }, (_, index) => RECORDS[signal](numbered, index));
  const shapes = {
    traces: { resourceSpans: [{ resource, scopeSpans: [{ spans: records }] }] },
    logs: { resourceLogs: [{ resource, scopeLogs: [{ logRecords: records }] }] },
    metrics: {
      resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'drill', gauge: { dataPoints: records } }] }] }],
    },
  };
  return JSON.stringify(shapes[signal]);
}

const RECORDS: Readonly<Record<DrillSignal, (numbered: NumberedRequest, index: number) => object>> = {
  traces: (numbered, index) => ({
    traceId: hex(numbered.request, 32),
    spanId: hex(`${numbered.request}/${index}`, 16),
    name: 'drill',
    kind: 2,
    startTimeUnixNano: nanos(numbered),
    endTimeUnixNano: nanos(numbered),
    attributes: numbersOf(numbered, index),
  }),
  logs: (numbered, index) => ({
    timeUnixNano: nanos(numbered),
    body: { stringValue: 'drill' },
    attributes: numbersOf(numbered, index),
  }),
  metrics: (numbered, index) => ({
    timeUnixNano: nanos(numbered),
    asDouble: index,
    attributes: numbersOf(numbered, index),
  }),
};

function numbersOf({ request, keys }: NumberedRequest, index: number) {
  return [text(keys.request, request), text(keys.record, String(index))];
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const nanos = ({ atMs }: NumberedRequest) => `${atMs}000000`;
const hex = (label: string, digits: number) => createHash('sha256').update(label).digest('hex').slice(0, digits);
