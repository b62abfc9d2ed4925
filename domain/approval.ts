/** Human consent: requested, decided once, bound to a digest of the action. Only this file can mint a Grant. */
import { z } from 'zod';
import { InputError } from '../platform/errors.ts';
import { actionDigest, type Remediation, remediationSchema } from './remediation.ts';

export const decisionSchema = z.object({
  outcome: z.enum(['approved', 'rejected']),
  decidedBy: z.string().min(1).max(256),
  reason: z.string().max(2_000),
  decidedAtMs: z.int().nonnegative(),
});
export type Decision = z.infer<typeof decisionSchema>;

export const approvalSchema = z.object({
  approvalId: z.string().min(1),
  incidentId: z.string().min(1),
  investigationId: z.string().min(1),
  remediation: remediationSchema,
  actionDigest: z.string().length(64),
  requestedAtMs: z.int().nonnegative(),
  expiresAtMs: z.int().nonnegative(),
  decision: decisionSchema.optional(),
});
export type Approval = z.infer<typeof approvalSchema>;

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
  if (decision.decidedAtMs > approval.expiresAtMs) {
    throw new InputError(`Approval ${approval.approvalId} was decided after it expired: request a new one.`);
  }
  const digest = actionDigest(remediation);
  if (digest !== approval.actionDigest) {
    throw new InputError(`Approval ${approval.approvalId} is for another action than the one about to run.`);
  }
  return mint(approval.approvalId, digest, decision.decidedBy);
}

/** The policy's own grant for tier info, the only tier that needs no human. */
export function grantByPolicy(approvalId: string, remediation: Remediation): Grant {
  if (remediation.tier !== 'info') {
    throw new InputError(`A ${remediation.tier} action needs a person's approval; the policy grants tier info only.`);
  }
  return mint(approvalId, actionDigest(remediation), 'policy:info');
}
