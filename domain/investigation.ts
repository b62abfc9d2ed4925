/** The inquest itself: tasks, verdict, and the report that people and machines read. */
import { z } from 'zod';
import { approvalSchema } from './approval.ts';
import { changeSchema } from './change.ts';
import { counselOutcomeSchema, counselSchema } from './counsel.ts';
import { evidenceSchema } from './evidence.ts';
import { causeTypeSchema, findingSchema } from './finding.ts';
import { hypothesisSchema, tallySchema, voteSchema } from './hypothesis.ts';
import { incidentSchema } from './incident.ts';
import { remediationSchema } from './remediation.ts';
import { agentNameSchema, signalSchema } from './signal.ts';
import { timeWindowSchema } from './time-window.ts';

/** Candidate onsets: `count` instants from `firstMs` on, `stepSeconds` apart. */
export const onsetGridSchema = z.object({
  firstMs: z.int().nonnegative(),
  stepSeconds: z.int().positive(),
  count: z.int().min(1).max(400),
});
export type OnsetGrid = z.infer<typeof onsetGridSchema>;

/** When it is wrong and what it is compared with. `coverage` may be partial: what is unobserved is not silent. */
export const scopeSchema = z.object({
  /** From the onset to the end of the search window. */
  window: timeWindowSchema,
  /** Normal time, before the window. */
  baseline: timeWindowSchema,
  onsetMs: z.int().nonnegative(),
  /** Where the onset may lie: `count` instants from `firstMs` on, `stepSeconds` apart. Agents judge each. */
  onsetGrid: onsetGridSchema,
  /** How the grid was chosen, as a sentence. */
  onsetReason: z.string(),
  /** Who calls whom, so that blame can flow to callees. */
  calls: z.array(z.object({ caller: z.string(), callee: z.string() })),
  evidenceIds: z.array(z.string()),
});
export type Scope = z.infer<typeof scopeSchema>;

/** A question for one agent. */
export const taskSchema = z.object({
  taskId: z.string().min(1),
  investigationId: z.string().min(1),
  agent: agentNameSchema,
  round: z.int().positive(),
  question: z.string(),
  scope: scopeSchema,
  /** Services to look at more closely; empty: all. */
  focus: z.array(z.string()),
  /** Its agent talks with a language model about what was found. */
  isCounsel: z.boolean().optional(),
});
export type Task = z.infer<typeof taskSchema>;

/** A signal that was not there for somebody, and what would give it. */
export const signalGapSchema = z.object({
  signal: signalSchema,
  service: z.string(),
  what: z.string(),
  /** The Collector or SDK change that gives it. */
  remedy: z.string(),
  /** What shows that it is missing. */
  evidenceIds: z.array(z.string()).optional(),
});
export type SignalGap = z.infer<typeof signalGapSchema>;

export const suspectSchema = z.object({
  rank: z.int().positive(),
  hypothesisId: z.string(),
  service: z.string(),
  causeType: causeTypeSchema,
  pod: z.string().optional(),
  operation: z.string().optional(),
  changeId: z.string().optional(),
  /** The full id of the commit that did it, where a diff explains what is seen. */
  commit: z.string().optional(),
  statement: z.string(),
  score: z.number().min(0).max(1),
  /** The service's measures in normal time, where findings tell them: ratios 0..1, milliseconds. */
  normal: z.object({
    errorRatio: z.number().optional(),
    p95Ms: z.number().optional(),
    cpuUtilization: z.number().optional(),
  }),
  /** What shows it, the strongest first. */
  evidenceIds: z.array(z.string()),
});
export type Suspect = z.infer<typeof suspectSchema>;

export const verdictSchema = z.object({
  /** abstained: nothing here explains it well enough; the suspects are then leads, not accusations. */
  outcome: z.enum(['root-cause', 'abstained']),
  /** 0..1 that the first suspect is the cause. */
  confidence: z.number().min(0).max(1),
  onsetMs: z.int().nonnegative(),
  suspects: z.array(suspectSchema),
  /** Services whose users or callers are hurt, the worst first. */
  blastRadius: z.array(z.string()),
  /** Caller to callee edges along which the trouble travels, nearest the cause first. */
  propagation: z.array(z.object({ from: z.string(), to: z.string() })),
  ruledOut: z.array(z.object({ service: z.string(), reason: z.string(), evidenceIds: z.array(z.string()) })),
  gaps: z.array(signalGapSchema),
  /** What language models said, where one is configured. */
  counsel: z.object({ heard: z.array(counselSchema), outcomes: z.array(counselOutcomeSchema) }).optional(),
  /** The one query whose answer could change the verdict, and why. */
  overturning: z.object({ question: z.string(), evidenceId: z.string().optional() }).optional(),
});
export type Verdict = z.infer<typeof verdictSchema>;

export const actionOutcomeSchema = z.object({
  status: z.enum(['done', 'failed', 'unknown', 'not-run']),
  detail: z.string(),
  atMs: z.int().nonnegative(),
});
export type ActionOutcome = z.infer<typeof actionOutcomeSchema>;

export const investigationStatusSchema = z.enum(['running', 'awaiting-approval', 'finished', 'failed']);

/** Everything an investigation established: archived, printed, exported. */
export const investigationSchema = z.object({
  investigationId: z.string().min(1),
  incident: incidentSchema,
  status: investigationStatusSchema,
  startedAtMs: z.int().nonnegative(),
  /** Absent while it runs. */
  finishedAtMs: z.int().nonnegative().optional(),
  /** Milliseconds from start until the first ranked suspects existed. */
  firstSuspectsMs: z.number().nonnegative().optional(),
  rounds: z.int().nonnegative(),
  scope: scopeSchema.optional(),
  tasks: z.array(taskSchema),
  findings: z.array(findingSchema),
  evidence: z.array(evidenceSchema),
  hypotheses: z.array(hypothesisSchema),
  votes: z.array(voteSchema),
  tally: tallySchema.optional(),
  verdict: verdictSchema.optional(),
  changes: z.array(changeSchema),
  remediation: remediationSchema.optional(),
  approval: approvalSchema.optional(),
  actionOutcome: actionOutcomeSchema.optional(),
  failure: z.string().optional(),
});
export type Investigation = z.infer<typeof investigationSchema>;

/** What a watcher sees while it runs. */
export const progressSchema = z.object({
  investigationId: z.string(),
  atMs: z.int().nonnegative(),
  actor: z.string(),
  kind: z.enum([
    'started',
    'scoped',
    'task-posted',
    'task-claimed',
    'task-done',
    'finding',
    'hypothesis',
    'vote',
    'verdict',
    'approval',
    'action',
    'finished',
    'failed',
  ]),
  message: z.string(),
});
export type Progress = z.infer<typeof progressSchema>;
