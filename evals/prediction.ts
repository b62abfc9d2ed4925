/** One line of a predictions file: the same shape for every suite that asks for a root cause. */
import { z } from 'zod';
import type { Investigation } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { InvariantError } from '../platform/errors.ts';

export const predictionSchema = z.object({
  case_id: z.string(),
  abstained: z.boolean(),
  confidence: z.number().min(0).max(1),
  onset_utc: z.string(),
  /** The most suspect first; no commit on the first one: no commit did it. */
  suspects: z.array(
    z.object({
      service: z.string(),
      pod: z.string().optional(),
      commit: z.string().optional(),
      cause_type: z.string().optional(),
      score: z.number(),
    }),
  ),
  /** Where it began: the first suspect, else where it was noticed; empty: nobody knows. */
  first_failing_service: z.string().default(''),
  /** Other services that are hurt, the worst first. */
  blast_radius: z.array(z.string()).default([]),
  /** One word for what to do, in the suite's vocabulary; empty: nothing is proposed. */
  remediation: z.string().default(''),
  /** Wall time of the investigation alone, without the replay. */
  seconds: z.number(),
});
export type Prediction = z.infer<typeof predictionSchema>;

/** Throws InvariantError when the investigation failed: a mistake of ours is no answer. */
export function predictionOf(
  caseId: string,
  investigation: Investigation,
  options: { readonly seconds: number; nameRemediation?(investigation: Investigation): string },
): Prediction {
  const { verdict, failure, incident, remediation } = investigation;
  if (!verdict) throw new InvariantError(`the investigation of ${caseId} ended without a verdict: ${failure ?? ''}`);
  const first = verdict.suspects[0]?.service ?? incident.service;
  return {
    case_id: caseId,
    abstained: verdict.outcome === 'abstained',
    confidence: verdict.confidence,
    onset_utc: formatInstant(verdict.onsetMs),
    suspects: verdict.suspects.map(({ service, pod, commit, causeType, score }) => ({
      service,
      ...(pod ? { pod } : {}),
      ...(commit ? { commit } : {}),
      cause_type: causeType,
      score,
    })),
    first_failing_service: first,
    blast_radius: verdict.blastRadius.filter((service) => service !== first),
    remediation: options.nameRemediation?.(investigation) ?? remediation?.action ?? '',
    seconds: Number(options.seconds.toFixed(3)),
  };
}
