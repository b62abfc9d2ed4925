/** What a simulation sent, as plain lists, and the few sums that answers are checked against: computed here, not by the product. */
import type { KeyValue } from '../../simulator/otlp-json.ts';
import type { SimulatedBatch } from '../../simulator/simulate-shop.ts';

interface ObservedSpan {
  readonly traceId: string;
  readonly service: string;
  readonly operation: string;
  /** Through which work comes into the service: server and consumer spans. */
  readonly isEntry: boolean;
  readonly isRoot: boolean;
  /** Of a client span: whom it called, as `peer.service`; else empty. */
  readonly callee: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string>>;
  readonly pod: string;
  readonly version: string;
}

interface ObservedLine {
  readonly service: string;
  readonly atMs: number;
  readonly severity: 'INFO' | 'WARN' | 'ERROR' | string;
  readonly body: string;
}

interface ObservedPoint {
  readonly service: string;
  readonly pod: string;
  readonly metric: string;
  readonly unit: string;
  readonly atMs: number;
  readonly value: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ObservedFacts {
  readonly spans: readonly ObservedSpan[];
  readonly lines: readonly ObservedLine[];
  /** Gauges and sums; histograms are left out. */
  readonly points: readonly ObservedPoint[];
}

const SERVER_KINDS = new Set([2, 5]);
const CLIENT_KIND = 3;
const ERROR_CODE = 2;

export function observeRequests(batches: readonly SimulatedBatch[]): ObservedFacts {
  return { spans: batches.flatMap(spansOf), lines: batches.flatMap(linesOf), points: batches.flatMap(pointsOf) };
}

function spansOf({ traces }: SimulatedBatch): ObservedSpan[] {
  return (traces?.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const source = sourceOf(resource.attributes);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span): ObservedSpan => {
        const attributes = textsOf(span.attributes);
        const startMs = msOf(span.startTimeUnixNano);
        return {
          ...source,
          traceId: span.traceId,
          operation: span.name,
          isEntry: SERVER_KINDS.has(span.kind),
          isRoot: span.parentSpanId === '',
          callee: span.kind === CLIENT_KIND ? (attributes['peer.service'] ?? '') : '',
          startMs,
          durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
          failed: span.status.code === ERROR_CODE,
          attributes,
        };
      }),
    );
  });
}

function linesOf({ logs }: SimulatedBatch): ObservedLine[] {
  return (logs?.resourceLogs ?? []).flatMap(({ resource, scopeLogs }) => {
    const { service } = sourceOf(resource.attributes);
    return scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ timeUnixNano, severityText, body }) => ({
        service,
        atMs: msOf(timeUnixNano),
        severity: severityText,
        body: String(Object.values(body)[0]),
      })),
    );
  });
}

function pointsOf({ metrics }: SimulatedBatch): ObservedPoint[] {
  return (metrics?.resourceMetrics ?? []).flatMap(({ resource, scopeMetrics }) => {
    const { service, pod } = sourceOf(resource.attributes);
    return scopeMetrics.flatMap(({ metrics: all }) =>
      all.flatMap(
        ({ name, unit, gauge, sum }) =>
          (gauge ?? sum)?.dataPoints.map((point) => ({
            ...{ service, pod, metric: name, unit, atMs: msOf(point.timeUnixNano) },
            value: point.asDouble ?? Number(point.asInt),
            attributes: textsOf(point.attributes),
          })) ?? [],
      ),
    );
  });
}

function sourceOf(attributes: readonly KeyValue[]) {
  const texts = textsOf(attributes);
  return {
    service: texts['service.name'] ?? '',
    pod: texts['k8s.pod.name'] ?? '',
    version: texts['service.version'] ?? '',
  };
}

function textsOf(attributes: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}

function msOf(nanos: string): number {
  return Number(BigInt(nanos) / 1_000_000n);
}

/** Requests into a service (all services: ''), those that start in [fromMs, toMs). */
export function requestsOf({ spans }: ObservedFacts, service: string, fromMs: number, toMs: number): ObservedSpan[] {
  return spans.filter(
    (span) =>
      span.isEntry && (service === '' || span.service === service) && span.startMs >= fromMs && span.startMs < toMs,
  );
}

export function errorRatio(spans: readonly ObservedSpan[]): number {
  return spans.filter(({ failed }) => failed).length / Math.max(1, spans.length);
}

/** The value below which a share of the values lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Names by how much each has, most first. */
export function rankNames<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  weigh: (group: T[]) => number,
): string[] {
  const groups = Object.entries(Object.groupBy(items, nameOf));
  return groups
    .map(([name, group]) => ({ name, weight: weigh(group ?? []) }))
    .sort((left, right) => right.weight - left.weight || (left.name < right.name ? -1 : 1))
    .map(({ name }) => name);
}
