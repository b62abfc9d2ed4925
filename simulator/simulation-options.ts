/** What a simulation is asked for, and the check of it. */
import { z } from 'zod';
import { InputError } from '../platform/errors.ts';
import { FAULT_KINDS } from './faults/fault-kinds.ts';

const simulationOptionsSchema = z
  .strictObject({
    /** The same seed and options give the same telemetry, to the byte. */
    seed: z.int().nonnegative(),
    startMs: z.int().nonnegative(),
    endMs: z.int().nonnegative(),
    /** User requests (traces) a second at season factor 1. */
    requestsPerSecond: z.number().positive(),
    fault: z
      .strictObject({
        kind: z.enum(FAULT_KINDS),
        /** When the first user is hurt; what leads to it (a rollout) may come before. */
        onsetMs: z.int().nonnegative(),
        /** Left out: it lasts. */
        endMs: z.int().nonnegative().optional(),
        /** A leak takes so long to fill a container; left out: less than two minutes. Other kinds take no notice. */
        fillMs: z.int().positive().optional(),
      })
      .refine(({ onsetMs, endMs }) => endMs === undefined || endMs > onsetMs, { error: 'must end after its onset' })
      .optional(),
    /** True: innocent changes strewn around the onset. They belong to the seed: the same with another fault or none. */
    decoys: z.boolean().optional(),
    /** Around this moment instead, also when there is no fault. */
    decoysAroundMs: z.int().nonnegative().optional(),
    /** True: batch jobs, a service hardly anybody asks, clients that wait for news: see ordinary-life.ts. */
    ordinaryLife: z.boolean().optional(),
    /** Days on which so many times as many customers come; the factor fades in and out around midnight. */
    holidays: z.array(z.strictObject({ dayMs: z.int().nonnegative(), factor: z.number().positive() })).optional(),
    /** Seconds between the exports of metrics. */
    metricsSeconds: z.number().positive().default(10),
    batchSeconds: z.number().positive().default(10),
  })
  .refine(({ startMs, endMs }) => endMs > startMs, { error: 'endMs must be after startMs' });
export type SimulationOptions = z.input<typeof simulationOptionsSchema>;

/** Throws InputError, naming every problem. */
export function readSimulationOptions(options: SimulationOptions): z.output<typeof simulationOptionsSchema> {
  const read = simulationOptionsSchema.safeParse(options);
  if (!read.success) throw new InputError(`Bad simulation options: ${z.prettifyError(read.error)}`);
  return read.data;
}
