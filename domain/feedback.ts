/**
 * What people say about anomalies and incidents, noise or real, and what follows from it: whether an incident was one, and how far
 * the bar of a series is raised. Both are worked out from what was said, the newest word counting, so nothing drifts apart.
 */
import { z } from 'zod';

const DAY_MS = 86_400_000;
/** A raised bar comes down again in a straight line, and is where it was after so long. */
const FADES_MS = 30 * DAY_MS;
/** As much above what was seen: the same again, a little worse, stays below the bar. */
const MARGIN = 1.1;
/**
 * The most that feedback alone raises a bar, without anybody accepting a rule: what is worse than that shows until a person
 * accepts a rule for it. The bar is a -log10 chance: twice to four times as much is rarer by many orders in any case.
 */
const MOST_RAISED = 3;

export const judgementSchema = z.enum(['noise', 'real']);
export type Judgement = z.infer<typeof judgementSchema>;

export const feedbackSchema = z.object({
  feedbackId: z.string().min(1),
  atMs: z.int().nonnegative(),
  by: z.string(),
  judgement: judgementSchema,
  reason: z.string(),
  /** Anomaly or incident. */
  about: z.string().min(1),
  /** The incident, also where the feedback is about one anomaly of it; empty: none. */
  incidentId: z.string(),
  /** The series it is about, and how many bars each had passed, before any recalibration. */
  series: z.array(z.object({ series: z.string(), deviation: z.number().nonnegative() })),
});
export type Feedback = z.infer<typeof feedbackSchema>;

/** The bar of a series is raised by so much, since then. */
export interface Tolerance {
  readonly factor: number;
  readonly sinceMs: number;
}

/** By seriesKey. What was called noise has its bar raised by what was seen; called real, it is as it was. */
export function tolerancesFrom(feedback: readonly Feedback[]): Map<string, Tolerance> {
  const tolerances = new Map<string, Tolerance>();
  for (const { judgement, series, atMs } of inOrder(feedback)) {
    for (const { series: key, deviation } of series) {
      if (judgement === 'real') tolerances.delete(key);
      else tolerances.set(key, { factor: raisedTo(deviation), sinceMs: atMs });
    }
  }
  return tolerances;
}

/** What the bar is multiplied by at a moment: 1, or more while feedback is fresh. */
export function toleranceAt(tolerance: Tolerance | undefined, atMs: number): number {
  if (!tolerance) return 1;
  const left = 1 - Math.max(0, atMs - tolerance.sinceMs) / FADES_MS;
  return 1 + (tolerance.factor - 1) * Math.max(0, left);
}

/** When a tolerance is gone. */
export function toleranceEndsMs({ sinceMs }: Tolerance): number {
  return sinceMs + FADES_MS;
}

/** Of incidents that somebody judged. One anomaly that is real makes its incident real; one that is noise leaves it open. */
export function judgedIncidents(feedback: readonly Feedback[]): Map<string, Judgement> {
  const judged = inOrder(feedback).filter(
    ({ incidentId, about, judgement }) => incidentId !== '' && (about === incidentId || judgement === 'real'),
  );
  return new Map(judged.map(({ incidentId, judgement }) => [incidentId, judgement]));
}

/** Of anomalies that somebody judged by themselves. */
export function judgedAnomalies(feedback: readonly Feedback[]): Map<string, Judgement> {
  const judged = inOrder(feedback).filter(({ about, incidentId }) => about !== incidentId);
  return new Map(judged.map(({ about, judgement }) => [about, judgement]));
}

function raisedTo(deviation: number): number {
  return Math.min(MOST_RAISED, Math.max(1, deviation * MARGIN));
}

function inOrder(feedback: readonly Feedback[]): Feedback[] {
  return [...feedback].sort((left, right) => left.atMs - right.atMs || (left.feedbackId < right.feedbackId ? -1 : 1));
}
