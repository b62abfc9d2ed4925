/** Something is wrong in production: opened by detection or by a person, investigated once, closed by a verdict or a human. */
import { z } from 'zod';
import { anomalySchema } from './anomaly.ts';
import { timeWindowSchema } from './time-window.ts';

export const incidentStatusSchema = z.enum([
  'open',
  'investigating',
  'awaiting-approval',
  'resolved',
  'abstained',
  'failed',
]);

export const severitySchema = z.enum(['low', 'medium', 'high']);

export const incidentSchema = z.object({
  incidentId: z.string().min(1),
  title: z.string().max(500),
  status: incidentStatusSchema,
  source: z.enum(['detection', 'manual']),
  /** The service where it was noticed; empty when nobody knows. */
  service: z.string(),
  openedAtMs: z.int().nonnegative(),
  /** Where to look: from well before the trouble to now. */
  searchWindow: timeWindowSchema,
  /** Known-good time, when somebody named it; otherwise the investigation finds its own. */
  baselineWindow: timeWindowSchema.optional(),
  /** The trouble did not begin before this; absent: anywhere in the search window. */
  earliestOnsetMs: z.int().nonnegative().optional(),
  /** Best known start of the trouble; absent: the investigation looks for it. */
  onsetMs: z.int().nonnegative().optional(),
  severity: severitySchema,
  anomalies: z.array(anomalySchema),
  investigationId: z.string().optional(),
});
export type Incident = z.infer<typeof incidentSchema>;
