/** What belongs together, and when it is an incident. */
import { describe, expect, it } from 'vitest';
import { anomalyOf } from './anomaly.fixture.ts';
import { groupAnomalies, isIncident, type ServiceLinks } from './group-anomalies.ts';

const LINKS: ServiceLinks = new Map([
  ['web', new Set(['cart'])],
  ['cart', new Set(['web', 'db'])],
  ['db', new Set(['cart'])],
  ['mail', new Set(['smtp'])],
]);

const servicesOf = (groups: ReturnType<typeof groupAnomalies>) =>
  groups.map(({ services }) => [...services].sort().join(' ')).sort();

describe('groupAnomalies', () => {
  it('joins services that call each other, over any number of calls', () => {
    const anomalies = ['db', 'web', 'cart', 'mail'].map((service) => anomalyOf(service, 'latency'));
    expect(servicesOf(groupAnomalies(anomalies, LINKS))).toEqual(['cart db web', 'mail']);
    expect(
      servicesOf(
        groupAnomalies(
          [anomalies[0], anomalies[1]].flatMap((a) => a ?? []),
          LINKS,
        ),
      ),
    ).toEqual(['db', 'web']);
  });

  it('takes all of one time for one trouble where nobody knows who calls whom', () => {
    const anomalies = ['db', 'mail'].map((service) => anomalyOf(service, 'latency'));
    expect(servicesOf(groupAnomalies(anomalies, new Map()))).toEqual(['db mail']);
  });

  it('lets whispers join what is beside them, and lead nowhere', () => {
    const whisper = anomalyOf('cart', 'errors', { deviation: 0.6 });
    const groups = groupAnomalies([anomalyOf('web', 'latency'), whisper, anomalyOf('db', 'latency')], LINKS);
    expect(servicesOf(groups)).toEqual(['db', 'web']);
    expect(groups.every(({ anomalies }) => anomalies.includes(whisper))).toBe(true);
    expect(groupAnomalies([whisper], LINKS)).toEqual([]);
  });
});

describe('isIncident', () => {
  const isOne = (...anomalies: Parameters<typeof groupAnomalies>[0][number][]) =>
    groupAnomalies(anomalies, LINKS).some((group) => isIncident(group));

  it('needs two aspects that together pass two bars', () => {
    expect(isOne(anomalyOf('web', 'latency'))).toBe(false);
    expect(isOne(anomalyOf('web', 'latency'), anomalyOf('cart', 'latency'))).toBe(false);
    expect(isOne(anomalyOf('web', 'latency', { deviation: 1.1 }), anomalyOf('cart', 'errors', { deviation: 1 }))).toBe(
      true,
    );
    expect(isOne(anomalyOf('web', 'latency', { deviation: 1.5 }), anomalyOf('cart', 'logs', { deviation: 0.5 }))).toBe(
      true,
    );
    expect(isOne(anomalyOf('web', 'latency', { deviation: 9 }), anomalyOf('cart', 'logs', { deviation: 0.4 }))).toBe(
      false,
    );
  });

  it('takes more work for no second sign beside more to do', () => {
    const work = anomalyOf('web', 'resources');
    const asked = (observed: number) => anomalyOf('web', 'traffic', { observed, expected: 10 });
    expect(isOne(asked(20), work)).toBe(false);
    expect(isOne(asked(5), work)).toBe(true);
    expect(isOne(asked(20), anomalyOf('cart', 'resources'))).toBe(true);
    expect(isOne(asked(20), work, anomalyOf('web', 'latency'))).toBe(true);
  });

  it('needs one alone where users are plainly hurt', () => {
    expect(isOne(anomalyOf('web', 'errors', { deviation: 1.5, hurtsUsers: true }))).toBe(true);
    expect(isOne(anomalyOf('web', 'errors', { deviation: 1.4, hurtsUsers: true }))).toBe(false);
    expect(isOne(anomalyOf('web', 'resources', { deviation: 9 }))).toBe(false);
  });
});
