/** How often Inquest cries wolf: of the incidents that it opened and that are known to be noise or real, the share that was noise. */
import { z } from 'zod';
import { type Feedback, judgedIncidents } from './feedback.ts';
import { wilsonInterval } from './statistics/wilson-interval.ts';

/** The objective, in percent. */
const TARGET_PERCENT = 5;

/** What became of an incident that detection opened. */
export interface IncidentOutcome {
  readonly incidentId: string;
  /** Its investigation named a cause. */
  readonly isExplained: boolean;
}

export const falsePositiveRateSchema = z.object({
  days: z.int().positive(),
  targetPercent: z.number(),
  /** Called noise by people. */
  noise: z.int().nonnegative(),
  /** Called real by people, or an investigation named the cause. */
  real: z.int().nonnegative(),
  /** No cause was named, and nobody said what it was: counted nowhere, for nobody knows. */
  undecided: z.int().nonnegative(),
  /** noise / (noise + real), in percent; absent: none is known yet. */
  percent: z.number().optional(),
  /** Wilson's 95 % interval of it, in percent. */
  interval: z.object({ low: z.number(), high: z.number() }),
  /** likely-met, likely-missed: as it looks, but the interval holds the target, so that it may be otherwise. */
  objective: z.enum(['met', 'likely-met', 'likely-missed', 'missed', 'unknown']),
});
export type FalsePositiveRate = z.infer<typeof falsePositiveRateSchema>;

export function falsePositiveRate(
  outcomes: readonly IncidentOutcome[],
  feedback: readonly Feedback[],
  days: number,
): FalsePositiveRate {
  const judged = judgedIncidents(feedback);
  let [noise, real, undecided] = [0, 0, 0];
  for (const { incidentId, isExplained } of outcomes) {
    const judgement = judged.get(incidentId) ?? (isExplained ? 'real' : undefined);
    if (judgement === 'noise') noise++;
    else if (judgement === 'real') real++;
    else undecided++;
  }
  const known = noise + real;
  const interval = wilsonInterval(noise, known);
  const counts = { days, targetPercent: TARGET_PERCENT, noise, real, undecided, interval };
  if (known === 0) return { ...counts, objective: 'unknown' };
  const percent = (100 * noise) / known;
  return { ...counts, percent, objective: compare(percent, interval) };
}

function compare(percent: number, { low, high }: FalsePositiveRate['interval']): FalsePositiveRate['objective'] {
  if (percent < TARGET_PERCENT) return high < TARGET_PERCENT ? 'met' : 'likely-met';
  return low >= TARGET_PERCENT ? 'missed' : 'likely-missed';
}
