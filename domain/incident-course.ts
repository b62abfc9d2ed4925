/**
 * How an incident goes on, as detection sees it: who is affected since when, how badly, and whether the signals are back. Written
 * by detection alone, beside the incident, which belongs to its investigation.
 */
import { z } from 'zod';
import { anomalySchema, aspectSchema } from './anomaly.ts';
import { severitySchema } from './incident.ts';

const affectedServiceSchema = z.object({
  service: z.string(),
  sinceMs: z.int().nonnegative(),
  /** Of its worst anomaly. */
  deviation: z.number(),
  aspects: z.array(aspectSchema),
});
export type AffectedService = z.infer<typeof affectedServiceSchema>;

export const incidentCourseSchema = z.object({
  incidentId: z.string().min(1),
  openedAtMs: z.int().nonnegative(),
  updatedAtMs: z.int().nonnegative(),
  /** Estimated: when the first of its anomalies began. */
  onsetMs: z.int().nonnegative(),
  severity: severitySchema,
  /** Where it showed first, and where it shows most; both among `services`. */
  firstAffected: z.string(),
  mostAffected: z.string(),
  /** Those affected earliest first. */
  services: z.array(affectedServiceSchema),
  /** The worst first, each as it was when it was worst. */
  anomalies: z.array(anomalySchema),
  /** End of the newest window in which anything of it was abnormal. */
  lastAbnormalMs: z.int().nonnegative(),
  /** Present: the signals are back, or it turned out to be part of another. */
  closedAtMs: z.int().nonnegative().optional(),
  mergedInto: z.string().optional(),
});
export type IncidentCourse = z.infer<typeof incidentCourseSchema>;
