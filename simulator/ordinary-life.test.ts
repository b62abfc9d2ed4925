/** What looks abnormal and is ordinary: jobs, tiny services, long polls, killed containers, holidays. */
import { describe, expect, it } from 'vitest';
import type { KeyValue, Span } from './otlp-json.ts';
import { planSimulation } from './plan-simulation.ts';
import { holidayFactor } from './season.ts';
import { simulateShop } from './simulate-shop.ts';
import type { SimulationOptions } from './simulation-options.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NIGHT_MS = Date.UTC(2026, 2, 3);
const COMMON = { seed: 5, requestsPerSecond: 1, ordinaryLife: true, metricsSeconds: 60, batchSeconds: 60 } as const;

const between = (startMs: number, minutes: number, more: Partial<SimulationOptions> = {}) => [
  ...simulateShop({ ...COMMON, startMs, endMs: startMs + minutes * MINUTE_MS, ...more }),
];

interface Served {
  readonly service: string;
  readonly span: Span;
  readonly ms: number;
}

function spansOf(batches: ReturnType<typeof between>): Served[] {
  return batches
    .flatMap(({ traces }) => traces?.resourceSpans ?? [])
    .flatMap(({ resource, scopeSpans }) => {
      const service = textOf(resource.attributes, 'service.name');
      return scopeSpans
        .flatMap(({ spans }) => spans)
        .map((span) => {
          return { service, span, ms: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6 };
        });
    });
}

function textOf(attributes: readonly KeyValue[], key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value && 'stringValue' in value ? value.stringValue : '';
}

const median = (values: readonly number[]) => values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0;

describe('ordinary life', () => {
  it('has a report at two in the morning that makes the database of others slower for twelve minutes', () => {
    const [before, during, after] = [-15, 0, 14].map((minute) =>
      spansOf(between(NIGHT_MS + 2 * HOUR_MS + minute * MINUTE_MS, 11)),
    );
    const reports = (spans: readonly Served[] = []) => spans.filter(({ service }) => service === 'reporting').length;
    expect([reports(before), reports(after)]).toEqual([0, 0]);
    expect(reports(during)).toBeGreaterThan(100);
    const orders = (spans: readonly Served[] = []) =>
      median(
        spans
          .filter(
            ({ service, span }) => service !== 'reporting' && textOf(span.attributes, 'peer.service') === 'orders-db',
          )
          .map(({ ms }) => ms),
      );
    expect(orders(during) / orders(before)).toBeGreaterThan(1.3);
    expect(orders(after) / orders(before)).toBeLessThan(1.2);
  });

  it('has a service that is asked every few minutes, and clients that wait half a minute for news', () => {
    const spans = spansOf(between(NIGHT_MS + 12 * HOUR_MS, 40));
    const asked = spans.filter(({ service }) => service === 'backoffice');
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(40);
    const news = spans.filter(({ service, span }) => service === 'push' && span.kind === 2).map(({ ms }) => ms);
    expect(news.length).toBeGreaterThan(20);
    expect(median(news)).toBeGreaterThan(25_000);
    expect(Math.max(...news)).toBeLessThanOrEqual(30_000);
  });

  it('kills a pod now and then, at the same moment whatever window is looked at; its counters begin anew', () => {
    const { life, shop } = planSimulation({ ...COMMON, startMs: NIGHT_MS, endMs: NIGHT_MS + DAY_MS });
    const deaths = shop.services.flatMap((service) =>
      Array.from({ length: service.pods }, (_, slot) => {
        const [first, second] = [NIGHT_MS, NIGHT_MS + HOUR_MS].map((startedMs) =>
          Math.min(...life.map(({ lifeEnd }) => lifeEnd?.(service, slot, startedMs) ?? Number.POSITIVE_INFINITY)),
        );
        return { service, atMs: first ?? 0, later: second ?? 0 };
      }),
    );
    const today = deaths.filter(({ atMs }) => atMs < NIGHT_MS + DAY_MS);
    expect(today.length).toBeGreaterThan(0);
    expect(today.length).toBeLessThan(10);
    expect(deaths.every(({ atMs, later }) => later === atMs || atMs <= NIGHT_MS + HOUR_MS)).toBe(true);
    expect(
      deaths.filter(({ service }) => service.pods < 2 && service.runtime).every(({ atMs }) => !Number.isFinite(atMs)),
    ).toBe(true);
    const [death] = today;
    const startMs = Math.floor((death?.atMs ?? 0) / MINUTE_MS) * MINUTE_MS - 2 * MINUTE_MS;
    const restarts = between(startMs, 5)
      .flatMap(({ metrics }) => metrics?.resourceMetrics ?? [])
      .filter(({ resource }) => textOf(resource.attributes, 'service.name') === death?.service.name)
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .filter(({ name }) => name === 'k8s.container.restarts')
      .flatMap(({ gauge }) => gauge?.dataPoints.map(({ asDouble }) => asDouble) ?? []);
    expect(new Set(restarts)).toEqual(new Set([0, 1]));
  });

  it('is off unless it is asked for', () => {
    const services = new Set(
      spansOf(between(NIGHT_MS + 2 * HOUR_MS, 3, { ordinaryLife: false })).map(({ service }) => service),
    );
    expect(['reporting', 'backoffice', 'push'].filter((name) => services.has(name))).toEqual([]);
  });
});

describe('a holiday', () => {
  const holidays = [{ dayMs: NIGHT_MS, factor: 0.5 }];

  it('has its own traffic in the middle of the day, and fades around midnight', () => {
    expect(holidayFactor(holidays, NIGHT_MS + 12 * HOUR_MS)).toBe(0.5);
    expect(holidayFactor(holidays, NIGHT_MS)).toBe(0.75);
    expect(holidayFactor(holidays, NIGHT_MS - 3 * HOUR_MS)).toBe(1);
    expect(holidayFactor(holidays, NIGHT_MS + 27 * HOUR_MS)).toBe(1);
  });

  it('halves who comes', () => {
    const usual = spansOf(between(NIGHT_MS + 12 * HOUR_MS, 10)).length;
    const quiet = spansOf(between(NIGHT_MS + 12 * HOUR_MS, 10, { holidays })).length;
    expect(quiet / usual).toBeGreaterThan(0.4);
    expect(quiet / usual).toBeLessThan(0.6);
  });
});

describe('a slow leak', () => {
  it('takes as long as it is told to, and hurts nobody before its onset', () => {
    const onsetMs = NIGHT_MS + 12 * HOUR_MS;
    const fault = { kind: 'memory-leak', onsetMs, fillMs: 40 * MINUTE_MS } as const;
    const given = planSimulation({ ...COMMON, startMs: onsetMs - HOUR_MS, endMs: onsetMs + 1, fault });
    expect(given.fault?.preludeMs).toBe(onsetMs - 24 * MINUTE_MS);
    const usual = planSimulation({
      ...COMMON,
      startMs: onsetMs - HOUR_MS,
      endMs: onsetMs + 1,
      fault: { kind: 'memory-leak', onsetMs },
    });
    expect(usual.fault?.preludeMs).toBeGreaterThan(onsetMs - 2 * MINUTE_MS);
    expect(usual.fault?.victim).toBe(given.fault?.victim);
  });
});
