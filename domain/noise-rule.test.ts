/** A rule hides what is in its scope, while it is in force, and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Anomaly, aspectSchema } from './anomaly.ts';
import {
  covers,
  coversThroughout,
  describeBackTest,
  describeScope,
  hides,
  type NoiseRule,
  type NoiseScope,
  ruleStatusAt,
} from './noise-rule.ts';
import { seriesKey } from './series-name.ts';

const HOUR_MS = 3_600_000;
const MONDAY_MS = Date.UTC(2026, 0, 5);
const names = fc.constantFrom('a', 'b');
const anomalies: fc.Arbitrary<Anomaly> = fc
  .record({
    service: names,
    name: names,
    aspect: fc.constantFrom(...aspectSchema.options),
    subject: names,
    deviation: fc.double({ min: 0.5, max: 20, noNaN: true }),
    tolerance: fc.option(fc.double({ min: 1, max: 3, noNaN: true }), { nil: undefined }),
    sinceMs: fc.integer({ min: 0, max: 400 }).map((hours) => MONDAY_MS + hours * HOUR_MS),
    lastsMs: fc.integer({ min: 1, max: 60 * HOUR_MS }),
  })
  .map(({ service, name, sinceMs, lastsMs, tolerance, ...rest }) => ({
    anomalyId: 'anom_1',
    signal: 'metrics',
    series: { kind: 'metric', service, name, detail: '' },
    service,
    detector: 'series',
    window: { startMs: sinceMs, endMs: sinceMs + lastsMs },
    sinceMs,
    observed: 1,
    expected: 0,
    range: [0, 0],
    unit: '1',
    hurtsUsers: false,
    sentence: '',
    correlated: [],
    ...rest,
    ...(tolerance === undefined ? {} : { tolerance }),
  }));
const hour = fc.integer({ min: 0, max: 23 });
const scopes: fc.Arbitrary<NoiseScope> = fc
  .record({
    service: names,
    aspect: fc.constantFrom(...aspectSchema.options),
    subject: names,
    maxDeviation: fc.double({ min: 0.5, max: 30, noNaN: true }),
    hours: fc.option(fc.record({ from: hour, to: hour }), { nil: undefined }),
    days: fc.option(fc.constantFrom('weekdays' as const, 'weekend' as const), { nil: undefined }),
    name: fc.option(names, { nil: undefined }),
  })
  .map(({ name, hours, days, ...rest }) => ({
    ...rest,
    ...(hours ? { hours } : {}),
    ...(days ? { days } : {}),
    ...(name ? { series: seriesKey({ kind: 'metric', service: rest.service, name, detail: '' }) } : {}),
  }));
/** The same as the anomaly's, so that rules meet anomalies often. */
const scopeOf = (anomaly: Anomaly, scope: NoiseScope): NoiseScope => {
  const { service, aspect, subject } = anomaly;
  return { ...scope, service, aspect, subject, ...(scope.series ? { series: seriesKey(anomaly.series) } : {}) };
};
const ruleOf = (scope: NoiseScope, change: Partial<NoiseRule> = {}): NoiseRule => ({
  ruleId: 'rule_1',
  scope,
  backTest: { days: 1, anomalies: 0, realIncidents: [], realAnomalies: [], otherIncidents: [] },
  reason: '',
  proposedFrom: 'anom_1',
  proposedAtMs: 0,
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  ...change,
});
const SIGNED = { by: 'lea', atMs: 0, reason: '' };

