/** What a question in plain language is answered with: a sentence, the figures behind it, and the evidence for all of them. */
import { z } from 'zod';
import { quantitySchema } from './quantity.ts';
import { timeWindowSchema } from './time-window.ts';

const columnSchema = z.object({
  heading: z.string(),
  quantity: quantitySchema,
  /** Of a `number`. */
  unit: z.string().optional(),
});

export const answerTableSchema = z.object({
  columns: z.array(columnSchema),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
  /** Rows that exist; more than are here when it was cut. */
  totalRows: z.int().nonnegative(),
});
export type AnswerTable = z.infer<typeof answerTableSchema>;

export const answerChartSchema = z.object({
  label: z.string(),
  quantity: quantitySchema,
  unit: z.string().optional(),
  startMs: z.number(),
  stepMs: z.number(),
  /** One for each step; null: nothing was observed. */
  values: z.array(z.number().nullable()),
});
export type AnswerChart = z.infer<typeof answerChartSchema>;

export const answerSchema = z.object({
  /**
   * answered: what was asked. empty: it was understood, and telemetry has nothing there. declined: it was not understood, or
   * cannot be answered.
   */
  kind: z.enum(['answered', 'empty', 'declined']),
  /** Who understood the question: rules, or a language model. */
  by: z.enum(['grammar', 'model']),
  /** Sentences for people. Text of telemetry in it is shortened, not trusted. */
  text: z.string(),
  /** The question as it was understood, in fixed words; empty when it was not, and for a model's answers. */
  understood: z.string(),
  /** The time that the answer is about. */
  window: timeWindowSchema.optional(),
  /** What it was compared with. */
  baseline: timeWindowSchema.optional(),
  tables: z.array(answerTableSchema),
  chart: answerChartSchema.optional(),
  /** Every figure comes from one of these; `inquest verify` runs them again. */
  evidenceIds: z.array(z.string()),
  /** What the reader should know: words that were read otherwise, a model that failed. */
  notes: z.array(z.string()),
  /** Questions that can be answered and are near to this one. */
  suggestions: z.array(z.string()),
  investigationId: z.string().optional(),
  /** What a model took. */
  usage: z
    .object({
      modelName: z.string(),
      calls: z.number(),
      inputTokens: z.number(),
      outputTokens: z.number(),
      costUsd: z.number().optional(),
    })
    .optional(),
});
export type Answer = z.infer<typeof answerSchema>;
