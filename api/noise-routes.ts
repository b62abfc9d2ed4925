/** The routes on which people see anomalies and teach detection what is noise and what is real: part of ROUTES. */
import { z } from 'zod';
import { anomalyRecordSchema } from '../domain/anomaly-record.ts';
import { falsePositiveRateSchema } from '../domain/false-positive-rate.ts';
import { judgementSchema } from '../domain/feedback.ts';
import { explainedAnomalySchema, lessonSchema, listedRuleSchema } from '../domain/noise-lesson.ts';
import { nextShape, pageShape, spanShape } from './page-shapes.ts';

const saidShape = {
  by: z
    .string()
    .max(256)
    .default('')
    .describe("Who says so, where the caller holds the data directory's token; identities are recorded by their name."),
  reason: z.string().max(2_000).default('').describe('Why, for the record.'),
};

export const anomaliesQuerySchema = z.strictObject({
  ...spanShape,
  service: z.string().min(1).max(256).optional(),
  show: z
    .enum(['shown', 'all'])
    .default('shown')
    .describe('all: also what a rule hides, and what feedback lowered below the bar.'),
  ...pageShape(50),
});

export const feedbackInputSchema = z
  .object({
    judgement: judgementSchema.describe(
      'noise: the bars of its series are raised, and rules proposed. real: they are as they were, and rules that hide it are revoked.',
    ),
    ...saidShape,
  })
  .strict();

export const ruleDecisionInputSchema = z.object(saidShape).strict();

const ruleExample = { reason: 'the nightly import' };

export const NOISE_ROUTES = {
  listAnomalies: {
    method: 'GET',
    path: '/api/anomalies',
    needs: 'read',
    summary: 'What was abnormal in a span of time, also where no incident came of it; what began last first',
    query: anomaliesQuerySchema,
    example: { since: '2h', service: 'checkout', show: 'all' },
    output: z.object({ anomalies: z.array(anomalyRecordSchema), ...nextShape }),
  },
  getAnomaly: {
    method: 'GET',
    path: '/api/anomalies/:id',
    needs: 'read',
    summary: 'One anomaly, explained: what is normal, what belongs to it, what keeps it quiet, what people said',
    output: explainedAnomalySchema,
  },
  giveFeedback: {
    method: 'POST',
    path: '/api/feedback/:id',
    needs: 'operate',
    summary: 'Say that an anomaly or incident is noise or real: detection learns from it',
    description: 'The id is that of an anomaly, an incident (for all of its anomalies) or its investigation.',
    input: feedbackInputSchema,
    example: { judgement: 'noise', reason: 'the nightly import' },
    output: lessonSchema,
  },
  listRules: {
    method: 'GET',
    path: '/api/rules',
    needs: 'read',
    summary: 'Rules about noise, the newest first: proposed, accepted, expired, revoked, and what each has hidden',
    output: z.object({ rules: z.array(listedRuleSchema) }),
  },
  acceptRule: {
    method: 'POST',
    path: '/api/rules/:id/acceptance',
    needs: 'operate',
    canConflict: true,
    summary: 'Put a proposed rule in force for 30 days',
    description:
      'It is tried on the stored past first: a rule that would have hidden a real incident is refused with 409, whoever asks.',
    input: ruleDecisionInputSchema,
    example: ruleExample,
    output: listedRuleSchema,
  },
  revokeRule: {
    method: 'POST',
    path: '/api/rules/:id/revocation',
    needs: 'operate',
    canConflict: true,
    summary: 'Take a rule out of force, or withdraw a proposal',
    input: ruleDecisionInputSchema,
    example: { reason: 'the import was moved to another database' },
    output: listedRuleSchema,
  },
  getFalsePositives: {
    method: 'GET',
    path: '/api/false-positives',
    needs: 'read',
    summary: 'Of the incidents of the last 30 days that are known to be noise or real, the share that was noise',
    output: falsePositiveRateSchema,
  },
} as const;