describe('a rule', () => {
  it('hides only what is in its scope, whatever that is', () => {
    fc.assert(
      fc.property(anomalies, scopes, hour, (anomaly, scope, plus) => {
        const atMs = anomaly.sinceMs + plus * HOUR_MS;
        if (!hides(ruleOf(scope, { accepted: SIGNED }), anomaly, atMs)) return;
        const { service, aspect, subject, deviation, tolerance = 1 } = anomaly;
        expect({ service, aspect, subject }).toEqual({
          service: scope.service,
          aspect: scope.aspect,
          subject: scope.subject,
        });
        expect(deviation * tolerance).toBeLessThanOrEqual(scope.maxDeviation);
        if (scope.series) expect(seriesKey(anomaly.series)).toBe(scope.series);
      }),
    );
  });

  it('hides nothing that is worse than it was made for, however much feedback raised the bar', () => {
    fc.assert(
      fc.property(anomalies, scopes, (anomaly, any) => {
        const scope = { ...scopeOf(anomaly, any), maxDeviation: anomaly.deviation * (anomaly.tolerance ?? 1) };
        const { hours: _, days: __, ...always } = scope;
        expect(covers(always, anomaly, anomaly.sinceMs)).toBe(true);
        expect(covers(always, { ...anomaly, deviation: anomaly.deviation * 1.01 }, anomaly.sinceMs)).toBe(false);
      }),
    );
  });

  it('hides in the hours that its band and its complement share none of', () => {
    fc.assert(
      fc.property(anomalies, hour, hour, fc.integer({ min: 0, max: 200 }), (anomaly, from, to, plus) => {
        if (from === to) return;
        const scope = { ...scopeOf(anomaly, { ...SCOPE, maxDeviation: 100 }) };
        const atMs = MONDAY_MS + plus * HOUR_MS;
        const inBand = covers({ ...scope, hours: { from, to } }, anomaly, atMs);
        expect(covers({ ...scope, hours: { from: to, to: from } }, anomaly, atMs)).toBe(!inBand);
        const onWeekdays = covers({ ...scope, days: 'weekdays' }, anomaly, atMs);
        expect(covers({ ...scope, days: 'weekend' }, anomaly, atMs)).toBe(!onWeekdays);
        expect(onWeekdays).toBe(new Date(atMs).getUTCDay() % 6 !== 0);
      }),
    );
  });

  it('covers throughout only what it covers at each hour of it', () => {
    fc.assert(
      fc.property(anomalies, scopes, (anomaly, any) => {
        const scope = scopeOf(anomaly, any);
        const throughout = coversThroughout(scope, anomaly);
        const { sinceMs, window } = anomaly;
        for (let atMs = sinceMs; atMs < window.endMs; atMs += HOUR_MS) {
          if (throughout) expect(covers(scope, anomaly, atMs)).toBe(true);
        }
      }),
    );
  });

  it('hides nothing before it is accepted, after it expired or once it is revoked', () => {
    fc.assert(
      fc.property(anomalies, scopes, (anomaly, any) => {
        const scope = scopeOf(anomaly, any);
        const atMs = anomaly.sinceMs;
        const hidesAs = (change: Partial<NoiseRule>) => hides(ruleOf(scope, change), anomaly, atMs);
        expect(hidesAs({})).toBe(false);
        expect(hidesAs({ accepted: SIGNED })).toBe(covers(scope, anomaly, atMs));
        expect(hidesAs({ accepted: SIGNED, expiresAtMs: atMs })).toBe(false);
        expect(hidesAs({ accepted: SIGNED, revoked: SIGNED })).toBe(false);
      }),
    );
    expect(ruleStatusAt(ruleOf(SCOPE, { accepted: SIGNED, revoked: SIGNED, expiresAtMs: 0 }), 1)).toBe('revoked');
    expect(ruleStatusAt(ruleOf(SCOPE, { expiresAtMs: 1 }), 1)).toBe('expired');
  });
});

const SCOPE: NoiseScope = {
  service: 'cart',
  aspect: 'latency',
  subject: 'p95 duration of GET /cart',
  maxDeviation: 3.456,
};

describe('the words for it', () => {
  it('say what is hidden, when, and up to where', () => {
    const hours = { from: 23, to: 2 };
    expect(describeScope({ ...SCOPE, series: 'x', hours, days: 'weekdays' })).toBe(
      'cart: p95 duration of GET /cart, on weekdays from 23:00 to 02:00 UTC, up to 3.5x the bar',
    );
    expect(describeScope({ ...SCOPE, service: '', subject: 'memory of cart' })).toBe(
      'memory of cart (every series of that name), up to 3.5x the bar',
    );
  });

  it('say what it would have done', () => {
    const nothing = { days: 30, anomalies: 14, realIncidents: [], realAnomalies: [], otherIncidents: [] };
    expect(describeBackTest(nothing)).toBe('would have hidden 14 anomalies and 0 real incidents in 30 days');
    const harm = {
      ...nothing,
      days: 1,
      anomalies: 1,
      realIncidents: ['a'],
      realAnomalies: ['b'],
      otherIncidents: ['c'],
    };
    expect(describeBackTest(harm)).toBe(
      'would have hidden 1 anomaly (1 of them called real), 1 incident that nobody judged and 1 real incident in 1 day',
    );
  });
});
