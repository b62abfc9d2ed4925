import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GaugeRow } from '../../clickhouse/telemetry-rows.ts';
import { callTool, MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../fixture.contract.ts';
import { gaugeRow, sumRow } from '../metric-rows.contract.ts';
import { rankResourcePressure } from './rank-resource-pressure.ts';

let fixture: TelemetryFixture;

/** Twenty minutes of past, then four minutes that begin with the first candidate onset. */
const WINDOW = { startMs: T0_MS - 20 * MINUTE_MS, endMs: T0_MS + 4 * MINUTE_MS };
const ONSETS = { firstMs: T0_MS, stepSeconds: 20, count: 10 };
const CPU = 'container.cpu.utilization';

interface Course {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly past: (minute: number) => number;
  /** By minute from the first candidate on. */
  readonly now: readonly number[];
  readonly pastMinutes?: number;
}

const STEADY = (value: number) => () => value;

/** Two points a minute, half a minute apart, a little above and below: only their mean by minute counts. */
function points({ service, metric, unit, past, now, pastMinutes = 20 }: Course): GaugeRow[] {
  const minutes = Array.from({ length: pastMinutes + now.length }, (_, index) => index - pastMinutes);
  return minutes.flatMap((minute) => {
    const value = minute < 0 ? past(minute) : (now[minute] ?? 0);
    return [0, 30_000].map((laterMs, index) =>
      gaugeRow({
        service,
        metric,
        unit,
        pod: `${service}-1`,
        atMs: minute * MINUTE_MS + laterMs,
        value: value * (index === 0 ? 1.01 : 0.99),
      }),
    );
  });
}

const cpu = (service: string, past: Course['past'], now: readonly number[], pastMinutes = 20) =>
  points({ service, metric: CPU, unit: '1', past, now, pastMinutes });

const pool = (state: string, now: readonly number[]) =>
  points({
    service: 'pooled',
    metric: 'db.client.connection.count',
    unit: '{connection}',
    past: STEADY(state === 'used' ? 3 : 17),
    now,
  }).map((row) => ({ ...row, Attributes: { 'db.client.connection.state': state } }));

const RENEWED = { service: 'renewed', metric: 'k8s.pod.cpu.utilization', unit: '1', past: STEADY(0.1) };

const GAUGES: readonly GaugeRow[] = [
  // From a fifth of its limit to nearly all of it, from the second minute on.
  ...cpu('hot', STEADY(0.2), [0.2, 0.96, 0.96, 0.96]),
  // Busy always, and no busier now; the one by which all others are measured wanders from 0.4 to 0.5.
  ...cpu('busy', (minute) => (minute % 2 === 0 ? 0.5 : 0.4), [0.5, 0.5, 0.5, 0.5]),
  // Twenty times an idle past is still idle.
  ...cpu('idle', STEADY(0.0005), [0.01, 0.01, 0.01, 0.01]),
  // Ten times as much, but there is far more room.
  ...cpu('grown', STEADY(0.02), [0.2, 0.2, 0.2, 0.2]),
  // Nine minutes of past are too few.
  ...cpu('fresh', STEADY(0.1), [0.99, 0.99, 0.99, 0.99], 9),
  // Its pod is four minutes old; the one before it had the same work for twenty.
  ...points({ ...RENEWED, pastMinutes: 4, now: [0.1, 0.97, 0.97, 0.97] }),
  ...points({ ...RENEWED, now: [] }).map((row) => ({
    ...row,
    ResourceAttributes: { ...row.ResourceAttributes, 'k8s.pod.name': 'renewed-0' },
  })),
  // Cores have no limit that the metric would tell: only growth counts, in full from thirty times on.
  ...points({ service: 'burner', metric: 'container.cpu.usage', unit: '{cpu}', past: STEADY(0.1), now: [6, 6, 6, 6] }),
  ...points({
    service: 'hot',
    metric: 'k8s.node.cpu.utilization',
    unit: '1',
    past: STEADY(0.3),
    now: [0.9, 0.9, 0.9, 0.9],
  }),
  ...points({ service: 'heap', metric: 'jvm.memory.utilization', unit: '1', past: STEADY(0.5), now: [0.5, 0.5, 1, 1] }),
  // Connections that are used, of so many that there may be; those that are idle are no pressure.
  ...pool('used', [3, 20, 20, 20]),
  ...pool('idle', [17, 0, 0, 0]),
  ...points({
    service: 'pooled',
    metric: 'db.client.connection.max',
    unit: '1',
    past: STEADY(20),
    now: [20, 20, 20, 20],
  }),
  // Nine lookups of ten are answered from the cache, then one of twenty.
  ...points({ service: 'cold', metric: 'redis.keyspace.hits', unit: '{hit}', past: STEADY(90), now: [90, 5, 5, 5] }),
  ...points({
    service: 'cold',
    metric: 'redis.keyspace.misses',
    unit: '{miss}',
    past: STEADY(10),
    now: [10, 95, 95, 95],
  }),
  // Killed and started anew in the third minute; the other has been killed once, long ago.
  ...points({ service: 'killed', metric: 'k8s.container.restarts', unit: '1', past: STEADY(0), now: [0, 0, 1, 1] }),
  ...points({ service: 'calm', metric: 'k8s.container.restarts', unit: '1', past: STEADY(0), now: [0, 0, 0, 0] }),
  // No limit beside it: nobody knows what it means.
  ...points({
    service: 'loose',
    metric: 'db.client.connection.count',
    unit: '1',
    past: STEADY(2),
    now: [90, 90, 90, 90],
  }),
  // No resource that could run short.
  ...points({
    service: 'hot',
    metric: 'http.server.request.rate',
    unit: '1',
    past: STEADY(1),
    now: [900, 900, 900, 900],
  }),
  // Marks of points without a value, as a scraper writes them when its target is gone.
  ...Array.from({ length: 20 }, (_, index) =>
    gaugeRow({
      service: 'scraped',
      metric: CPU,
      unit: '1',
      pod: 'scraped-1',
      atMs: -index * MINUTE_MS - 1,
      value: 0,
      flags: 1,
    }),
  ),
  ...cpu('scraped', STEADY(0.5), [0.5, 0.5, 0.5, 0.5]),
];

beforeAll(async () => {
  fixture = await openTelemetryFixture({ otel_metrics_gauge: GAUGES });
});

afterAll(() => fixture.close());

/** The same as counters, which only grow. */
async function countedCache(): Promise<number | undefined> {
  const counters = await openTelemetryFixture({
    otel_metrics_sum: ['hits', 'misses'].flatMap((name) => {
      let total = 1_000;
      return Array.from({ length: 25 }, (_, index) => {
        const isCold = index >= 22;
        total += name === 'hits' ? (isCold ? 5 : 90) : isCold ? 95 : 10;
        const atMs = (index - 21) * MINUTE_MS;
        return sumRow({ service: 'cold', metric: `redis.keyspace.${name}`, atMs, value: total });
      });
    }),
  });
  try {
    const { output } = await callTool(counters, rankResourcePressure, { window: WINDOW, onsets: ONSETS });
    return output.pressures[0]?.strength;
  } finally {
    await counters.close();
  }
}

async function pressures() {
  const { output } = await callTool(fixture, rankResourcePressure, { window: WINDOW, onsets: ONSETS });
  return output;
}

const strengthOf = (share: number) => expect.closeTo(0.7 * share, 6);

test('a resource whose room is gone is found, with its pod and the candidate at which it went', async () => {
  const { pressures: found } = await pressures();
  expect(found.filter(({ service, resource }) => service === 'hot' && resource === 'cpu')).toEqual([
    {
      service: 'hot',
      resource: 'cpu',
      pod: 'hot-1',
      metric: CPU,
      unit: '1',
      // Of the 0.8 that were free, 0.76 are gone; the first half of that does not count.
      strength: strengthOf(2 * (0.76 / 0.8) - 1),
      onsetMs: T0_MS + MINUTE_MS,
      normalMedian: 0.2,
      normalHigh: 0.2,
      windowHigh: 0.96,
    },
  ]);
  expect(found.find(({ service }) => service === 'heap')).toMatchObject({
    resource: 'memory',
    // Three quarters of the four minutes lie at or below 1: all of the room is gone.
    strength: strengthOf(1),
    onsetMs: T0_MS + 2 * MINUTE_MS,
  });
});

test('a level beside its limit is a share of it, by what it counts', async () => {
  const { pressures: found } = await pressures();
  expect(found.filter(({ resource }) => resource === 'pool')).toEqual([
    {
      service: 'pooled',
      resource: 'pool',
      pod: 'pooled-1',
      metric: 'db.client.connection.count / db.client.connection.max',
      unit: '1',
      strength: strengthOf(1),
      onsetMs: T0_MS + MINUTE_MS,
      normalMedian: 0.15,
      normalHigh: expect.closeTo(0.15, 6),
      windowHigh: 1,
    },
  ]);
});

test('a cache that misses is short of what it should hold', async () => {
  const { pressures: found } = await pressures();
  expect(found.filter(({ resource }) => resource === 'cache')).toMatchObject([
    {
      service: 'cold',
      metric: 'redis.keyspace.misses / all',
      normalMedian: 0.1,
      windowHigh: 0.95,
      onsetMs: T0_MS + MINUTE_MS,
    },
  ]);
  expect(await countedCache()).toEqual(found.find(({ resource }) => resource === 'cache')?.strength);
});

test('a container that was started anew is found, with when', async () => {
  const { pressures: found } = await pressures();
  expect(found.filter(({ resource }) => resource === 'restarts')).toMatchObject([
    { service: 'killed', strength: strengthOf(1), onsetMs: T0_MS + 2 * MINUTE_MS },
  ]);
});

test('a pod that was renewed has the past of the one before it', async () => {
  const { pressures: found, unobserved } = await pressures();
  expect(found.filter(({ service }) => service === 'renewed')).toMatchObject([
    { resource: 'cpu', pod: 'renewed-1', normalMedian: 0.1, windowHigh: 0.97 },
  ]);
  expect(unobserved).not.toContain('renewed');
});

test('growth counts on a scale of times, beyond what such resources do in normal time', async () => {
  const { pressures: found } = await pressures();
  expect(found.find(({ service }) => service === 'burner')).toMatchObject({
    metric: 'container.cpu.usage',
    strength: strengthOf(1),
    onsetMs: T0_MS,
  });
  // Minutes of this metric reach 0.5 / 0.45 = 1.11 times their median; log10(10 / 1.11) of 1.5 is what counts.
  expect(found.find(({ service }) => service === 'grown')).toMatchObject({
    strength: strengthOf(Math.log10(10 / (0.5 / 0.45)) / 1.5),
  });
});

test('a node is shared: its pressure blames the pod on it by half', async () => {
  const { pressures: found } = await pressures();
  const growth = Math.log10(3) / 1.5;
  const headroom = 2 * (0.6 / 0.7) - 1;
  expect(found.find(({ resource }) => resource === 'node')).toMatchObject({
    service: 'hot',
    strength: strengthOf(Math.max(growth, headroom) / 2),
  });
});

test('what is as busy as ever, or idle, or no resource is under no pressure; a short past is said to be unobserved', async () => {
  const { pressures: found, unobserved } = await pressures();
  const services = found.map(({ service }) => service);
  for (const service of ['busy', 'idle', 'fresh']) expect(services).not.toContain(service);
  expect(unobserved).toEqual(['fresh']);
  expect(found.map(({ metric }) => metric)).not.toContain('http.server.request.rate');
  expect(found.map(({ strength }) => strength)).toEqual(
    found.map(({ strength }) => strength).toSorted((a, b) => b - a),
  );
});

test('points that say they have no value are none', async () => {
  const { pressures: found } = await pressures();
  expect(found.map(({ service }) => service)).not.toContain('scraped');
});

test('a window without metrics is under no pressure, and nothing is said about anybody', async () => {
  const window = { startMs: T0_MS - 60 * MINUTE_MS, endMs: T0_MS - 40 * MINUTE_MS };
  const onsets = { firstMs: window.startMs + 10 * MINUTE_MS, stepSeconds: 20, count: 3 };
  const { output, evidence } = await callTool(fixture, rankResourcePressure, { window, onsets });
  expect(output).toEqual({ pressures: [], unobserved: [], totalRows: 0, truncated: false });
  expect(evidence.queries).toMatchObject([{ rowCount: 0 }]);
});
