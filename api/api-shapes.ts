/**
 * The host's HTTP API as zod shapes: one entry for each route, the single source of the server that answers, the client that
 * asks and the OpenAPI document that describes it (openapi.ts).
 */
import { z } from 'zod';
import { answerSchema } from '../domain/answer.ts';
import { approvalSchema } from '../domain/approval.ts';
import { auditRecordSchema, auditVerificationSchema } from '../domain/audit.ts';
import { changeSchema } from '../domain/change.ts';
import { evidenceSchema, executedQuerySchema, verificationStatusSchema } from '../domain/evidence.ts';
import { incidentSchema, incidentStatusSchema } from '../domain/incident.ts';
import { incidentCourseSchema } from '../domain/incident-course.ts';
import {
  investigationSchema,
  investigationStatusSchema,
  suspectSchema,
  verdictSchema,
} from '../domain/investigation.ts';
import { timeWindowSchema } from '../domain/time-window.ts';
import { traceSchema } from '../domain/trace.ts';
import { workerSchema } from '../domain/worker.ts';
import { NOISE_ROUTES } from './noise-routes.ts';
import { nextShape, pageShape, spanShape } from './page-shapes.ts';
import type { Permission } from './permissions.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `:id` where an id stands. */
  readonly path: string;
  /** The least that its caller must be allowed to do. */
  readonly needs: Permission;
  readonly summary: string;
  readonly description?: string;
  /** Texts, whole numbers and enumerations, by name; other names are refused. */
  readonly query?: z.ZodObject;
  readonly input?: z.ZodType;
  /** The input, or else the query, as documents show it. */
  readonly example?: Readonly<Record<string, unknown>>;
  readonly output: z.ZodType;
  /** It refuses with 409 what contradicts how things stand; deciding always may. */
  readonly canConflict?: true;
}

/** Every error answer: `code` as in platform/errors.ts, `message` says what to do. */
export const apiErrorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Opens an incident by hand; it is investigated at once. */
export const openIncidentInputSchema = z
  .object({
    title: z.string().max(500).default(''),
    service: z.string().max(256).default('').describe('Where it was noticed, when somebody knows.'),
    searchWindow: timeWindowSchema.describe('Where to look; the end is "now" for the investigation.'),
    baselineWindow: timeWindowSchema.optional().describe('Known-good time; left out: the investigation finds its own.'),
    earliestOnsetMs: z
      .int()
      .nonnegative()
      .optional()
      .describe('The trouble did not begin before this; left out: anywhere in the search window.'),
    onsetMs: z
      .int()
      .nonnegative()
      .optional()
      .describe('Known start of the trouble; left out: the investigation finds it.'),
  })
  .strict();
export type OpenIncidentInput = z.input<typeof openIncidentInputSchema>;

export const openIncidentOutputSchema = z.object({ incident: incidentSchema, investigationId: z.string() });

const incidentListSchema = z.object({ incidents: z.array(incidentSchema) });

/** In a list: who is affected since when, and whether the signals are back. Absent: opened by hand. */
const followedIncidentSchema = incidentSchema.extend({
  course: incidentCourseSchema.omit({ anomalies: true }).optional(),
});
export type FollowedIncident = z.infer<typeof followedIncidentSchema>;

/** An investigation in a list: what it came to, without what it rests on. */
export const investigationSummarySchema = investigationSchema
  .pick({ investigationId: true, status: true, startedAtMs: true, finishedAtMs: true, failure: true })
  .extend({
    incidentId: z.string(),
    title: z.string(),
    outcome: verdictSchema.shape.outcome.optional(),
    confidence: verdictSchema.shape.confidence.optional(),
    /** The first one of its verdict; when that abstains, a lead and not an accusation. */
    suspect: suspectSchema.pick({ service: true, causeType: true, statement: true }).optional(),
    approvalId: z.string().optional(),
  });
export type InvestigationSummary = z.infer<typeof investigationSummarySchema>;

export const decisionInputSchema = z
  .object({
    outcome: z.enum(['approved', 'rejected']),
    decidedBy: z
      .string()
      .max(256)
      .default('')
      .describe(
        "Who decides, where the caller holds the data directory's token; identities are recorded by their name.",
      ),
    reason: z.string().max(2_000).default('').describe('Why; a rejection needs one.'),
    actionDigest: z
      .string()
      .length(64)
      .optional()
      .describe('`actionDigest` of the approval as it was shown: the decision then holds for that action only.'),
  })
  .strict();

