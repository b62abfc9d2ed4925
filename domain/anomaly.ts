/** What deviated: which series of which service, by how much, in which window, against what was expected. */
import { z } from 'zod';
import { contentId } from '../platform/ids.ts';
import { type SeriesName, seriesNameSchema } from './series-name.ts';
import { signalSchema } from './signal.ts';
import { timeWindowSchema } from './time-window.ts';

/** What can be switched off by itself to see what it is worth. */
export const DETECTOR_NAMES = [
  'requests',
  'series',
  'change-point',
  'seasonal',
  'templates',
  'silence',
  'rules',
] as const;

/** With what follows the detectors: that signals must agree, and that what is usual at an hour is no anomaly. */
export const DETECTION_PARTS = [...DETECTOR_NAMES, 'agreement', 'season'] as const;
export type DetectionPart = (typeof DETECTION_PARTS)[number];

/** What of a service is wrong. Two signals agree when they show two aspects of one trouble. */
export const aspectSchema = z.enum(['traffic', 'errors', 'latency', 'resources', 'logs', 'silence']);
export type Aspect = z.infer<typeof aspectSchema>;

/** Of anomalies that were archived before they named theirs. */
const NO_SERIES: SeriesName = { kind: 'metric', service: '', name: '', detail: '' };

export const anomalySchema = z.object({
  /** The same as long as it lasts: see anomalyIdOf. */
  anomalyId: z.string().min(1),
  signal: signalSchema,
  service: z.string(),
  series: seriesNameSchema.default(NO_SERIES),
  /** For people: `error rate`, `p95 duration of GET /cart`, a metric's name, the text of a log template. */
  subject: z.string(),
  aspect: aspectSchema.default('latency'),
  detector: z.string(),
  /** The newest window in which it showed. */
  window: timeWindowSchema,
  sinceMs: z.int().nonnegative(),
  observed: z.number(),
  expected: z.number(),
  /** The range that normal time would have given: [low, high]. */
  range: z.tuple([z.number(), z.number()]),
  /** How many times the bar of normal time is passed: 1 is the bar itself; from 0.5 on it can agree with others. */
  deviation: z.number(),
  /** What feedback raised the bar by, where it did: `deviation` is of the raised bar. */
  tolerance: z.number().min(1).optional(),
  /** The rule that keeps it quiet; absent: none. */
  hiddenBy: z.string().optional(),
  unit: z.string(),
  /** Requests fail or are slow: somebody notices without looking at a graph. */
  hurtsUsers: z.boolean().default(false),
  sentence: z.string(),
  /** Ids of the anomalies that belong to the same trouble. */
  correlated: z.array(z.string()).default([]),
});
export type Anomaly = z.infer<typeof anomalySchema>;

/** An anomaly is the series and the time since when; what it grows to is the same one. */
export function anomalyIdOf(series: SeriesName, detector: string, sinceMs: number): string {
  return contentId('anom', { series, detector, sinceMs });
}
