/** What people are shown of noise: what a word of theirs changed, the rules with what they have hidden, one anomaly explained. */
import { z } from 'zod';
import { anomalyRecordSchema } from './anomaly-record.ts';
import { feedbackSchema } from './feedback.ts';
import { noiseRuleSchema, ruleStatusSchema } from './noise-rule.ts';

/** A rule as it stands now. */
export const listedRuleSchema = noiseRuleSchema.extend({
  status: ruleStatusSchema,
  /** Anomalies that it has hidden so far, as long as they are kept. */
  hidden: z.int().nonnegative(),
  /** When it last did. */
  lastHiddenMs: z.int().nonnegative().optional(),
});
export type ListedRule = z.infer<typeof listedRuleSchema>;

/** What follows from feedback. */
export const lessonSchema = z.object({
  feedback: feedbackSchema,
  /** Series whose bar is another now: multiplied by `factor`, which fades to 1 until `endsMs`; 1: as it was before all feedback. */
  bars: z.array(z.object({ subject: z.string(), factor: z.number(), endsMs: z.int().nonnegative() })),
  /** They hide nothing until somebody accepts them. */
  proposed: z.array(noiseRuleSchema),
  /** Subjects for which no rule is proposed, with the reason as a sentence. */
  notProposed: z.array(z.object({ subject: z.string(), reason: z.string() })),
  /** Rules that hid, or would have hidden, what is real: no longer in force. */
  revoked: z.array(noiseRuleSchema),
});
export type Lesson = z.infer<typeof lessonSchema>;

export const explainedAnomalySchema = z.object({
  record: anomalyRecordSchema,
  /** What it belongs to. */
  incident: z.object({ incidentId: z.string(), title: z.string(), status: z.string() }).optional(),
  /** What keeps it quiet. */
  rule: noiseRuleSchema.optional(),
  /** Of the same incident, or else abnormal at the same time; the worst first. */
  correlated: z.array(
    anomalyRecordSchema.shape.anomaly.pick({
      anomalyId: true,
      service: true,
      subject: true,
      aspect: true,
      deviation: true,
      sinceMs: true,
      sentence: true,
    }),
  ),
  /** What people said about it, the newest last. */
  feedback: z.array(feedbackSchema),
});
export type ExplainedAnomaly = z.infer<typeof explainedAnomalySchema>;
