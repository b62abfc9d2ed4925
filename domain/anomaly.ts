/** What deviated: which signal of which service, by how much, in which window, against what was expected. */
import { z } from 'zod';
import { signalSchema } from './signal.ts';
import { timeWindowSchema } from './time-window.ts';

export const anomalySchema = z.object({
  anomalyId: z.string().min(1),
  signal: signalSchema,
  service: z.string(),
  /** What of the service: `error rate`, `p95 duration`, a metric's name, a log template. */
  subject: z.string(),
  detector: z.string(),
  window: timeWindowSchema,
  sinceMs: z.int().nonnegative(),
  observed: z.number(),
  expected: z.number(),
  /** The range that normal time would have given: [low, high]. */
  range: z.tuple([z.number(), z.number()]),
  /** How many times the bar of normal time is passed: 1 is the bar itself. */
  deviation: z.number(),
  unit: z.string(),
  sentence: z.string(),
});
export type Anomaly = z.infer<typeof anomalySchema>;