export const verificationSchema = z.object({
  evidenceId: z.string(),
  status: verificationStatusSchema,
  tool: z.string(),
  summary: z.string(),
  queries: z.array(z.object({ before: executedQuerySchema, after: executedQuerySchema })),
});
export type Verification = z.infer<typeof verificationSchema>;

export const changesQuerySchema = z.strictObject({
  ...spanShape,
  service: z.string().min(1).max(256).optional().describe('Its changes, and those that are bound to no service.'),
  limit: z.int().min(1).max(500).default(50).describe('At most so many.'),
});
export const changeListSchema = z.object({
  changes: z.array(changeSchema),
  /** Changes that exist; the newest of them are in the list. */
  totalRows: z.int().nonnegative(),
  truncated: z.boolean(),
});
export type ChangeList = z.infer<typeof changeListSchema>;

export const toolAnswerSchema = z.object({
  /** In the tool's own shape. */
  output: z.record(z.string(), z.unknown()),
  /** The queries behind it, kept so that they can be run again. */
  evidence: evidenceSchema,
});
export type ToolAnswer = z.infer<typeof toolAnswerSchema>;

export const askInputSchema = z.strictObject({
  question: z.string().trim().min(1).max(2_000).describe('In English, as one would ask a colleague.'),
  conversationId: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('Of an earlier answer: this question may go on from it.'),
  by: z
    .enum(['auto', 'grammar', 'model'])
    .default('auto')
    .describe('auto: rules, and the language model, where one is configured, for what they do not understand whole.'),
  nowMs: z.int().positive().optional().describe('The moment of asking, for recordings; left out: now.'),
});
export const askOutputSchema = answerSchema.extend({ conversationId: z.string() });
export type AskOutput = z.output<typeof askOutputSchema>;

export const hostStatusSchema = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  pid: z.int(),
  startedAtMs: z.int(),
  dataDir: z.string(),
  /** Where OTLP/gRPC is taken; absent: nowhere. */
  grpcUrl: z.url().optional(),
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

