/** The host's HTTP API as zod shapes: one entry for each route, used by the server that answers and the client that asks. */
import { z } from 'zod';
import { approvalSchema } from '../domain/approval.ts';
import { executedQuerySchema, verificationStatusSchema } from '../domain/evidence.ts';
import { incidentSchema } from '../domain/incident.ts';
import { investigationSchema } from '../domain/investigation.ts';
import { timeWindowSchema } from '../domain/time-window.ts';

/** Every error answer: `code` as in platform/errors.ts, `message` says what to do. */
export const apiErrorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Opens an incident by hand; it is investigated at once. */
export const openIncidentInputSchema = z
  .object({
    title: z.string().max(500).default(''),
    service: z.string().max(256).default(''),
    /** Where to look; the end is "now" for the investigation. */
    searchWindow: timeWindowSchema,
    /** Known-good time; left out: the investigation finds its own. */
    baselineWindow: timeWindowSchema.optional(),
    /** The trouble did not begin before this; left out: anywhere in the search window. */
    earliestOnsetMs: z.int().nonnegative().optional(),
    /** Known start of the trouble; left out: the investigation finds it. */
    onsetMs: z.int().nonnegative().optional(),
  })
  .strict();
export type OpenIncidentInput = z.input<typeof openIncidentInputSchema>;

export const openIncidentOutputSchema = z.object({ incident: incidentSchema, investigationId: z.string() });

export const incidentListSchema = z.object({ incidents: z.array(incidentSchema) });
export const approvalListSchema = z.object({ approvals: z.array(approvalSchema) });

export const decisionInputSchema = z
  .object({
    outcome: z.enum(['approved', 'rejected']),
    decidedBy: z.string().min(1).max(256),
    reason: z.string().max(2_000).default(''),
  })
  .strict();

export const verificationSchema = z.object({
  evidenceId: z.string(),
  status: verificationStatusSchema,
  tool: z.string(),
  summary: z.string(),
  queries: z.array(z.object({ before: executedQuerySchema, after: executedQuerySchema })),
});
export const verificationListSchema = z.object({ verifications: z.array(verificationSchema) });
export type Verification = z.infer<typeof verificationSchema>;

export const hostStatusSchema = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  pid: z.int(),
  startedAtMs: z.int(),
  dataDir: z.string(),
  clickhouse: z.object({
    kind: z.enum(['embedded', 'server']),
    database: z.string(),
    engineVersion: z.string(),
    /** How often the embedded engine was started again after dying. */
    restarts: z.int().nonnegative(),
  }),
  /** Rows stored, by table. */
  rows: z.record(z.string(), z.number()),
  /** Newest telemetry, per signal; absent: none yet. */
  newest: z.record(z.string(), z.int()),
  ingest: z.record(z.string(), z.number()),
});
export type HostStatus = z.infer<typeof hostStatusSchema>;

/** Routes by name: method, path (with :id), body and answer. Streams of Progress are listed in api-client.ts. */
export const ROUTES = {
  status: { method: 'GET', path: '/api/status', output: hostStatusSchema },
  listIncidents: { method: 'GET', path: '/api/incidents', output: incidentListSchema },
  openIncident: {
    method: 'POST',
    path: '/api/incidents',
    input: openIncidentInputSchema,
    output: openIncidentOutputSchema,
  },
  /** By incident id or investigation id. */
  getInvestigation: { method: 'GET', path: '/api/investigations/:id', output: investigationSchema },
  listApprovals: { method: 'GET', path: '/api/approvals', output: approvalListSchema },
  decide: {
    method: 'POST',
    path: '/api/approvals/:id/decision',
    input: decisionInputSchema,
    output: investigationSchema,
  },
  /** By incident, investigation or evidence id. */
  verify: { method: 'POST', path: '/api/verify/:id', output: verificationListSchema },
  /** Looks at finished windows now instead of at the next tick; answers with the incidents it opened. */
  scan: { method: 'POST', path: '/api/scan', output: incidentListSchema },
  shutdown: { method: 'POST', path: '/api/shutdown', output: z.object({ stopping: z.literal(true) }) },
} as const;
