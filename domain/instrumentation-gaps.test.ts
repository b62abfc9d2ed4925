import { describe, expect, test } from 'vitest';
import { findInstrumentationGaps, type ServiceInstrumentation } from './instrumentation-gaps.ts';

const whole: ServiceInstrumentation = {
  service: 'cart',
  spans: 1000,
  servingSpans: 500,
  callingSpans: 500,
  orphanSpans: 0,
  parentedSpans: 400,
  logs: 100,
  linkedLogs: 90,
  points: 50,
  metrics: ['container.cpu.usage', 'k8s.container.memory_limit_utilization', 'db.client.connection.count'],
  versionedShare: 1,
  instanceShare: 1,
};

function gapsOf(change: Partial<ServiceInstrumentation>) {
  const services = [{ ...whole, ...change }];
  const peers = [{ caller: 'cart', peer: 'redis' }];
  return findInstrumentationGaps({ services, peers, changesKnown: true, evidenceIds: ['ev_1'] }, ['cart'], 9);
}

test('a service that tells everything lacks nothing', () => {
  expect(gapsOf({})).toEqual([]);
});

test.each<[string, Partial<ServiceInstrumentation>, string, RegExp, RegExp]>([
  [
    'no spans',
    { spans: 0, servingSpans: 0, callingSpans: 0, parentedSpans: 0 },
    'traces',
    /no spans/,
    /OTEL_TRACES_EXPORTER/,
  ],
  ['orphans', { orphanSpans: 100 }, 'traces', /lose their parents/, /OTEL_PROPAGATORS/],
  ['no serving spans', { servingSpans: 0, parentedSpans: 0 }, 'traces', /kind SERVER/, /framework/],
  ['no logs', { logs: 0, linkedLogs: 0 }, 'logs', /no log lines/, /filelog/],
  ['logs without trace', { linkedLogs: 3 }, 'logs', /do not name their trace/, /trace_id/],
  ['no resources', { metrics: ['db.client.connection.count'] }, 'metrics', /no CPU or memory/, /kubeletstats/],
  [
    'no limits',
    { metrics: ['container.cpu.usage', 'db.client.connection.count'] },
    'metrics',
    /without their limits/,
    /memory_limit_utilization/,
  ],
  ['no pool', { metrics: ['cpu.utilization'] }, 'metrics', /no connection pool/, /pending_requests/],
  ['no version', { versionedShare: 0 }, 'changes', /service\.version/, /OTEL_RESOURCE_ATTRIBUTES/],
  ['no instance', { instanceShare: 0.2 }, 'traces', /no pod or instance/, /k8sattributes/],
])('%s is one gap with the change that closes it', (_, change, signal, what, remedy) => {
  const [gap, ...others] = gapsOf(change);
  expect(others).toEqual([]);
  expect(gap).toMatchObject({ signal, service: 'cart', evidenceIds: ['ev_1'] });
  expect(gap?.what).toMatch(what);
  expect(gap?.remedy).toMatch(remedy);
});

describe('whose gaps', () => {
  const facts = {
    services: ['cart', 'auth', 'web', 'far', 'stock'].map((service) => ({ ...whole, service, logs: 0, linkedLogs: 0 })),
    peers: [
      { caller: 'cart', peer: 'postgresql/orders' },
      { caller: 'auth', peer: 'api.provider.example' },
    ],
    changesKnown: false,
    evidenceIds: ['ev_1'],
  };

  test('only those that matter, the same gap named once', () => {
    const gaps = findInstrumentationGaps(facts, ['cart', 'auth'], 9);
    expect(gaps.map(({ service, what }) => [service, what])).toEqual([
      ['', 'cart and auth: no log lines'],
      ['', expect.stringMatching(/nobody told of any/)],
    ]);
    expect(findInstrumentationGaps(facts, ['cart', 'auth', 'web', 'far', 'stock'], 9)[0]?.what).toBe(
      'cart, auth, web and 2 more: no log lines',
    );
  });

  test('a silent dependency gets its receiver, a provider a check from outside', () => {
    const gaps = findInstrumentationGaps(facts, ['postgresql/orders', 'api.provider.example'], 9);
    expect(gaps[0]?.remedy).toMatch(/postgresql receiver/);
    expect(gaps[1]?.remedy).toMatch(/httpcheck/);
  });

  test('a database that tells of itself is not asked for spans, nor who asks none for a pool', () => {
    const database = {
      ...whole,
      service: 'orders',
      spans: 0,
      servingSpans: 0,
      logs: 0,
      metrics: ['postgresql.backends'],
    };
    const services = [database, { ...whole, metrics: ['cpu.utilization'] }];
    const around = (peers: readonly { caller: string; peer: string }[]) =>
      findInstrumentationGaps({ ...facts, services, peers, changesKnown: true }, ['orders', 'cart'], 9);
    expect(around([])).toEqual([]);
    expect(around([{ caller: 'cart', peer: 'orders' }]).map(({ what }) => what)).toEqual([
      expect.stringMatching(/no connection pool/),
    ]);
  });

  test('no more than asked for; nothing at all is one gap', () => {
    expect(findInstrumentationGaps(facts, ['postgresql/orders', 'cart'], 1)).toHaveLength(1);
    const none = findInstrumentationGaps({ ...facts, services: [], peers: [] }, [], 9);
    expect(none.map(({ what }) => what)).toEqual(['no telemetry at all in the window']);
  });
});
