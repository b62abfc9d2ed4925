/** What could be done about a cause: a catalogue of actions with preconditions, risk, predicted effect and undo. */
import { z } from 'zod';
import { digestOf } from '../platform/ids.ts';

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

/** The measurable promise an action makes, checked after it ran. */
export const predictedEffectSchema = z.object({
  service: z.string(),
  measure: z.enum(['error rate', 'p95 duration', 'cpu utilization', 'request rate']),
  direction: z.enum(['down', 'up']),
  /** The value that would show success, in the measure's unit (ratio 0..1, milliseconds, ratio, requests per second). */
  target: z.number(),
  deadlineSeconds: z.int().positive(),
});

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

/** What an approval is bound to: a change in any part of the action gives another digest. */
export function actionDigest(remediation: Remediation): string {
  const { action, service, parameters, tier } = remediation;
  return digestOf({ action, service, parameters, tier });
}
