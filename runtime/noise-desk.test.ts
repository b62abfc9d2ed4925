/** What people's word changes: bars, rules, what is hidden from then on, and what is written down of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { anomalyOf } from '../detection/anomaly.fixture.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { Caller } from '../domain/identity.ts';
import { createManualClock } from '../platform/clock.ts';
import { UnavailableError } from '../platform/errors.ts';
import { createAnomalyExplainer } from './explain-anomaly.ts';
import { type NoiseDesk, openNoiseDesk } from './noise-desk.ts';
import { createMemoryNoise, type MemoryNoise } from './noise-parts.fixture.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 5, 12);
const LEA: Caller = { name: 'lea', role: 'member' };
const signal = new AbortController().signal;
let clock: ReturnType<typeof createManualClock>;
let memory: MemoryNoise;
let desk: NoiseDesk;

beforeEach(() => {
  clock = createManualClock(START_MS);
  memory = createMemoryNoise(clock);
  desk = openNoiseDesk(memory.parts);
});

const slow = (change: Partial<Anomaly> = {}) =>
  anomalyOf('cart', 'latency', { sinceMs: START_MS - 60_000, deviation: 5, ...change });
const failing = (change: Partial<Anomaly> = {}) =>
  anomalyOf('cart', 'errors', { sinceMs: START_MS - 60_000, deviation: 1.2, ...change });
const refine = async (anomaly: Anomaly) => (await desk.refine([anomaly], clock.nowMs(), signal))[0];
const noise = (id: string, reason = '') => desk.giveFeedback(id, { judgement: 'noise', reason }, LEA);
const real = (id: string) => desk.giveFeedback(id, { judgement: 'real', reason: '' }, LEA);
const said = { reason: '' };

describe('noise', () => {
  it('raises the bar at once, hides only with a rule that somebody accepted, and shows all of it again when it ends', async () => {
    const anomaly = slow();
    await memory.parts.anomalies.save([{ anomaly, incidentId: '' }]);
    expect(await refine(anomaly)).toEqual(anomaly);

    const { bars, proposed, feedback } = await noise(anomaly.anomalyId, 'the nightly import');
    expect(feedback).toMatchObject({ by: 'lea', judgement: 'noise', about: anomaly.anomalyId });
    expect(bars).toEqual([{ subject: 'cart: latency', factor: 3, endsMs: START_MS + 30 * DAY_MS }]);
    expect(await refine(anomaly)).toEqual({ ...anomaly, deviation: 5 / 3, tolerance: 3 });
    const ruleId = proposed[0]?.ruleId ?? '';
    expect(proposed).toMatchObject([{ reason: 'the nightly import', backTest: { days: 1, anomalies: 1 } }]);

    const accepted = await desk.acceptRule(ruleId, said, LEA);
    expect(accepted).toMatchObject({ status: 'accepted', hidden: 0, accepted: { by: 'lea' } });
    const hidden = await refine(anomaly);
    expect(hidden).toEqual({ ...anomaly, hiddenBy: ruleId });
    expect(await refine({ ...anomaly, deviation: 8 })).not.toHaveProperty('hiddenBy');
    await memory.parts.anomalies.save([{ anomaly: hidden ?? anomaly, incidentId: '' }]);
    expect(await desk.listRules()).toMatchObject([{ ruleId, status: 'accepted', hidden: 1 }]);

    clock.advance(30 * DAY_MS);
    expect(await desk.listRules()).toMatchObject([{ status: 'expired', hidden: 1 }]);
    expect(await refine(anomaly)).toEqual(anomaly);
    await expect(desk.acceptRule(ruleId, said, LEA)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is taken back by real: the bar is as it was, and what would hide it is revoked', async () => {
    const anomaly = slow();
    await memory.parts.anomalies.save([{ anomaly, incidentId: '' }]);
    const { proposed } = await noise(anomaly.anomalyId);
    const ruleId = proposed[0]?.ruleId ?? '';
    await desk.acceptRule(ruleId, said, LEA);
    clock.advance(1_000);
    const { bars, revoked } = await real(anomaly.anomalyId);
    expect(bars).toMatchObject([{ factor: 1 }]);
    expect(revoked).toMatchObject([{ ruleId, revoked: { by: 'lea', reason: `${anomaly.anomalyId} is real` } }]);
    expect(await refine(anomaly)).toEqual(anomaly);
    expect(memory.audited.map(({ kind, actor }) => [kind, actor])).toEqual([
      ['feedback.given', 'lea'],
      ['rule.proposed', 'lea'],
      ['rule.accepted', 'lea'],
      ['feedback.given', 'lea'],
      ['rule.revoked', 'lea'],
    ]);
  });

  it('of an incident is that of its anomalies; as few rules are proposed as it takes', async () => {
    await memory.addIncident('inc_1', [slow(), failing(), failing({ ...anomalyOf('web', 'logs'), deviation: 0.7 })]);
    const { bars, proposed, notProposed } = await noise('inc_1');
    expect(bars.map(({ subject }) => subject)).toEqual(['cart: latency', 'cart: errors']);
    expect(proposed.map(({ scope }) => scope.aspect)).toEqual(['latency']);
    expect(notProposed).toEqual([]);
    const again = await noise('inc_1');
    expect(again.proposed.map(({ ruleId }) => ruleId)).toEqual(proposed.map(({ ruleId }) => ruleId));
    expect(await desk.listRules()).toHaveLength(1);
    await desk.acceptRule(proposed[0]?.ruleId ?? '', said, LEA);
    expect((await noise('inc_1')).notProposed).toMatchObject([{ reason: expect.stringContaining('hides it already') }]);
  });

  it('of an incident that turned out to be part of another is about that one', async () => {
    await memory.addIncident('inc_1', [slow(), failing()]);
    await memory.addIncident('inc_2', [anomalyOf('web', 'logs', { sinceMs: START_MS, deviation: 2 })]);
    const part = await memory.parts.archive.find('course', 'inc_2');
    if (part) await memory.parts.archive.save('course', [{ ...part, mergedInto: 'inc_1' }]);
    expect((await noise('inc_2')).feedback).toMatchObject({ about: 'inc_1', incidentId: 'inc_1' });
  });

  it('of what nobody knows is not found', async () => {
    await expect(noise('inc_none')).rejects.toMatchObject({ code: 'not-found' });
    await expect(desk.acceptRule('rule_none', said, LEA)).rejects.toMatchObject({ code: 'not-found' });
    await expect(desk.revokeRule('rule_none', said, LEA)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a rule that would hide a real incident', () => {
  const yesterdays = () => [
    slow({ sinceMs: START_MS - DAY_MS, deviation: 4 }),
    failing({ sinceMs: START_MS - DAY_MS }),
  ];

  it('is not proposed, and says why', async () => {
    await memory.addIncident('inc_real', yesterdays(), true);
    const anomaly = slow();
    await memory.parts.anomalies.save([{ anomaly, incidentId: '' }]);
    const { proposed, notProposed } = await noise(anomaly.anomalyId);
    expect(proposed).toEqual([]);
    expect(notProposed).toEqual([
      {
        subject: 'cart: latency',
        reason: 'The narrowest rule for it would have hidden 2 anomalies and 1 real incident in 1 day.',
      },
    ]);
  });

  it('is accepted by nobody, until somebody says that it was noise', async () => {
    const anomaly = slow();
    await memory.parts.anomalies.save([{ anomaly, incidentId: '' }]);
    const { proposed } = await noise(anomaly.anomalyId);
    const ruleId = proposed[0]?.ruleId ?? '';
    // What happened meanwhile counts too.
    await memory.addIncident('inc_real', yesterdays(), true);
    await expect(desk.acceptRule(ruleId, said, LEA)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/1 real incident in 1 day.*inquest feedback inc_real --noise/),
    });
    expect(await refine(anomaly)).not.toHaveProperty('hiddenBy');
    clock.advance(1_000);
    await noise('inc_real');
    expect((await desk.acceptRule(ruleId, said, LEA)).status).toBe('accepted');
    await expect(desk.acceptRule(ruleId, said, LEA)).rejects.toMatchObject({ code: 'conflict' });
    expect((await desk.revokeRule(ruleId, { reason: 'moved' }, LEA)).revoked).toMatchObject({ reason: 'moved' });
    await expect(desk.revokeRule(ruleId, said, LEA)).rejects.toMatchObject({ code: 'conflict' });
  });
});

it('false positives are counted as people and investigations judged them', async () => {
  for (const [id, isExplained] of [
    ['inc_1', true],
    ['inc_2', false],
    ['inc_3', false],
  ] as const) {
    await memory.addIncident(id, [slow(), failing()], isExplained);
  }
  await noise('inc_2');
  expect(await desk.falsePositives()).toMatchObject({ noise: 1, real: 1, undecided: 1, percent: 50 });
});

it('detection goes on with what it knew while the archive is away', async () => {
  const anomaly = slow();
  await memory.parts.anomalies.save([{ anomaly, incidentId: '' }]);
  await noise(anomaly.anomalyId);
  let isAway = false;
  const list: typeof memory.parts.archive.list = async (kind, limit) => {
    if (isAway) throw new UnavailableError('the engine restarts');
    return memory.parts.archive.list(kind, limit);
  };
  desk = openNoiseDesk({ ...memory.parts, archive: { ...memory.parts.archive, list } });
  isAway = true;
  expect(await refine(anomaly)).toEqual(anomaly);
  isAway = false;
  clock.advance(31_000);
  expect(await refine(anomaly)).toHaveProperty('tolerance');
  isAway = true;
  clock.advance(31_000);
  expect(await refine(anomaly)).toHaveProperty('tolerance');
});

describe('an explained anomaly', () => {
  it('comes with its incident, what agrees with it and what was said', async () => {
    const [latency, errors] = [slow(), failing()];
    await memory.addIncident('inc_1', [latency, errors]);
    await noise('inc_1', 'again');
    const explain = createAnomalyExplainer(memory.parts);
    expect(await explain(latency.anomalyId)).toMatchObject({
      record: { anomaly: latency, incidentId: 'inc_1' },
      incident: { incidentId: 'inc_1', status: 'open' },
      correlated: [{ anomalyId: errors.anomalyId, sentence: errors.sentence }],
      feedback: [{ judgement: 'noise', reason: 'again' }],
    });
    await expect(explain('anom_none')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('alone comes with what was abnormal at the same time, and with the rule that hides it', async () => {
    const [latency, errors] = [slow(), failing()];
    await memory.parts.anomalies.save([{ anomaly: latency, incidentId: '' }]);
    const { proposed } = await noise(latency.anomalyId);
    const hiddenBy = proposed[0]?.ruleId ?? '';
    await memory.parts.anomalies.save([
      { anomaly: { ...latency, hiddenBy }, incidentId: '' },
      { anomaly: errors, incidentId: '' },
    ]);
    expect(await createAnomalyExplainer(memory.parts)(latency.anomalyId)).toMatchObject({
      rule: { ruleId: hiddenBy },
      correlated: [{ anomalyId: errors.anomalyId }],
    });
  });
});
