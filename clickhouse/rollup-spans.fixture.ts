/** Spans for tests of rollups: services of all kinds and of none, over midnight, parents and children apart in time. */
import type { SpanRow } from './telemetry-rows.ts';

/** 10 minutes before a midnight. */
export const SPANS_START_MS = Date.UTC(2026, 2, 1, 23, 50);
export const SPANS_END_MS = SPANS_START_MS + 20 * 60_000;

const NOTHING = {
  TraceState: '',
  ResourceAttributes: {},
  ScopeName: '',
  ScopeVersion: '',
  SpanAttributes: {},
  StatusMessage: '',
  'Events.Timestamp': [],
  'Events.Name': [],
  'Events.Attributes': [],
  'Links.TraceId': [],
  'Links.SpanId': [],
  'Links.TraceState': [],
  'Links.Attributes': [],
} as const;

export interface SpanParts {
  readonly atMs: number;
  readonly trace: number;
  readonly id: number;
  readonly parent?: number;
  readonly kind?: SpanRow['SpanKind'];
  readonly service: string;
  readonly ms?: number;
  readonly isFailed?: boolean;
  readonly version?: string;
  readonly pod?: string;
}

export function makeSpan({ atMs, trace, id, parent, kind = 'Server', service, ms = 1, ...rest }: SpanParts): SpanRow {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return {
    ...NOTHING,
    Timestamp: `${atMs}000000`,
    TraceId: hex(trace, 32),
    SpanId: hex(id, 16),
    ParentSpanId: parent === undefined ? '' : hex(parent, 16),
    SpanName: `op ${id % 3}`,
    SpanKind: kind,
    ServiceName: service,
    ResourceAttributes: { 'service.version': rest.version ?? '1', 'k8s.pod.name': rest.pod ?? `${service}-0` },
    Duration: String(Math.round(ms * 1e6)),
    StatusCode: rest.isFailed ? 'Error' : 'Unset',
  };
}

/** Traces of six spans, a few a second: web calls cart and a driver; legacy and batch record no kinds. */
export function makeTraces(traces: number): SpanRow[] {
  const stepMs = (SPANS_END_MS - SPANS_START_MS) / traces;
  return Array.from({ length: traces }, (_, trace) => {
    const atMs = Math.floor(SPANS_START_MS + trace * stepMs);
    const id = trace * 16 + 1;
    const ms = 1 + ((trace * 7919) % 1000) ** 1.3;
    const isFailed = trace % 11 === 0;
    return [
      makeSpan({
        atMs,
        trace,
        id,
        service: 'web',
        ms,
        isFailed,
        version: trace * 3 < traces ? '1' : '2',
        pod: `web-${trace % 3}`,
      }),
      makeSpan({ atMs: atMs + 1, trace, id: id + 1, parent: id, kind: 'Client', service: 'web', ms: ms / 2, isFailed }),
      makeSpan({ atMs: atMs + 2, trace, id: id + 2, parent: id + 1, service: 'cart', ms: ms / 3, isFailed }),
      makeSpan({ atMs: atMs + 3, trace, id: id + 3, parent: id + 2, kind: 'Unspecified', service: 'legacy', ms }),
      // Its parent started up to half a minute earlier: in another minute for every second trace.
      makeSpan({
        atMs: atMs + 30_000,
        trace,
        id: id + 4,
        parent: id + 3,
        kind: 'Unspecified',
        service: 'legacy',
        ms: 2,
      }),
      makeSpan({
        atMs: atMs + 4,
        trace,
        id: id + 5,
        kind: trace % 2 ? 'Producer' : 'Unspecified',
        service: 'batch',
        ms: 3,
      }),
    ];
  }).flat();
}
