/** Human consent: requested, decided once, bound to a digest of the action. Only this file can mint a Grant. */
import { z } from 'zod';
import { InputError } from '../platform/errors.ts';
import { leastRole, roleSchema } from './identity.ts';
import { actionDigest, type Remediation, remediationSchema, riskOf } from './remediation.ts';

export const decisionSchema = z.object({
  outcome: z.enum(['approved', 'rejected']),
  decidedBy: z.string().min(1).max(256),
  reason: z.string().max(2_000),
  decidedAtMs: z.int().nonnegative(),
  /** Digest of the action that was decided on. */
  actionDigest: z.string().length(64).optional(),
});
export type Decision = z.infer<typeof decisionSchema>;

/** From then on people of this role are asked too, because nobody decided. */
export const escalationSchema = z.object({ role: roleSchema, atMs: z.int().nonnegative() });
export type Escalation = z.infer<typeof escalationSchema>;

export const approvalSchema = z.object({
  approvalId: z.string().min(1),
  incidentId: z.string().min(1),
  investigationId: z.string().min(1),
  remediation: remediationSchema,
  actionDigest: z.string().length(64),
  requestedAtMs: z.int().nonnegative(),
  expiresAtMs: z.int().nonnegative(),
  /** Planned when it is requested, so that any process can tell who is asked by now; absent: nobody else ever is. */
  escalations: z.array(escalationSchema).optional(),
  decision: decisionSchema.optional(),
});
export type Approval = z.infer<typeof approvalSchema>;

/** Who decides when nobody else did. */
export const EXPIRY_POLICY = 'policy:expiry';

export function hasExpired(approval: Approval, nowMs: number): boolean {
  return nowMs > approval.expiresAtMs;
}

/** Each role above the least that may decide, one after the other, as long as the request lasts. */
export function planEscalations(
  remediation: Remediation,
  { requestedAtMs, expiresAtMs }: Pick<Approval, 'requestedAtMs' | 'expiresAtMs'>,
  everyMs: number,
): Escalation[] {
  const roles = roleSchema.options;
  return roles
    .slice(roles.indexOf(leastRole(riskOf(remediation))) + 1)
    .map((role, index) => ({ role, atMs: requestedAtMs + (index + 1) * everyMs }))
    .filter(({ atMs }) => atMs < expiresAtMs);
}

/** The end of a request that nobody decided on in time: default deny. */
export function decideByExpiry({ actionDigest: digest }: Approval, nowMs: number): Decision {
  const reason = 'Nobody decided in time, so it was not run.';
  return { outcome: 'rejected', decidedBy: EXPIRY_POLICY, reason, decidedAtMs: nowMs, actionDigest: digest };
}

declare const granted: unique symbol;
/** The permission to run one action, once. Cannot be written down as a literal: `grant` and `grantByPolicy` mint it. */
export interface Grant {
  readonly [granted]: true;
  readonly approvalId: string;
  readonly actionDigest: string;
  readonly grantedBy: string;
}

function mint(approvalId: string, digest: string, grantedBy: string): Grant {
  return Object.freeze({ approvalId, actionDigest: digest, grantedBy }) as Grant;
}

/** The grant of an approved request for exactly this action; throws InputError when it is not approved, expired or another action. */
export function grant(approval: Approval, remediation: Remediation): Grant {
  const { decision } = approval;
  if (decision?.outcome !== 'approved') {
    throw new InputError(`Approval ${approval.approvalId} is not approved: nothing may act on it.`);
  }
  if (hasExpired(approval, decision.decidedAtMs)) {
    throw new InputError(`Approval ${approval.approvalId} was decided after it expired: request a new one.`);
  }
  const digest = actionDigest(remediation);
  if (digest !== approval.actionDigest || digest !== (decision.actionDigest ?? digest)) {
    throw new InputError(`Approval ${approval.approvalId} is for another action than the one about to run.`);
  }
  return mint(approval.approvalId, digest, decision.decidedBy);
}

export const INFO_POLICY = 'policy:info';

/** The policy's own grant for what the catalogue knows as tier info, whatever the remediation says of itself. */
export function grantByPolicy(approvalId: string, remediation: Remediation): Grant {
  const tier = riskOf(remediation);
  if (tier !== 'info') {
    throw new InputError(`A ${tier} action needs a person's approval; the policy grants tier info only.`);
  }
  return mint(approvalId, actionDigest(remediation), INFO_POLICY);
}
