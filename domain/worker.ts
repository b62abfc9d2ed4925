/** A process that works on investigations: what it takes on, and what it has in hand. */
import { z } from 'zod';
import { signalSchema } from './signal.ts';

/** The agents, each by the signal it looks at; who supervises investigations; who hosts: receives, detects, answers. */
export const workerRoleSchema = z.enum([...signalSchema.options, 'supervisor', 'host']);
export type WorkerRole = z.infer<typeof workerRoleSchema>;
export const WORKER_ROLES = workerRoleSchema.options;

export const workerSchema = z.object({
  workerId: z.string().min(1),
  host: z.string(),
  pid: z.int().positive(),
  roles: z.array(workerRoleSchema),
  /** Tasks that it works on at the same time, at the most. */
  concurrency: z.int().positive(),
  /** What it works on now; without `taskId` it supervises the investigation. */
  holding: z.array(z.object({ investigationId: z.string(), taskId: z.string().optional(), sinceMs: z.number() })),
  startedAtMs: z.number(),
});
export type Worker = z.infer<typeof workerSchema>;
