import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Feedback, judgedAnomalies, judgedIncidents, toleranceAt, tolerancesFrom } from './feedback.ts';

const DAY_MS = 86_400_000;
let count = 0;
const said = (judgement: Feedback['judgement'], atMs: number, more: Partial<Feedback> = {}): Feedback => ({
  feedbackId: `fb_${count++}`,
  atMs,
  by: 'lea',
  judgement,
  reason: '',
  about: 'anom_1',
  incidentId: '',
  series: [{ series: 's', deviation: 2 }],
  ...more,
});
const factorAt = (feedback: readonly Feedback[], atMs: number) => toleranceAt(tolerancesFrom(feedback).get('s'), atMs);
const deviation = fc.double({ min: 0, max: 1_000, noNaN: true });

describe('the bar of a series', () => {
  it('is raised by what was called noise so that the same passes it no more, within a limit, and comes down again', () => {
    fc.assert(
      fc.property(deviation, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), (seen, one, other) => {
        const feedback = [said('noise', 0, { series: [{ series: 's', deviation: seen }] })];
        const fresh = factorAt(feedback, 0);
        expect(fresh).toBeGreaterThanOrEqual(1);
        expect(fresh).toBeLessThanOrEqual(3);
        if (seen < 2.5) expect(seen / fresh).toBeLessThan(1);
        const [sooner, later] = [Math.min(one, other), Math.max(one, other)];
        expect(factorAt(feedback, later * DAY_MS)).toBeLessThanOrEqual(factorAt(feedback, sooner * DAY_MS));
        expect(factorAt(feedback, 30 * DAY_MS)).toBe(1);
        expect(factorAt(feedback, -DAY_MS)).toBe(fresh);
      }),
    );
  });

  it('is as if nobody had said anything once it is called real, whatever was said before and in whatever order it is read', () => {
    fc.assert(
      fc.property(fc.array(deviation, { maxLength: 5 }), fc.nat(), (seen, atMs) => {
        const noise = seen.map((each, index) => said('noise', index, { series: [{ series: 's', deviation: each }] }));
        const feedback = [said('real', 10), ...noise];
        expect(tolerancesFrom(feedback)).toEqual(new Map());
        expect(factorAt(feedback, atMs)).toBe(1);
      }),
    );
  });

  it('is another for every series', () => {
    const feedback = [
      said('noise', 0, {
        series: [
          { series: 's', deviation: 2 },
          { series: 't', deviation: 1.5 },
        ],
      }),
      said('real', 1),
    ];
    expect([...tolerancesFrom(feedback).keys()]).toEqual(['t']);
  });
});

describe('what people judged', () => {
  it('is the newest word; an anomaly makes its incident real, never noise', () => {
    const feedback = [
      said('real', 1, { about: 'inc_1', incidentId: 'inc_1' }),
      said('noise', 2, { about: 'inc_1', incidentId: 'inc_1' }),
      said('noise', 3, { about: 'anom_2', incidentId: 'inc_2' }),
      said('real', 4, { about: 'anom_3', incidentId: 'inc_3' }),
      said('noise', 5, { about: 'anom_4' }),
      said('real', 6, { about: 'anom_4' }),
    ];
    expect(judgedIncidents(feedback.toReversed())).toEqual(
      new Map([
        ['inc_1', 'noise'],
        ['inc_3', 'real'],
      ]),
    );
    expect(judgedAnomalies(feedback.toReversed())).toEqual(
      new Map([
        ['anom_2', 'noise'],
        ['anom_3', 'real'],
        ['anom_4', 'real'],
      ]),
    );
  });
});
