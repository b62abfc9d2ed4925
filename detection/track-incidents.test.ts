/** One trouble is one incident: opened once, grown, merged, closed when the signals are back. */
import { describe, expect, it } from 'vitest';
import type { Anomaly } from '../domain/anomaly.ts';
import { anomalyOf } from './anomaly.fixture.ts';
import type { ServiceLinks } from './group-anomalies.ts';
import { createIncidentTracker, incidentFrom } from './track-incidents.ts';

const LINKS: ServiceLinks = new Map([
  ['web', new Set(['cart'])],
  ['cart', new Set(['web'])],
  ['mail', new Set(['smtp'])],
]);

function openTracker() {
  let count = 0;
  const tracker = createIncidentTracker({ newIncidentId: () => `inc_${++count}` });
  const look = (atMs: number, anomalies: readonly Anomaly[], links = LINKS) =>
    tracker.look({ atMs, openedAtMs: atMs + 5_000, anomalies, links });
  return { tracker, look };
}

const failing = (service: string, more: Partial<Anomaly> = {}) =>
  anomalyOf(service, 'errors', { deviation: 2, hurtsUsers: true, ...more });

describe('an incident', () => {
  it('opens once, with where and when it began', () => {
    const { look } = openTracker();
    const { opened } = look(60_000, [
      failing('web', { sinceMs: 30_000, deviation: 3 }),
      anomalyOf('cart', 'latency', { sinceMs: 10_000 }),
    ]);
    expect(opened).toMatchObject([
      {
        incidentId: 'inc_1',
        openedAtMs: 65_000,
        onsetMs: 10_000,
        firstAffected: 'cart',
        mostAffected: 'web',
        severity: 'medium',
        services: [
          { service: 'cart', aspects: ['latency'] },
          { service: 'web', aspects: ['errors'] },
        ],
      },
    ]);
    expect(look(70_000, [failing('web', { sinceMs: 30_000 })]).opened).toEqual([]);
  });

  it('is handed to an investigation the same each time', () => {
    const { look } = openTracker();
    const [course] = look(7_200_000, [failing('web', { sinceMs: 7_190_000 })]).opened;
    if (!course) throw new Error('nothing was opened');
    expect(incidentFrom(course)).toEqual(incidentFrom(structuredClone(course)));
    expect(incidentFrom(course)).toMatchObject({
      service: 'web',
      investigationId: 'inv_1',
      searchWindow: { startMs: 3_590_000, endMs: 7_205_000 },
    });
  });

  it('grows by what its neighbours show, and remembers each anomaly at its worst', () => {
    const { look, tracker } = openTracker();
    look(60_000, [failing('web', { deviation: 5 })]);
    const later = anomalyOf('cart', 'latency', { sinceMs: 50_000 });
    look(70_000, [failing('web', { deviation: 2, window: { startMs: 60_000, endMs: 70_000 } }), later]);
    const [course] = tracker.open();
    expect(course?.services.map(({ service }) => service)).toEqual(['web', 'cart']);
    expect(course?.anomalies[0]).toMatchObject({ deviation: 5, window: { endMs: 70_000 } });
    expect(course?.anomalies[0]?.correlated).toEqual([later.anomalyId]);
    expect(tracker.incidentOf(later.anomalyId)).toBe('inc_1');
  });

  it('closes when nothing of it was abnormal for two minutes, and not before', () => {
    const { look, tracker } = openTracker();
    look(60_000, [failing('web')]);
    look(170_000, [failing('web')]);
    expect(look(280_000, []).changed).toEqual([]);
    expect(look(290_000, []).changed).toMatchObject([{ closedAtMs: 290_000, lastAbnormalMs: 170_000 }]);
    expect(tracker.open()).toEqual([]);
    expect(look(300_000, [failing('web', { sinceMs: 295_000 })]).opened).toHaveLength(1);
  });

  it('takes in a younger one when it turns out that they are one', () => {
    const { look, tracker } = openTracker();
    look(60_000, [failing('web')]);
    look(70_000, [failing('web'), failing('mail')]);
    expect(tracker.open()).toHaveLength(2);
    const linked: ServiceLinks = new Map([...LINKS, ['mail', new Set(['web'])], ['web', new Set(['cart', 'mail'])]]);
    const { changed } = look(80_000, [failing('web'), failing('mail')], linked);
    expect(changed).toMatchObject([
      { incidentId: 'inc_1' },
      { incidentId: 'inc_2', closedAtMs: 80_000, mergedInto: 'inc_1' },
    ]);
    expect(
      tracker
        .open()[0]
        ?.services.map(({ service }) => service)
        .sort(),
    ).toEqual(['mail', 'web']);
  });

  it('goes on where the last scanner left it', () => {
    const { look, tracker } = openTracker();
    look(60_000, [failing('web')]);
    const next = createIncidentTracker({ courses: [...tracker.open()], newIncidentId: () => 'inc_other' });
    const { opened, changed } = next.look({
      atMs: 70_000,
      openedAtMs: 75_000,
      anomalies: [failing('web')],
      links: LINKS,
    });
    expect(opened).toEqual([]);
    expect(changed).toMatchObject([{ incidentId: 'inc_1', lastAbnormalMs: 70_000 }]);
  });

  it('is opened again, not anew, when its very anomalies are seen again', () => {
    const { look, tracker } = openTracker();
    look(60_000, [failing('web')]);
    look(200_000, []);
    expect(tracker.open()).toEqual([]);
    const { opened, changed } = look(70_000, [failing('web')]);
    expect(opened).toEqual([]);
    expect(changed[0]).toMatchObject({ incidentId: 'inc_1' });
    expect(changed[0]?.closedAtMs).toBeUndefined();
  });

  it('is not moved back by late data', () => {
    const { look, tracker } = openTracker();
    look(60_000, [failing('web')]);
    look(30_000, [failing('web')]);
    expect(tracker.open()[0]?.lastAbnormalMs).toBe(60_000);
  });
});

describe('without agreement', () => {
  it('every anomaly that passes its bar is an incident', () => {
    const tracker = createIncidentTracker({ newIncidentId: () => 'inc_1', needsAgreement: false });
    const anomalies = [anomalyOf('web', 'latency')];
    expect(tracker.look({ atMs: 1, openedAtMs: 1, anomalies, links: LINKS }).opened).toHaveLength(1);
  });
});
