import { describe, expect, it } from 'vitest';
import type { Change, ChangeKind } from './change.ts';
import { type CauseType, causeTypeSchema } from './finding.ts';
import type { Suspect } from './investigation.ts';
import { remediationSchema } from './remediation.ts';
import { chooseRemediation } from './remediation-catalogue.ts';

const suspect = (causeType: CauseType, change: Partial<Suspect> = {}): Suspect => ({
  rank: 1,
  hypothesisId: 'hyp_1',
  service: 'checkout',
  causeType,
  statement: 'checkout fails since its deploy'.padEnd(400, '.'),
  score: 0.8,
  normal: { errorRatio: 0.01, p95Ms: 120, cpuUtilization: 0.4 },
  evidenceIds: ['ev_0123456789ab'],
  ...change,
});
const changeOf = (kind: ChangeKind): Change => ({
  changeId: 'chg_1',
  kind,
  service: 'checkout',
  atMs: 1,
  version: '1.4.1',
  summary: '',
  author: '',
  url: '',
  attributes: {},
  diff: '',
  source: 'webhook',
});
const choose = (given: Suspect, change?: Change) =>
  chooseRemediation({ suspect: given, change, normal: given.normal, evidenceIds: given.evidenceIds });

const bare = { normal: {}, evidenceIds: [] };
const situations = [undefined, ...(['deploy', 'commit', 'flag', 'config', 'infrastructure'] as const).map(changeOf)];

describe('every cause', () => {
  it.each(causeTypeSchema.options)(
    '%s has a remediation, with or without a change, with or without figures',
    (causeType) => {
      for (const change of situations) {
        for (const given of [suspect(causeType), suspect(causeType, bare), suspect(causeType, { pod: 'checkout-1' })]) {
          const remediation = choose(given, change);
          expect(remediationSchema.parse(remediation)).toEqual(remediation);
          expect(remediation).toMatchObject({ service: 'checkout', evidenceIds: given.evidenceIds });
          expect(remediation.undo).not.toBe('');
          expect(remediation.rationale).not.toBe('');
        }
      }
    },
  );

  it.each(causeTypeSchema.options)('%s is acted on without a person by a ticket only', (causeType) => {
    for (const change of situations) {
      const { action, tier } = choose(suspect(causeType), change);
      expect(tier === 'info').toBe(action === 'open-ticket');
    }
  });
});

describe('the choice', () => {
  it.each<[CauseType, ChangeKind | undefined, string]>([
    ['bad-change', 'deploy', 'rollback-deploy'],
    ['bad-change', 'flag', 'disable-flag'],
    ['bad-change', undefined, 'open-ticket'],
    ['bad-change', 'config', 'open-ticket'],
    ['errors', 'deploy', 'rollback-deploy'],
    ['cpu-saturation', 'deploy', 'rollback-deploy'],
    ['cpu-saturation', undefined, 'scale-out'],
    ['memory-exhaustion', undefined, 'restart-service'],
    ['pool-exhaustion', undefined, 'restart-service'],
    ['traffic-surge', 'deploy', 'shed-load'],
    ['external-dependency', 'deploy', 'open-ticket'],
    ['disk-saturation', undefined, 'open-ticket'],
    ['unknown', 'deploy', 'open-ticket'],
  ])('for %s after %s is %s', (causeType, kind, action) => {
    expect(choose(suspect(causeType), kind && changeOf(kind)).action).toBe(action);
  });

  it('names what is to be taken back', () => {
    const { parameters, undo } = choose(suspect('bad-change'), changeOf('deploy'));
    expect(parameters).toEqual({ changeId: 'chg_1', version: '1.4.1' });
    expect(undo).toContain('1.4.1');
    expect(choose(suspect('memory-exhaustion', { pod: 'checkout-1' })).parameters).toEqual({ pod: 'checkout-1' });
  });

  it('promises what can be measured: the way back to normal', () => {
    const effectOf = (normal: Suspect['normal'], causeType: CauseType = 'pool-exhaustion') =>
      choose(suspect(causeType, { normal })).predictedEffect;
    const promise = { service: 'checkout', direction: 'down', deadlineSeconds: 300 };
    expect(effectOf({ errorRatio: 0.01, p95Ms: 120 })).toEqual({ ...promise, measure: 'error rate', target: 0.01 });
    expect(effectOf({ p95Ms: 120 })).toEqual({ ...promise, measure: 'p95 duration', target: 120 });
    expect(effectOf({})).toBeUndefined();
    expect(effectOf({ cpuUtilization: 0.4 }, 'cpu-saturation')).toEqual({
      ...promise,
      measure: 'cpu utilization',
      target: 0.4,
    });
    expect(effectOf({ p95Ms: 120 }, 'cpu-saturation')).toMatchObject({ measure: 'p95 duration' });
  });

  it('is the same for the same situation', () => {
    expect(choose(suspect('errors'), changeOf('deploy'))).toEqual(choose(suspect('errors'), changeOf('deploy')));
  });
});
