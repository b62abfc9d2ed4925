/** What an agent learned from its signal: one observation, calibrated, with the evidence that shows it. */
import { z } from 'zod';
import { agentNameSchema, signalSchema } from './signal.ts';
import { timeWindowSchema } from './time-window.ts';

/** What kind of trouble a root cause is. Causes outside the code are first-class. */
export const causeTypeSchema = z.enum([
  'cpu-saturation',
  'memory-exhaustion',
  'pool-exhaustion',
  'disk-saturation',
  'slow-processing',
  'errors',
  'code-path-change',
  'network-delay',
  'lost-calls',
  'bad-change',
  'external-dependency',
  'name-resolution',
  'traffic-surge',
  'cache-stampede',
  'expired-certificate',
  'unknown',
]);
export type CauseType = z.infer<typeof causeTypeSchema>;

/** Whom a finding speaks about: for (supports that this service is the cause) or against (its trouble is explained elsewhere). */
export const implicationSchema = z.object({
  service: z.string().min(1),
  causeType: causeTypeSchema,
  stance: z.enum(['for', 'against']),
  /** 0..1: the probability-like weight of this observation for that stance; 0.5 means "barely beyond normal time". */
  strength: z.number().min(0).max(1),
  /** The same would show here if only something that this service calls were broken: blame may flow on to callees. */
  canEcho: z.boolean(),
  pod: z.string().optional(),
  operation: z.string().optional(),
  changeId: z.string().optional(),
  /** The full id of a commit. */
  commit: z.string().optional(),
});
export type Implication = z.infer<typeof implicationSchema>;

export const findingSchema = z.object({
  findingId: z.string().min(1),
  agent: agentNameSchema,
  taskId: z.string().min(1),
  signal: signalSchema,
  /** Names what was seen, whoever saw it (`traces:checkout:error-origin`): three agents repeating it count once. */
  observation: z.string().min(1),
  service: z.string(),
  /** What of the service: a metric, an operation, an edge, a template, a change. */
  subject: z.string(),
  window: timeWindowSchema,
  onsetMs: z.int().nonnegative().optional(),
  sentence: z.string().min(1).max(600),
  evidenceIds: z.array(z.string()).min(1),
  implications: z.array(implicationSchema),
  /** The figures behind the sentence; units in their names. */
  figures: z.record(z.string(), z.union([z.number(), z.string()])),
});
export type Finding = z.infer<typeof findingSchema>;