/** The calls of the typed client, by name. Probes, telemetry and the stream of progress are in protocol-routes.ts. */
export const ROUTES = {
  status: {
    method: 'GET',
    path: '/api/status',
    needs: 'read',
    summary: 'What the host is, what it has stored and received',
    output: hostStatusSchema,
  },
  listWorkers: {
    method: 'GET',
    path: '/api/workers',
    needs: 'read',
    summary: 'The processes that investigate, and what each has in hand',
    output: z.object({ workers: z.array(workerSchema).readonly() }),
  },
  listIncidents: {
    method: 'GET',
    path: '/api/incidents',
    needs: 'read',
    summary: 'Incidents, the newest first',
    query: z.strictObject({ status: incidentStatusSchema.optional(), ...pageShape(200) }),
    example: { status: 'open', limit: 20 },
    output: z.object({ incidents: z.array(followedIncidentSchema), ...nextShape }),
  },
  openIncident: {
    method: 'POST',
    path: '/api/incidents',
    needs: 'operate',
    summary: 'Open an incident by hand; it is investigated at once',
    input: openIncidentInputSchema,
    example: {
      title: 'checkout is slow',
      service: 'checkout',
      searchWindow: { startMs: 1_767_222_000_000, endMs: 1_767_225_600_000 },
    },
    output: openIncidentOutputSchema,
  },
  getIncident: {
    method: 'GET',
    path: '/api/incidents/:id',
    needs: 'read',
    summary: 'One incident with its anomalies, and how it went on',
    output: incidentSchema.extend({ course: incidentCourseSchema.optional() }),
  },
  listInvestigations: {
    method: 'GET',
    path: '/api/investigations',
    needs: 'read',
    summary: 'Investigations and what they came to, the newest first',
    query: z.strictObject({ status: investigationStatusSchema.optional(), ...pageShape(50) }),
    example: { status: 'finished', limit: 20 },
    output: z.object({ investigations: z.array(investigationSummarySchema), ...nextShape }),
  },
  getInvestigation: {
    method: 'GET',
    path: '/api/investigations/:id',
    needs: 'read',
    summary: 'One investigation with everything it established',
    description: 'The id is that of the investigation or of its incident.',
    output: investigationSchema,
  },
  getEvidence: {
    method: 'GET',
    path: '/api/evidence/:id',
    needs: 'read',
    summary: 'One piece of evidence: its queries and digests of what they answered',
    output: evidenceSchema,
  },
  verify: {
    method: 'POST',
    path: '/api/verify/:id',
    needs: 'read',
    summary: 'Run queries again, and say whether the evidence holds, drifted or is gone',
    description: 'The id is that of one piece of evidence, or of an investigation or incident for all of its evidence.',
    output: z.object({ verifications: z.array(verificationSchema) }),
  },
  listApprovals: {
    method: 'GET',
    path: '/api/approvals',
    needs: 'read',
    summary: 'Proposals that wait for a decision, or were decided on',
    query: z.strictObject({
      status: z.enum(['pending', 'approved', 'rejected']).default('pending'),
      ...pageShape(200),
    }),
    example: { status: 'rejected' },
    output: z.object({ approvals: z.array(approvalSchema), ...nextShape }),
  },
  getApproval: {
    method: 'GET',
    path: '/api/approvals/:id',
    needs: 'read',
    summary: 'One proposal, with the decision once there is one',
    output: approvalSchema,
  },
  decide: {
    method: 'POST',
    path: '/api/approvals/:id/decision',
    needs: 'decide',
    summary: 'Approve or reject a proposal; one decision wins, and an approved action runs at once',
    description:
      'Low risk takes a member, medium a lead, high a manager. Once identities are configured, the token of the data directory decides on nothing.',
    input: decisionInputSchema,
    example: { outcome: 'rejected', decidedBy: 'alice', reason: 'the deploy is already being rolled back' },
    output: investigationSchema,
  },
  listChanges: {
    method: 'GET',
    path: '/api/changes',
    needs: 'read',
    summary: 'What people changed, the newest first',
    description: 'Those recorded, and deploys inferred from a new service.version. Diffs are cut to 2000 characters.',
    query: changesQuerySchema,
    example: { since: '2h', service: 'checkout' },
    output: changeListSchema,
  },
  getTrace: {
    method: 'GET',
    path: '/api/traces/:id',
    needs: 'read',
    summary:
      'Everything that carries one trace id: spans as a tree with their log lines, other log records, metric exemplars',
    description:
      'The id is 32 hex digits. Up to 2000 spans, 200 log records and 100 exemplars; the totals say how many exist.',
    output: traceSchema,
  },
  runTool: {
    method: 'POST',
    path: '/api/tools/:id',
    needs: 'read',
    summary: 'Ask telemetry one question through a tool; the answer carries evidence that can be verified',
    description:
      'The id is the name of a tool, such as get_series or search_logs; another name is refused with the names that there are. The input is the tool\'s own; what is wrong with it is named. Windows are {"startMs", "endMs"}.',
    input: z.record(z.string(), z.unknown()),
    example: { window: { startMs: 1_767_222_000_000, endMs: 1_767_225_600_000 } },
    output: toolAnswerSchema,
  },
  ask: {
    method: 'POST',
    path: '/api/ask',
    needs: 'read',
    summary: 'Ask a question in plain language; the answer names its window and its evidence',
    description:
      'Rates, durations, errors, the most of something, comparisons, changes, log lines, metrics, traces, who calls whom, and why. What is not understood is declined, with questions that can be answered. "Why" may open an investigation, which takes a member.',
    input: askInputSchema,
    example: { question: 'p95 of checkout since 10:00' },
    output: askOutputSchema,
  },
  listAudit: {
    method: 'GET',
    path: '/api/audit',
    needs: 'read',
    summary: 'Audit entries in their order',
    description:
      'Without fromSequence the newest; with it from there on, and nextSequence says where the next part begins.',
    query: z.strictObject({
      fromSequence: z.int().nonnegative().optional(),
      limit: z.int().min(1).max(1_000).default(100).describe('At most so many.'),
    }),
    example: { fromSequence: 1, limit: 1_000 },
    output: z.object({ entries: z.array(auditRecordSchema), nextSequence: z.int().positive().optional() }),
  },
  verifyAudit: {
    method: 'GET',
    path: '/api/audit/verification',
    needs: 'read',
    summary: 'Read the whole audit chain and compare it with its head',
    output: auditVerificationSchema,
  },
  ...NOISE_ROUTES,
  scan: {
    method: 'POST',
    path: '/api/scan',
    needs: 'operate',
    summary: 'Look at finished windows now instead of at the next tick; answers with the incidents it opened',
    output: incidentListSchema,
  },
  shutdown: {
    method: 'POST',
    path: '/api/shutdown',
    needs: 'operate',
    summary: 'Stop the host; what is in work is finished first',
    output: z.object({ stopping: z.literal(true) }),
  },
} as const satisfies Readonly<Record<string, Route>>;
