import { beforeEach, describe, expect, it } from 'vitest';
import type { LogFactRow, MetricFactRow, RequestFactRow, RuleFactReader } from '../clickhouse/read-rule-facts.ts';
import { createMemoryShardLock } from '../context-store/shard-lock.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import { createManualClock } from '../platform/clock.ts';
import { UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { createScanner } from './scan.ts';
import { createRequestWatch } from './watch-requests.ts';
import { createRuleWatch } from './watch-rules.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 2, 4, 9);
const at = (minute: number) => START_MS + minute * MINUTE_MS;
const MINUTES = Array.from({ length: 12 }, (_, minute) => minute);
const atMs = MINUTES.map(at);
const { signal } = new AbortController();
const away = () => Promise.reject(new UnavailableError('the engine is away'));
const query = {} as never;

let requests: RequestFactRow[];
let logs: LogFactRow[];
let metrics: MetricFactRow[];
const telemetry: RuleFactReader = {
  readRequests: async () => ({ rows: requests, query }),
  readLogs: async () => ({ rows: logs, query }),
  readMetrics: async ({ pattern }) => ({
    rows: metrics.filter(({ metric }) => new RegExp(pattern).test(metric.toLowerCase())),
    query,
  }),
};

beforeEach(() => {
  requests = [];
  logs = [];
  metrics = [];
});

async function look(
  from = 0,
  to = 12,
  watch = createRuleWatch({ telemetry, logger: silentLogger }),
): Promise<Anomaly[]> {
  const steps = await watch.observe({ startMs: at(from), endMs: at(to) }, signal);
  return steps.flatMap((step) => step.judge());
}

function metricOf(metric: string, lasts: readonly number[], more: Partial<MetricFactRow> = {}): MetricFactRow {
  return {
    service: 'cart',
    metric,
    pod: 'cart-1',
    attributes: {},
    unit: '1',
    atMs: atMs.slice(0, lasts.length),
    lasts,
    ...more,
  };
}
const calls = (each: number, errors: readonly number[]): RequestFactRow => {
  return { service: 'cart', atMs, calls: MINUTES.map(() => each), errors };
};
const namesOf = (found: readonly Anomaly[]) => [...new Set(found.map(({ series }) => series.name))];
const lasting = (value: number) => MINUTES.map(() => value);

describe('requests', () => {
  it('most of 20 fail, or a fifth of 200: users are hurt', async () => {
    requests = [
      calls(
        20,
        MINUTES.map((minute) => (minute === 11 ? 10 : 0)),
      ),
    ];
    const [found] = await look();
    expect(found).toMatchObject({ aspect: 'errors', hurtsUsers: true, deviation: 2, sinceMs: at(11) });
    expect(found?.sentence).toBe(
      'cart: 10 of 20 requests failed in a minute, since 09:11 UTC (rule most-requests-fail).',
    );
    requests = [
      calls(
        200,
        MINUTES.map((minute) => (minute === 11 ? 40 : 0)),
      ),
    ];
    expect(namesOf(await look())).toEqual(['rule many-requests-fail']);
  });

  it('few requests, or few of many, say nothing', async () => {
    requests = [calls(19, lasting(19)), calls(199, lasting(60)), calls(1_000, lasting(190))];
    expect(await look()).toEqual([]);
  });

  it('is one anomaly as long as it lasts, also after a restart', async () => {
    requests = [calls(100, lasting(80))];
    const [first, second] = [
      createRuleWatch({ telemetry, logger: silentLogger }),
      createRuleWatch({ telemetry, logger: silentLogger }),
    ];
    const before = await look(0, 11, first);
    second.restore(first.save(10));
    const after = await look(11, 12, second);
    expect(new Set([...before, ...after].map(({ anomalyId }) => anomalyId)).size).toBe(1);
  });
});

describe('metrics', () => {
  it.each([
    [
      'full for three minutes',
      [metricOf('system.memory.utilization', lasting(0.99), { attributes: { state: 'used' } })],
      'full',
    ],
    ['full of nothing', [metricOf('system.cpu.utilization', lasting(1), { attributes: { state: 'idle' } })], ''],
    ['more than was asked for', [metricOf('k8s.pod.memory_request_utilization', lasting(1.4))], ''],
    ['full for two', [metricOf('jvm.buffer.utilization', [...lasting(0.2).slice(2), 1, 1])], ''],
    ['in percent', [metricOf('disk.utilization', lasting(99), { unit: '%' })], 'full'],
    [
      'every connection used',
      [
        metricOf('db.client.connection.count', lasting(20), { attributes: { pool: 'a', state: 'used' } }),
        metricOf('db.client.connection.max', lasting(20), { attributes: { pool: 'a' } }),
      ],
      'used-up',
    ],
    [
      'another pool full',
      [
        metricOf('db.client.connection.count', lasting(20), { attributes: { pool: 'a', state: 'used' } }),
        metricOf('db.client.connection.max', lasting(20), { attributes: { pool: 'b' } }),
      ],
      '',
    ],
    [
      'a restart loop',
      [
        metricOf(
          'k8s.container.restarts',
          MINUTES.map((minute) => Math.floor(minute / 3)),
        ),
      ],
      'restarts',
    ],
    ['restarts of long ago', [metricOf('k8s.container.restarts', lasting(7))], ''],
    ['killed', [metricOf('container.oom_kills', [...lasting(0).slice(1), 1])], 'out-of-memory'],
    [
      'a certificate that expires',
      [metricOf('tlscheck.time_left', lasting(3_600), { unit: 's' })],
      'certificate-expires',
    ],
    [
      'one that has expired',
      [metricOf('probe_ssl_earliest_cert_expiry', lasting(START_MS / 1_000 - 5))],
      'certificate-expires',
    ],
    ['one that holds', [metricOf('probe_ssl_earliest_cert_expiry', lasting(START_MS / 1_000 + 86_400 * 60))], ''],
    [
      'a queue that grows',
      [
        metricOf(
          'kafka.consumer_group.lag',
          MINUTES.map((minute) => 50 + 40 * minute),
        ),
      ],
      'queue-grows',
    ],
    ['a queue that is long', [metricOf('kafka.consumer_group.lag', lasting(5_000))], ''],
  ])('%s', async (_, rows, rule) => {
    metrics = rows;
    const found = await look();
    expect(namesOf(found)).toEqual(rule === '' ? [] : [`rule ${rule}`]);
    expect(found.every(({ deviation, hurtsUsers }) => deviation < 1.5 && !hurtsUsers)).toBe(true);
  });
});

describe('what is full in minutes', () => {
  const utilization = (before: readonly number[], filling: readonly number[]) => {
    const lasts = [...before, ...filling];
    const times = lasts.map((_, index) => at(12 + index - lasts.length));
    return metricOf('container.memory.utilization', lasts, { atMs: times });
  };
  const usual = Array.from({ length: 16 }, (_, minute) => 0.3 + 0.03 * (minute % 4));
  const line = [0.42, 0.45, 0.48, 0.51, 0.54, 0.57];

  it('speaks alone, while it can be prevented', async () => {
    metrics = [utilization(usual, line)];
    expect(await look(0, 11)).toEqual([]);
    const [found] = await look(11, 12);
    expect(found).toMatchObject({
      aspect: 'resources',
      hurtsUsers: true,
      deviation: 1.5,
      observed: 0.57,
      expected: 0.39,
    });
    expect(found?.sentence).toBe(
      'cart: container.memory.utilization on cart-1 went from 42 % to 57 % in 6 minutes and is full in 14, since 09:11 UTC (rule runs-out).',
    );
  });

  it.each([
    ['it has just started', [], line],
    ['it held as much before', [...usual.slice(1), 0.6], line],
    ['it is full in an hour', usual, line.map((share) => 0.4 + (share - 0.42) / 5)],
    ['it has moved to another level', usual, [0.4, 0.4, 0.4, 0.57, 0.57, 0.57]],
    ['it fills ever more slowly', usual, [0.42, 0.5, 0.54, 0.56, 0.57, 0.57]],
  ])('is no trouble where %s', async (_, before, filling) => {
    metrics = [utilization(before, filling)];
    expect(await look(11, 12)).toEqual([]);
  });
});

describe('when everything else fails', () => {
  it('judges by what it is told; gives up only where nothing is answered', async () => {
    requests = [calls(100, lasting(80))];
    const partly = createRuleWatch({
      telemetry: { ...telemetry, readLogs: away, readMetrics: away },
      logger: silentLogger,
    });
    expect(namesOf(await look(11, 12, partly))).toEqual(['rule most-requests-fail']);
    const nothing = { readRequests: away, readLogs: away, readMetrics: away };
    await expect(look(0, 1, createRuleWatch({ telemetry: nothing, logger: silentLogger }))).rejects.toThrow(
      UnavailableError,
    );
  });

  it('an incident is opened with every other watch away, and without any state', async () => {
    requests = [calls(100, lasting(80))];
    const opened = await createScanner({
      createWatches: () => [
        createRequestWatch({ telemetry: { readSteps: away, countSteps: away } }),
        createRuleWatch({ telemetry, logger: silentLogger }),
      ],
      clock: createManualClock(at(12) + 10_000),
      logger: silentLogger,
      lock: createMemoryShardLock(),
      shard: 'test',
      readNewest: away,
      readLinks: away,
      refine: async (anomalies) => anomalies,
      readStates: async () => [],
      saveStates: async () => {},
      listCourses: async () => [],
      saveCourses: async () => {},
      listOpenAnomalies: async () => [],
      saveAnomalies: async () => {},
      isPublished: async () => false,
      publishIncident: async () => {},
    }).scan(signal);
    expect(opened.map(({ service }) => service)).toEqual(['cart']);
  });
});

it('a minute is judged again only where something came late; fatal lines are told', async () => {
  const watch = createRuleWatch({ telemetry, logger: silentLogger });
  logs = [{ service: 'cart', atMs, lines: lasting(10), fatalLines: lasting(0) }];
  expect(await look(0, 12, watch)).toEqual([]);
  expect(await watch.observe({ startMs: at(7), endMs: at(12) }, signal)).toEqual([]);
  logs = [{ service: 'cart', atMs, lines: lasting(10), fatalLines: MINUTES.map((minute) => (minute === 9 ? 4 : 0)) }];
  const [found, ...others] = await look(7, 12, watch);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ aspect: 'logs', observed: 4, sinceMs: at(9) });
});
