/** What a series of values is called: the same text in detection, in baselines, in rules and on screens. */
import { z } from 'zod';

/**
 * requests: calls a step; errors: share of them that failed; duration: how long they took; metric: a metric's value by the
 * minute; template: log lines of one template; presence: whether anything comes at all.
 */
export const seriesKindSchema = z.enum(['requests', 'errors', 'duration', 'metric', 'template', 'presence']);
export type SeriesKind = z.infer<typeof seriesKindSchema>;

export const seriesNameSchema = z.object({
  kind: seriesKindSchema,
  service: z.string(),
  /** Operation, metric or template id; empty: the service as a whole. */
  name: z.string(),
  /** What tells series of one name apart: span kind; pod and attributes of a metric. Empty: nothing does. */
  detail: z.string(),
});
export type SeriesName = z.infer<typeof seriesNameSchema>;

/** One text for each name; equal names, equal texts. */
export function seriesKey({ kind, service, name, detail }: SeriesName): string {
  return JSON.stringify([kind, service, name, detail]);
}
