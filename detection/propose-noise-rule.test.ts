import { describe, expect, it } from 'vitest';
import type { Anomaly } from '../domain/anomaly.ts';
import { isHarmful } from '../domain/noise-rule.ts';
import { seriesKey } from '../domain/series-name.ts';
import { anomalyOf } from './anomaly.fixture.ts';
import { backTestScope, decisiveAnomalies, type Past, proposeScope } from './propose-noise-rule.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONDAY_MS = Date.UTC(2026, 0, 5);

/** Latency of cart, some days after a Monday at an hour. */
const seen = (day: number, hour: number, change: Partial<Anomaly> = {}) => {
  const sinceMs = MONDAY_MS + day * DAY_MS + hour * HOUR_MS;
  return anomalyOf('cart', 'latency', { sinceMs, deviation: 2, ...change });
};
const ofPod = (pod: string) => ({
  series: { kind: 'metric', service: 'cart', name: 'latency', detail: pod } as const,
  anomalyId: `anom_${pod}`,
});
const past = (anomalies: readonly Anomaly[], more: Partial<Past> = {}): Past => ({
  days: 30,
  records: anomalies.map((anomaly) => ({ anomaly, incidentId: '' })),
  incidents: [],
  judged: new Map(),
  ...more,
});

describe('a proposed scope', () => {
  it('is one series for the whole day where it was seen once, and not what is far worse', () => {
    const once = seen(0, 3);
    const { scope, backTest } = proposeScope(once, past([once]));
    const { service, aspect, subject, series } = once;
    expect(scope).toEqual({ service, aspect, subject, series: seriesKey(series), maxDeviation: 3 });
    expect(backTest).toMatchObject({ days: 30, anomalies: 1, realIncidents: [] });
  });

  it('is the hours at which it was seen on several days, with one to either side', () => {
    const nights = [seen(0, 23), seen(1, 0), seen(2, 23)];
    const { scope, backTest } = proposeScope(seen(3, 0), past(nights));
    expect(scope.hours).toEqual({ from: 22, to: 2 });
    expect(scope.days).toBeUndefined();
    expect(backTest.anomalies).toBe(3);
    const anytime = [seen(0, 2), seen(1, 10), seen(2, 18)];
    expect(proposeScope(seen(3, 5), past(anytime)).scope.hours).toBeUndefined();
  });

  it('is weekdays, or weekends, where a week shows it', () => {
    const week = [0, 1, 2, 3, 4].map((day) => seen(day, 9));
    expect(proposeScope(seen(7, 9), past(week)).scope).toMatchObject({ days: 'weekdays', hours: { from: 8, to: 11 } });
    expect(proposeScope(seen(5, 9), past(week)).scope.days).toBeUndefined();
  });

  it('is every series of the name where pods come and go', () => {
    const pods = [seen(0, 3, ofPod('a')), seen(1, 14, ofPod('b'))];
    const { scope, backTest } = proposeScope(seen(2, 20, ofPod('c')), past(pods));
    expect([scope.series, backTest.anomalies]).toEqual([undefined, 2]);
  });

  it('covers less rather than what was real: not that pod, not that hour, or nothing at all', () => {
    const hurt = seen(1, 14, { ...ofPod('b'), hurtsUsers: true });
    const incident = { incidentId: 'inc_1', judgement: 'real' as const, anomalies: [hurt] };
    const given = past([seen(0, 3, ofPod('a')), hurt], { incidents: [incident] });
    const { scope, backTest } = proposeScope(seen(2, 20, ofPod('c')), given);
    expect([scope.series, isHarmful(backTest)]).toEqual([seriesKey(ofPod('c').series), false]);
    const same = proposeScope(seen(2, 20, ofPod('b')), given);
    expect(same.backTest).toMatchObject({ realIncidents: ['inc_1'] });
    expect(isHarmful(same.backTest)).toBe(true);
    const judged = new Map([[hurt.anomalyId, 'real' as const]]);
    const alone = proposeScope(seen(2, 20, ofPod('b')), past([hurt], { judged }));
    expect(alone.backTest.realAnomalies).toEqual([hurt.anomalyId]);
  });
});

describe('a back-test', () => {
  const noisy = seen(0, 3, { deviation: 1.2 });
  const errors = anomalyOf('cart', 'errors', { deviation: 1.2 });
  const { service, aspect, subject } = noisy;
  const scope = { service, aspect, subject, maxDeviation: 3 };

  it('counts an incident only where what is left would not have opened one', () => {
    const plain = anomalyOf('cart', 'errors', { deviation: 2, hurtsUsers: true });
    const incidents = [
      { incidentId: 'inc_gone', judgement: 'real', anomalies: [noisy, errors] },
      { incidentId: 'inc_kept', judgement: 'real', anomalies: [noisy, plain] },
      { incidentId: 'inc_unknown', judgement: undefined, anomalies: [noisy, errors] },
      { incidentId: 'inc_noise', judgement: 'noise', anomalies: [noisy, errors] },
      { incidentId: 'inc_other', judgement: 'real', anomalies: [errors] },
    ] as const;
    expect(backTestScope(scope, past([noisy], { incidents }))).toEqual({
      days: 30,
      anomalies: 1,
      realIncidents: ['inc_gone'],
      realAnomalies: [],
      otherIncidents: ['inc_unknown'],
    });
  });

  it('of an incident asks for as few anomalies as carry it', () => {
    expect(decisiveAnomalies([noisy, errors])).toHaveLength(1);
    const plain = anomalyOf('web', 'errors', { deviation: 9, hurtsUsers: true });
    expect(decisiveAnomalies([noisy, errors, plain])).toEqual([plain, noisy]);
  });
});
