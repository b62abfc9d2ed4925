/** The shop in ordinary time: deterministic, shaped as OTLP/JSON demands, as busy as asked, with the noise of real life. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../platform/errors.ts';
import type { LogRecord, Metric, Span } from './otlp-json.ts';
import { seasonFactor } from './season.ts';
import { type SimulatedBatch, simulateShop } from './simulate-shop.ts';
import type { SimulationOptions } from './simulation-options.ts';

const START_MS = Date.UTC(2026, 0, 14, 10);
const QUIET: SimulationOptions = { seed: 5, startMs: START_MS, endMs: START_MS + 60_000, requestsPerSecond: 12 };
const ASYNC_KINDS = [5];

interface Located {
  readonly service: string;
  readonly span: Span;
}

function locate(batches: readonly SimulatedBatch[]): Located[] {
  return batches.flatMap((batch) =>
    (batch.traces?.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map((span) => ({ service: text(resource.attributes, 'service.name'), span })),
      ),
    ),
  );
}

function text(attributes: Span['attributes'], key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value ? String(Object.values(value)[0]) : '';
}

function logsOf(batches: readonly SimulatedBatch[]): LogRecord[] {
  const resources = batches.flatMap((batch) => batch.logs?.resourceLogs ?? []);
  return resources.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
}

function metricsOf(batches: readonly SimulatedBatch[]): { readonly pod: string; readonly metric: Metric }[] {
  return batches
    .flatMap((batch) => batch.metrics?.resourceMetrics ?? [])
    .flatMap(({ resource, scopeMetrics }) =>
      scopeMetrics.flatMap((scope) =>
        scope.metrics.map((metric) => ({ pod: text(resource.attributes, 'k8s.pod.name'), metric })),
      ),
    );
}

const quiet = [...simulateShop(QUIET)];
const spans = locate(quiet);

describe('simulateShop', () => {
  it('gives the same batches for the same options, and others for another seed', () => {
    expect(JSON.stringify([...simulateShop(QUIET)])).toBe(JSON.stringify(quiet));
    expect(JSON.stringify([...simulateShop({ ...QUIET, seed: 6 })])).not.toBe(JSON.stringify(quiet));
  });

  it('gives the same requests in other batches and windows', () => {
    const ids = (options: SimulationOptions) =>
      locate([...simulateShop(options)])
        .map(({ span }) => span.spanId)
        .sort();
    const whole = spans.map(({ span }) => span.spanId).sort();
    const middleMs = START_MS + 23_456;
    expect(ids({ ...QUIET, batchSeconds: 7 })).toEqual(whole);
    const halves = [...ids({ ...QUIET, endMs: middleMs }), ...ids({ ...QUIET, startMs: middleMs })];
    expect(halves.sort()).toEqual(whole);
  });

  it('counts what it hands out, in order of time', () => {
    expect(quiet.map(({ startMs }) => startMs - START_MS)).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000]);
    expect(quiet.reduce((sum, batch) => sum + batch.spanCount, 0)).toBe(spans.length);
    for (const batch of quiet) {
      expect(batch.logCount).toBe(logsOf([batch]).length);
      expect(batch.pointCount).toBeGreaterThan(400);
    }
  });

  it('serves at the rate asked for, times the season', () => {
    const roots = spans.filter(({ span }) => span.parentSpanId === '');
    const expected = 60 * 12 * seasonFactor(START_MS + 30_000);
    expect(Math.abs(roots.length - expected)).toBeLessThan(4 * Math.sqrt(expected));
    expect(roots.every(({ service }) => service === 'gateway')).toBe(true);
    expect(new Set(spans.map(({ service }) => service)).size).toBeGreaterThanOrEqual(14);
  });

  it('follows the OTLP/JSON mapping', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000_000 }), fc.nat({ max: 604_800 }), (seed, second) => {
        const startMs = START_MS + second * 1000;
        const batches = [...simulateShop({ seed, startMs, endMs: startMs + 10_000, requestsPerSecond: 3 })];
        for (const { span } of locate(batches)) {
          expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
          expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
          expect(span.parentSpanId).toMatch(/^([0-9a-f]{16})?$/);
          expect(span.startTimeUnixNano).toMatch(/^\d{19}$/);
          expect(BigInt(span.endTimeUnixNano) > BigInt(span.startTimeUnixNano)).toBe(true);
          expect(Number.isInteger(span.kind)).toBe(true);
          for (const { key, value } of span.attributes) {
            expect(key).not.toBe('');
            if ('intValue' in value) expect(value.intValue).toMatch(/^-?\d+$/);
          }
        }
        expect(/null|NaN|Infinity/.test(JSON.stringify(batches))).toBe(false);
        const unfilled = logsOf(batches).filter(({ body }) => /\{(?!id\})\w+\}/.test(JSON.stringify(body)));
        expect(unfilled).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });

  it('links every span to a parent of its trace that lasts as long, unless nobody waits for it', () => {
    const byId = new Map(spans.map((located) => [located.span.spanId, located]));
    expect(byId.size).toBe(spans.length);
    let late = 0;
    for (const { span } of spans) {
      if (span.parentSpanId === '') continue;
      const parent = byId.get(span.parentSpanId)?.span;
      expect(parent?.traceId).toBe(span.traceId);
      if (!parent || ASYNC_KINDS.includes(span.kind)) continue;
      expect(BigInt(span.startTimeUnixNano) >= BigInt(parent.startTimeUnixNano)).toBe(true);
      const isAbandoned = text(parent.attributes, 'error.type') === 'timeout';
      if (isAbandoned) late += 1;
      else expect(BigInt(span.endTimeUnixNano) <= BigInt(parent.endTimeUnixNano)).toBe(true);
    }
    expect(late).toBeLessThan(spans.length / 1000);
  });

  it('has client and server spans on both sides of a call, and databases on one', () => {
    const childKinds = (peer: string) => {
      const clients = spans.filter(({ span }) => span.kind === 3 && text(span.attributes, 'peer.service') === peer);
      const ids = new Set(clients.map(({ span }) => span.spanId));
      return { calls: clients.length, served: spans.filter(({ span }) => ids.has(span.parentSpanId)).length };
    };
    const catalog = childKinds('catalog');
    expect(catalog.served).toBe(catalog.calls);
    expect(childKinds('catalog-db')).toEqual({ calls: expect.any(Number), served: 0 });
    const query = spans.find(({ span }) => text(span.attributes, 'peer.service') === 'catalog-db')?.span;
    expect(text(query?.attributes ?? [], 'db.system')).toBe('postgresql');
  });

  it('fails and retries a little even on a good day, with logs that name the trace', () => {
    const longer = { ...QUIET, endMs: START_MS + 180_000, requestsPerSecond: 20 };
    const batches = [...simulateShop(longer)];
    const all = locate(batches);
    const served = all.filter(({ span }) => span.kind === 2);
    const share = served.filter(({ span }) => span.status.code === 2).length / served.length;
    expect(share).toBeGreaterThan(0.0005);
    expect(share).toBeLessThan(0.01);
    const calls = new Map<string, Span[]>();
    for (const { span } of all.filter((located) => located.span.kind === 3)) {
      const key = `${span.parentSpanId} ${span.name}`;
      calls.set(key, [...(calls.get(key) ?? []), span]);
    }
    const retried = [...calls.values()].filter((attempts) => attempts.length === 2 && attempts[0]?.status.code === 2);
    expect(retried.length).toBeGreaterThan(0);
    const ids = new Set(all.map(({ span }) => span.spanId));
    const logs = logsOf(batches);
    expect(logs.filter((log) => log.traceId !== '').every((log) => ids.has(log.spanId))).toBe(true);
    const severities = new Set(logs.map((log) => log.severityText));
    expect([...severities].sort()).toEqual(['ERROR', 'INFO', 'WARN']);
    const error = logs.find((log) => log.severityText === 'ERROR');
    expect(text(error?.attributes ?? [], 'exception.stacktrace')).toContain('\n');
  });

  it('reports every pod once per interval, its cumulative count never falling', () => {
    const counts = new Map<string, number[]>();
    for (const { pod, metric } of metricsOf(quiet)) {
      if (metric.name !== 'http.server.request.count') continue;
      for (const point of metric.sum?.dataPoints ?? [])
        counts.set(pod, [...(counts.get(pod) ?? []), Number(point.asInt)]);
    }
    const served = spans.filter(({ span }) => span.kind === 2 || span.kind === 5).length;
    const total = [...counts.values()].reduce((sum, values) => sum + (values.at(-1) ?? 0), 0);
    expect(total).toBeLessThanOrEqual(served);
    expect(total).toBeGreaterThan(0.97 * served);
    for (const values of counts.values()) {
      expect(values.length).toBe(6);
      expect(values).toEqual(values.toSorted((left, right) => left - right));
    }
  });

  it('reports resources, pools and duration histograms that add up', () => {
    const metrics = metricsOf(quiet).map(({ metric }) => metric);
    for (const point of metrics.flatMap(({ histogram }) => histogram?.dataPoints ?? [])) {
      expect(String(point.bucketCounts.reduce((sum, count) => sum + Number(count), 0))).toBe(point.count);
      expect(point.bucketCounts.length).toBe(point.explicitBounds.length + 1);
      expect(point.min).toBeLessThanOrEqual(point.max);
    }
    const utilizations = metrics
      .filter(({ name }) => name.endsWith('cpu.utilization'))
      .flatMap(({ gauge }) => gauge?.dataPoints ?? []);
    expect(utilizations.every(({ asDouble = -1 }) => asDouble >= 0 && asDouble <= 1)).toBe(true);
    const wanted = [
      'container.cpu.utilization',
      'container.memory.usage',
      'db.client.connection.count',
      'jvm.gc.pause',
    ];
    const names = new Set(metrics.map(({ name }) => name));
    expect([...names]).toEqual(
      expect.arrayContaining([...wanted, 'http.server.request.duration', 'k8s.node.cpu.utilization']),
    );
  });

  it('refuses options that make no sense, all of them at once', () => {
    const bad = { ...QUIET, endMs: START_MS, requestsPerSecond: 0, seed: -1 };
    expect(() => simulateShop(bad).next()).toThrow(InputError);
    expect(() => simulateShop(bad).next()).toThrow(/seed[\s\S]*requestsPerSecond/);
  });
});

describe('seasonFactor', () => {
  it('has a mean of one week, nights below days, Sundays below Fridays', () => {
    const hours = Array.from({ length: 168 }, (_, hour) => seasonFactor(Date.UTC(2026, 0, 12, hour)));
    expect(hours.reduce((sum, factor) => sum + factor, 0) / 168).toBeCloseTo(1, 2);
    expect(seasonFactor(Date.UTC(2026, 0, 14, 4))).toBeLessThan(0.5 * seasonFactor(Date.UTC(2026, 0, 14, 13)));
    expect(seasonFactor(Date.UTC(2026, 0, 18, 12))).toBeLessThan(0.85 * seasonFactor(Date.UTC(2026, 0, 16, 12)));
  });
});
