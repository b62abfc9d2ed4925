/** One line of a predictions file: the same shape for every suite that asks for a root cause. */
import { z } from 'zod';

export const predictionSchema = z.object({
  case_id: z.string(),
  abstained: z.boolean(),
  confidence: z.number().min(0).max(1),
  onset_utc: z.string(),
  suspects: z.array(
    z.object({ service: z.string(), pod: z.string().optional(), commit: z.string().optional(), score: z.number() }),
  ),
  /** Wall time of the investigation alone, without the replay. */
  seconds: z.number(),
});
export type Prediction = z.infer<typeof predictionSchema>;
