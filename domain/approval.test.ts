import { describe, expect, expectTypeOf, it } from 'vitest';
import { InputError } from '../platform/errors.ts';
import {
  type Approval,
  approvalSchema,
  type Decision,
  decideByExpiry,
  decisionSchema,
  type Grant,
  grant,
  grantByPolicy,
  planEscalations,
} from './approval.ts';
import { actionDigest, actionKindSchema, type Remediation, riskTierSchema } from './remediation.ts';

const rollback: Remediation = {
  action: 'rollback-deploy',
  service: 'checkout',
  parameters: { version: '1.4.0' },
  tier: 'medium',
  rationale: 'checkout went wrong after the deploy of 1.4.1',
  preconditions: [],
  undo: 'deploy 1.4.1 again',
  evidenceIds: ['ev_0123456789ab'],
};
const approved: Decision = { outcome: 'approved', decidedBy: 'alice', reason: 'yes', decidedAtMs: 1_500 };
const approval = (decision: Decision | undefined, change: Partial<Approval> = {}): Approval => ({
  approvalId: 'apr_1',
  incidentId: 'inc_1',
  investigationId: 'inv_1',
  remediation: rollback,
  actionDigest: actionDigest(rollback),
  requestedAtMs: 1_000,
  expiresAtMs: 2_000,
  ...(decision ? { decision } : {}),
  ...change,
});

describe('grant', () => {
  it('is for the action that was approved, by the one who did', () => {
    const permission = grant(approval(approved), rollback);
    expect(permission).toEqual({ approvalId: 'apr_1', actionDigest: actionDigest(rollback), grantedBy: 'alice' });
    expect(Object.isFrozen(permission)).toBe(true);
  });

  it('is given up to the last moment', () => {
    expect(grant(approval({ ...approved, decidedAtMs: 2_000 }), rollback).grantedBy).toBe('alice');
  });

  it('does not mind a better explanation: what runs is the same', () => {
    const explained = { ...rollback, rationale: 'because', evidenceIds: [], undo: 'none', preconditions: ['x'] };
    expect(grant(approval(approved), explained).actionDigest).toBe(actionDigest(rollback));
  });

  it.each<[string, Approval]>([
    ['nobody decided', approval(undefined)],
    ['it was rejected', approval({ ...approved, outcome: 'rejected' })],
    ['it was decided too late', approval({ ...approved, decidedAtMs: 2_001 })],
    ['nobody decided in time', approval(decideByExpiry(approval(undefined), 2_001))],
    ['something else was shown', approval({ ...approved, actionDigest: 'e'.repeat(64) })],
  ])('is refused when %s', (_, given) => {
    expect(() => grant(given, rollback)).toThrow(InputError);
  });

  it.each<[string, Remediation]>([
    ['action', { ...rollback, action: 'restart-service' }],
    ['service', { ...rollback, service: 'cart' }],
    ['parameter', { ...rollback, parameters: { version: '1.3.0' } }],
    ['added parameter', { ...rollback, parameters: { ...rollback.parameters, force: 'true' } }],
    ['tier', { ...rollback, tier: 'info' }],
  ])('is refused for another %s than was approved', (_, other) => {
    expect(() => grant(approval(approved), other)).toThrow(InputError);
  });
});

describe('grantByPolicy', () => {
  const ticket: Remediation = { ...rollback, action: 'open-ticket', tier: 'info', parameters: {} };

  it('is for tier info', () => {
    expect(grantByPolicy('apr_2', ticket)).toEqual({
      approvalId: 'apr_2',
      actionDigest: actionDigest(ticket),
      grantedBy: 'policy:info',
    });
  });

  it.each(actionKindSchema.options.filter((action) => action !== 'open-ticket'))(
    'is refused for %s that calls itself info',
    (action) => {
      expect(() => grantByPolicy('apr_2', { ...ticket, action })).toThrow('approval');
    },
  );

  it.each(riskTierSchema.options.filter((tier) => tier !== 'info'))('is refused for tier %s', (tier) => {
    expect(() => grantByPolicy('apr_2', { ...ticket, tier })).toThrow(InputError);
  });
});

describe('a Grant', () => {
  it('cannot be written down', () => {
    const literal = { approvalId: 'apr_1', actionDigest: actionDigest(rollback), grantedBy: 'me' };
    // @ts-expect-error: only grant and grantByPolicy mint one
    const forged: Grant = literal;
    expect(forged).toBe(literal);
    expectTypeOf(literal).not.toExtend<Grant>();
    expectTypeOf<ReturnType<typeof grant>>().toEqualTypeOf<Grant>();
    expectTypeOf<ReturnType<typeof grantByPolicy>>().toEqualTypeOf<Grant>();
  });

  it('cannot be changed', () => {
    const permission = grant(approval(approved), rollback);
    expect(() => Object.assign(permission, { grantedBy: 'mallory' })).toThrow(TypeError);
  });
});

describe('what comes from outside', () => {
  it('is checked: a decision has somebody who took it', () => {
    expect(decisionSchema.safeParse({ ...approved, decidedBy: '' }).success).toBe(false);
    expect(decisionSchema.safeParse({ ...approved, outcome: 'maybe' }).success).toBe(false);
    expect(approvalSchema.safeParse(approval(approved)).success).toBe(true);
    expect(approvalSchema.safeParse(approval(approved, { actionDigest: 'short' })).success).toBe(false);
  });
});

it('a request asks each role above the least one, one after the other, before it is over', () => {
  const times = { requestedAtMs: 1_000, expiresAtMs: 4_000 };
  const low: Remediation = { ...rollback, action: 'restart-service' };
  const roles = (remediation: Remediation, everyMs: number) =>
    planEscalations(remediation, times, everyMs).map(({ role, atMs }) => `${role} ${atMs}`);
  expect(roles(rollback, 1_000)).toEqual(['manager 2000']);
  expect(roles(rollback, 3_000)).toEqual([]);
  expect(roles(low, 1_000).at(-1)).toMatch(/^manager /);
});
