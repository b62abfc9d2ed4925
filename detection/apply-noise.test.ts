import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Anomaly } from '../domain/anomaly.ts';
import type { NoiseRule } from '../domain/noise-rule.ts';
import { seriesKey } from '../domain/series-name.ts';
import { anomalyOf } from './anomaly.fixture.ts';
import { applyNoise } from './apply-noise.ts';

const anomalies = fc.array(
  fc
    .record({
      service: fc.constantFrom('cart', 'web'),
      aspect: fc.constantFrom('latency' as const, 'errors' as const),
      deviation: fc.double({ min: 0.5, max: 9, noNaN: true }),
      sinceMs: fc.nat(1_000),
    })
    .map(({ service, aspect, ...rest }) => anomalyOf(service, aspect, rest)),
);
const ruleFor = ({ service, aspect, subject }: Anomaly, maxDeviation: number): NoiseRule => ({
  ruleId: `rule_${service}_${aspect}`,
  scope: { service, aspect, subject, maxDeviation },
  backTest: { days: 1, anomalies: 0, realIncidents: [], realAnomalies: [], otherIncidents: [] },
  reason: '',
  proposedFrom: 'anom',
  proposedAtMs: 0,
  accepted: { by: 'lea', atMs: 0, reason: '' },
  expiresAtMs: 1_000_000,
});
const NONE = { rules: [], tolerances: new Map() };

test('without rules and with bars as they are nothing changes', () => {
  fc.assert(
    fc.property(anomalies, (given) => {
      expect(applyNoise(given, NONE, 0)).toEqual(given);
      const tolerances = new Map(given.map(({ series }) => [seriesKey(series), { factor: 1, sinceMs: 0 }]));
      expect(applyNoise(given, { ...NONE, tolerances }, 0)).toEqual(given);
    }),
  );
});

test('nothing is taken out: what a rule covers names it, the rest is as it was', () => {
  fc.assert(
    fc.property(anomalies, fc.double({ min: 0.5, max: 9, noNaN: true }), (given, max) => {
      const target = anomalyOf('cart', 'latency');
      const noise = { ...NONE, rules: [ruleFor(target, max)] };
      const marked = applyNoise(given, noise, 5);
      expect(marked.map(({ hiddenBy: _, ...rest }) => rest)).toEqual(given);
      for (const { service, aspect, deviation, hiddenBy } of marked) {
        const isCovered = service === 'cart' && aspect === 'latency' && deviation <= max;
        expect(hiddenBy).toBe(isCovered ? 'rule_cart_latency' : undefined);
      }
      expect(applyNoise(given, noise, 1_000_000)).toEqual(given); // expired
    }),
  );
});

test('a raised bar lowers the deviation of its series alone, and says by how much', () => {
  const [cart, web] = [anomalyOf('cart', 'latency', { deviation: 3 }), anomalyOf('web', 'latency', { deviation: 3 })];
  const tolerances = new Map([[seriesKey(cart.series), { factor: 2, sinceMs: 0 }]]);
  expect(applyNoise([cart, web], { ...NONE, tolerances }, 0)).toEqual([{ ...cart, deviation: 1.5, tolerance: 2 }, web]);
});
