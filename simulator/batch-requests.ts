/** Cuts a simulated batch into the requests that carry it: one body each for /v1/changes, /v1/traces, /v1/logs or /v1/metrics. */
import type { ResourceMetrics } from './otlp-json.ts';
import type { SimulatedBatch } from './simulate-shop.ts';

export interface BatchCounts {
  spans: number;
  logRecords: number;
  dataPoints: number;
  changes: number;
}

export interface BatchRequest {
  readonly path: '/v1/changes' | '/v1/traces' | '/v1/logs' | '/v1/metrics';
  readonly body: object;
  /** What it holds, and how much of it. */
  readonly holds: keyof BatchCounts;
  readonly count: number;
}

export function noCounts(): BatchCounts {
  return { spans: 0, logRecords: 0, dataPoints: 0, changes: 0 };
}

/** @param maxRecords spans, records or metrics in a request, unless one pod alone has more */
export function requestsOf({ changes, traces, logs, metrics }: SimulatedBatch, maxRecords: number): BatchRequest[] {
  const spans = split(traces?.resourceSpans ?? [], maxRecords, ({ scopeSpans }) => scopeSpans[0]?.spans.length ?? 0);
  const records = split(logs?.resourceLogs ?? [], maxRecords, ({ scopeLogs }) => scopeLogs[0]?.logRecords.length ?? 0);
  const series = split(metrics?.resourceMetrics ?? [], maxRecords, metricsIn);
  return [
    ...(changes.length > 0
      ? [{ path: '/v1/changes', body: { changes }, holds: 'changes', count: changes.length } as const]
      : []),
    ...spans.map(
      ({ part, size }) => ({ path: '/v1/traces', body: { resourceSpans: part }, holds: 'spans', count: size }) as const,
    ),
    ...records.map(
      ({ part, size }) =>
        ({ path: '/v1/logs', body: { resourceLogs: part }, holds: 'logRecords', count: size }) as const,
    ),
    ...series.map(
      ({ part }) =>
        ({ path: '/v1/metrics', body: { resourceMetrics: part }, holds: 'dataPoints', count: pointsIn(part) }) as const,
    ),
  ];
}

function metricsIn({ scopeMetrics }: ResourceMetrics): number {
  return scopeMetrics[0]?.metrics.length ?? 0;
}

function pointsIn(resources: readonly ResourceMetrics[]): number {
  const metrics = resources.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return metrics.reduce((sum, { gauge, sum: total, histogram }) => {
    return sum + ((gauge ?? total ?? histogram)?.dataPoints.length ?? 0);
  }, 0);
}

/** Runs of resources with at most `limit` records together; one that has more goes alone. */
function split<R>(
  resources: readonly R[],
  limit: number,
  sizeOf: (resource: R) => number,
): { readonly part: R[]; size: number }[] {
  const parts: { part: R[]; size: number }[] = [];
  for (const resource of resources) {
    const more = sizeOf(resource);
    const last = parts.at(-1);
    if (last && last.size + more <= limit) {
      last.part.push(resource);
      last.size += more;
    } else {
      parts.push({ part: [resource], size: more });
    }
  }
  return parts;
}
