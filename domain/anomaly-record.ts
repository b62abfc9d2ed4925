/** An anomaly as it is kept: what deviated, the incident it belongs to, and when it ended. */
import { z } from 'zod';
import { anomalySchema } from './anomaly.ts';

export const anomalyRecordSchema = z.object({
  /** As it was when it was worst, to a quarter or so. */
  anomaly: anomalySchema,
  /** Empty: it belongs to none. */
  incidentId: z.string(),
  /** Present: it is over. */
  endedAtMs: z.int().nonnegative().optional(),
});
export type AnomalyRecord = z.infer<typeof anomalyRecordSchema>;
