import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Anomaly } from '../domain/anomaly.ts';
import { incidentSchema } from '../domain/incident.ts';
import { correlateAnomalies } from './correlate.ts';

const WINDOW = { startMs: 0, endMs: 3_600_000 };

function anomalyOf(service: string, words: Partial<Anomaly> = {}): Anomaly {
  return {
    anomalyId: `anom_${service}`,
    signal: 'traces',
    service,
    subject: 'error rate',
    detector: 'service-deviation',
    window: { startMs: 3_500_000, endMs: 3_530_000 },
    sinceMs: 3_480_000,
    observed: 0.3,
    expected: 0.001,
    range: [0, 0.01],
    deviation: 1.2,
    unit: '1',
    sentence: `${service}: error rate 30.00 % where 0.10 % is normal.`,
    ...words,
  };
}

describe('agreement', () => {
  test('one signal alone is a deviation, not an incident', () => {
    expect(correlateAnomalies([], WINDOW)).toBeUndefined();
    expect(correlateAnomalies([anomalyOf('web')], WINDOW)).toBeUndefined();
  });

  test('one that is far beyond normal time hurts users: no agreement is needed', () => {
    expect(correlateAnomalies([anomalyOf('web', { deviation: 3 })], WINDOW)).toMatchObject({ service: 'web' });
  });

  test.each([
    ['two services', [anomalyOf('web'), anomalyOf('stock')]],
    ['two measures of one service', [anomalyOf('web'), anomalyOf('web', { subject: 'p95 duration' })]],
  ])('%s that agree are an incident', (_, anomalies) => {
    expect(correlateAnomalies(anomalies, WINDOW)).toMatchObject({ status: 'open', source: 'detection', anomalies });
  });
});

test('an incident tells the worst of it, since when, how far it reaches, and where to look', () => {
  const anomalies = [
    anomalyOf('web', { sinceMs: 3_490_000 }),
    anomalyOf('stock', { deviation: 4, sinceMs: 3_470_000 }),
    anomalyOf('stock', { subject: 'p95 duration', deviation: 2 }),
    anomalyOf('cart'),
  ];
  const draft = correlateAnomalies(anomalies, WINDOW);
  expect(incidentSchema.parse({ ...draft, incidentId: 'inc_1', openedAtMs: 0 })).toMatchObject({
    title: 'stock: error rate 30.00 % where 0.10 % is normal; 2 more services affected',
    service: 'stock',
    searchWindow: WINDOW,
    onsetMs: 3_470_000,
    severity: 'medium',
    anomalies,
  });
  expect(correlateAnomalies(anomalies.slice(0, 2), WINDOW)?.title).toMatch(/; 1 more service affected$/);
});

test('severity follows the number of services, the title stays short', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => anomalyOf(`s${index}`, { deviation: 2 }));
  expect([1, 2, 3, 4, 9].map((count) => correlateAnomalies(many(count), WINDOW)?.severity)).toEqual([
    'low',
    'medium',
    'medium',
    'high',
    'high',
  ]);
  const wordy = anomalyOf('web', { deviation: 2, sentence: 'x'.repeat(700) });
  expect(correlateAnomalies([wordy], WINDOW)?.title).toHaveLength(500);
});

test('the order in which anomalies come does not change who is named, since when, or how severe it is', () => {
  const anomaly = fc
    .record({
      service: fc.constantFrom('a', 'b', 'c'),
      subject: fc.constantFrom('error rate', 'p95 duration'),
      deviation: fc.integer({ min: 11, max: 60 }),
      sinceMs: fc.integer({ min: 0, max: 3_000_000 }),
    })
    .map(({ service, ...words }) => anomalyOf(service, words));
  const anomalies = fc.uniqueArray(anomaly, { minLength: 1, maxLength: 6, selector: ({ deviation }) => deviation });
  fc.assert(
    fc.property(anomalies, (some) => {
      const { anomalies: _, ...draft } = correlateAnomalies(some, WINDOW) ?? { anomalies: [] };
      const { anomalies: __, ...reversed } = correlateAnomalies(some.toReversed(), WINDOW) ?? { anomalies: [] };
      expect(reversed).toEqual(draft);
    }),
  );
});
