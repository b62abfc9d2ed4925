import { describe, expect, test } from 'vitest';
import type { MetricMinuteReader, MetricMinuteRow } from '../clickhouse/read-metric-minutes.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import { silentLogger } from '../platform/logger.ts';
import type { Watch } from './watch.ts';
import { createSeriesWatch } from './watch-series.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_700_000_040_000 - (1_700_000_040_000 % MINUTE_MS);
const SIGNAL = new AbortController().signal;
const usual = (minute: number, scale: number) =>
  scale * (1 + 0.1 * Math.sin(minute * 1.7) + 0.03 * Math.sin(minute * 0.37));

interface Measured {
  readonly service?: string;
  readonly metric: string;
  readonly unit?: string;
  /** Undefined: not observed. */
  at(minute: number): number | undefined;
}

/** A reader of made-up series; `measured` may change between reads. */
function readerOf(measured: () => readonly Measured[]): MetricMinuteReader {
  return {
    readMinutes: async ({ window: { startMs, endMs } }) => {
      const minutes = Array.from({ length: (endMs - startMs) / MINUTE_MS }, (_, index) => startMs + index * MINUTE_MS);
      const rows = measured().map(({ service = 'cart', metric, unit = '', at }): MetricMinuteRow => {
        const seen = minutes.filter((atMs) => at((atMs - START_MS) / MINUTE_MS) !== undefined);
        const values = seen.map((atMs) => at((atMs - START_MS) / MINUTE_MS) ?? 0);
        const series = { service, metric, kind: 'gauge', pod: 'cart-1', attributesKey: '7', unit } as const;
        return { ...series, attributes: {}, atMs: seen, means: values, lasts: values };
      });
      return {
        rows,
        query: { tag: 'test', sql: '', parameters: {}, startedMs: 0, seconds: 0, rows: 0, digest: '' } as never,
      };
    },
  };
}

const watchOf = (measured: () => readonly Measured[], without: readonly string[] = []) =>
  createSeriesWatch({ telemetry: readerOf(measured), logger: silentLogger, without: new Set(without) });

async function play(watch: Watch, from: number, until: number): Promise<{ minute: number; anomalies: Anomaly[] }[]> {
  const window = { startMs: START_MS + from * MINUTE_MS, endMs: START_MS + until * MINUTE_MS };
  const steps = await watch.observe(window, SIGNAL);
  return steps.map((step) => ({ minute: (step.window.startMs - START_MS) / MINUTE_MS, anomalies: step.judge() }));
}

const troubled = (from: number, until: number): Measured[] => [
  {
    metric: 'container.cpu.usage',
    unit: '{cpu}',
    at: (minute) => (minute >= from && minute < until ? 5 : usual(minute, 0.1)),
  },
  {
    metric: 'http.server.request.duration',
    unit: 's',
    at: (minute) => (minute >= from && minute < until ? 3 : usual(minute, 0.05)),
  },
];

describe('createSeriesWatch', () => {
  test('a service whose aspects agree: reported from the first minute to the last, under one name, then no more', async () => {
    const steps = await play(
      watchOf(() => troubled(30, 34)),
      0,
      45,
    );
    expect(steps).toHaveLength(45);
    const abnormal = steps.filter(({ anomalies }) => anomalies.length > 0);
    expect(abnormal.map(({ minute }) => minute)).toEqual([30, 31, 32, 33]);
    expect(new Set(abnormal.flatMap(({ anomalies }) => anomalies.map(({ anomalyId }) => anomalyId))).size).toBe(2);
    const [cpu, latency] = abnormal[1]?.anomalies ?? [];
    expect(cpu).toMatchObject({
      aspect: 'resources',
      hurtsUsers: false,
      signal: 'metrics',
      observed: 5,
      unit: '{cpu}',
    });
    expect(latency).toMatchObject({ aspect: 'latency', hurtsUsers: true, sinceMs: START_MS + 30.5 * MINUTE_MS });
    expect(latency?.deviation).toBeGreaterThan(1.5);
    expect(latency?.sentence).toMatch(
      /^cart: http\.server\.request\.duration on cart-1 3 s since \d\d:\d\d UTC, normally 0\.0\d+ s \(0\.0\d+ s to 0\.0\d+ s\)\.$/,
    );
  });

  test('one aspect alone whispers until it is twice its bar', async () => {
    const mild = () => [
      { metric: 'container.cpu.usage', at: (minute: number) => (minute === 30 ? 1 : usual(minute, 0.1)) },
    ];
    const [anomaly] = (await play(watchOf(mild), 0, 31)).at(-1)?.anomalies ?? [];
    expect(anomaly?.deviation).toBe(0.99);
  });

  test('a minute without telemetry is a step without anomalies', async () => {
    const gap = () =>
      troubled(99, 99).map((one) => ({
        ...one,
        at: (minute: number) => (minute % 7 === 3 ? undefined : one.at(minute)),
      }));
    const steps = await play(watchOf(gap), 0, 60);
    expect(steps).toHaveLength(60);
    expect(steps.flatMap(({ anomalies }) => anomalies)).toEqual([]);
  });

  test('a service with a request now and then says nothing of how long they take', async () => {
    const tiny = () => [
      ...troubled(30, 33),
      { metric: 'http.server.request.rate', unit: '{request}/s', at: () => 0.02 },
    ];
    const { anomalies = [] } = (await play(watchOf(tiny), 0, 32)).at(-1) ?? {};
    const latency = anomalies.find(({ aspect }) => aspect === 'latency');
    expect(latency?.hurtsUsers).toBe(false);
    expect(latency?.deviation).toBeLessThan(1);
  });

  test('minutes are judged once; a series that comes late is judged when it comes', async () => {
    let hasCome = false;
    const late = () => (hasCome ? troubled(99, 99) : troubled(99, 99).slice(0, 1));
    const watch = watchOf(late);
    await play(watch, 0, 20);
    expect(await play(watch, 15, 20)).toEqual([]);
    hasCome = true;
    expect((await play(watch, 15, 21)).map(({ minute }) => minute)).toEqual([15, 16, 17, 18, 19, 20]);
  });

  test('goes on from its states: the newest changes first saved, nothing judged twice', async () => {
    const measured = () => troubled(42, 50);
    const first = watchOf(measured);
    await play(first, 0, 43);
    expect(first.save(1)).toHaveLength(1);
    const kept = [...first.save(10)];
    expect(kept).toHaveLength(1);
    expect(first.save(10)).toEqual([]);
    const all = watchOf(measured);
    await play(all, 0, 43);
    const next = watchOf(measured);
    next.restore(all.save(10));
    const window = (watch: Watch) =>
      play(watch, 40, 48).then((steps) =>
        steps.map(({ minute, anomalies }) => [minute, anomalies.map(({ aspect }) => aspect)]),
      );
    expect(await window(next)).toEqual(await window(first));
    const other = watchOf(measured);
    other.restore(kept.map((state) => ({ ...state, state: JSON.stringify({ version: 0 }) })));
    expect(other.save(10)).toEqual([]);
  });
});
