/** What could be done about a cause: a catalogue of actions with preconditions, risk, predicted effect and undo. */
import { z } from 'zod';
import { digestOf } from '../platform/ids.ts';

/** The least risk first. */
export const riskTierSchema = z.enum(['info', 'low', 'medium', 'high']);
export type RiskTier = z.infer<typeof riskTierSchema>;

export const actionKindSchema = z.enum([
  'open-ticket',
  'rollback-deploy',
  'disable-flag',
  'restart-service',
  'scale-out',
  'raise-limit',
  'shed-load',
  'contact-provider',
]);
export type ActionKind = z.infer<typeof actionKindSchema>;

/** The risk of each action in the catalogue; info: a ticket or a note. */
export const TIER_OF: Readonly<Record<ActionKind, RiskTier>> = {
  'open-ticket': 'info',
  'disable-flag': 'low',
  'contact-provider': 'low',
  'rollback-deploy': 'medium',
  'restart-service': 'medium',
  'scale-out': 'medium',
  'raise-limit': 'medium',
  'shed-load': 'high',
};

/** The measurable promise an action makes, checked after it ran. */
export const predictedEffectSchema = z.object({
  service: z.string(),
  measure: z.enum(['error rate', 'p95 duration', 'cpu utilization', 'request rate']),
  direction: z.enum(['down', 'up']),
  /** The value that would show success, in the measure's unit (ratio 0..1, milliseconds, ratio, requests per second). */
  target: z.number(),
  deadlineSeconds: z.int().positive(),
});

export type PredictedEffect = z.infer<typeof predictedEffectSchema>;

export const remediationSchema = z.object({
  action: actionKindSchema,
  service: z.string(),
  parameters: z.record(z.string(), z.string()),
  tier: riskTierSchema,
  rationale: z.string(),
  preconditions: z.array(z.string()),
  predictedEffect: predictedEffectSchema.optional(),
  undo: z.string(),
  evidenceIds: z.array(z.string()),
});
export type Remediation = z.infer<typeof remediationSchema>;

/** The tier that counts: a remediation may be taken for riskier than the catalogue says, never for less. */
export function riskOf({ action, tier }: Pick<Remediation, 'action' | 'tier'>): RiskTier {
  const rank = (one: RiskTier) => riskTierSchema.options.indexOf(one);
  return rank(tier) > rank(TIER_OF[action]) ? tier : TIER_OF[action];
}

/** What an approval is bound to: a change in any part of the action gives another digest. */
export function actionDigest(remediation: Remediation): string {
  const { action, service, parameters, tier } = remediation;
  return digestOf({ action, service, parameters, tier });
}
