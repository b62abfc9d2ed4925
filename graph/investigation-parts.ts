/** What the graph needs from outside: the jury, the supervisor's judgement, stores and effects. runtime/ supplies them all. */
import type { Agent } from '../agents/agent.ts';
import type { Board, ContextStore } from '../context-store/context-store.ts';
import type { ShardLock } from '../context-store/shard-lock.ts';
import type { Grant } from '../domain/approval.ts';
import type { AuditContent } from '../domain/audit.ts';
import type { Change } from '../domain/change.ts';
import type { Counsel } from '../domain/counsel.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Tally } from '../domain/hypothesis.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation, Scope, SignalGap, Task, Verdict } from '../domain/investigation.ts';
import type { Remediation } from '../domain/remediation.ts';
import type { AgentName } from '../domain/signal.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { Fence } from './fence.ts';
import type { OnceRegister } from './once-register.ts';

/**
 * The supervisor's judgement. All but `locate` and `findGaps` are pure; ids they make are functions of their input, because a step that a
 * crash interrupted is taken again. `incident.investigationId` is always set.
 */
export interface Supervisor {
  /** Finds when it is wrong and what normal is. */
  locate(
    incident: Incident,
    context: ToolContext,
  ): Promise<{ readonly scope: Scope; readonly evidence: readonly Evidence[] }>;
  /** The questions of a round. Where a task names no focus, the graph sets the leading services of the round before. */
  plan(incident: Incident, scope: Scope, round: number, board: Board): readonly Task[];
  /** Candidate causes from the findings of all rounds so far, marked with this round. */
  propose(findings: readonly Finding[], round: number): readonly Hypothesis[];
  /** What was missing for whom, when the jury is not sure; the suspects' services come first. */
  findGaps(
    uncertainty: { readonly scope: Scope; readonly leads: readonly string[]; readonly changesKnown: boolean },
    context: ToolContext,
  ): Promise<{ readonly gaps: readonly SignalGap[]; readonly evidence: readonly Evidence[] }>;
  /** The verdict; it abstains where the tally is undecided. */
  conclude(matter: {
    readonly incident: Incident;
    readonly scope: Scope;
    readonly board: Board;
    readonly tally: Tally;
    readonly gaps: readonly SignalGap[];
    readonly round: number;
  }): Verdict;
  remediate(verdict: Verdict, changes: readonly Change[], evidence: readonly Evidence[]): Remediation | undefined;
}

/** Documents that outlive the investigation; a greater version replaces a lesser one. */
export interface InvestigationArchive {
  saveInvestigation(investigation: Investigation, version: number, signal?: AbortSignal): Promise<void>;
  saveIncident(incident: Incident, version: number, signal?: AbortSignal): Promise<void>;
  /** Ids of the investigations last saved as running or awaiting-approval. */
  listUnfinished(signal?: AbortSignal): Promise<readonly string[]>;
}

/**
 * Does what was granted; the key is the same for every attempt at the same action. `unknown`: it may have happened.
 * InputError, ConfigError or LimitError mean that it was refused before any effect; after any other rejection nobody knows.
 */
export type ExecuteAction = (
  remediation: Remediation,
  grant: Grant,
  idempotencyKey: string,
  signal: AbortSignal,
) => Promise<{ readonly status: 'done' | 'failed' | 'unknown'; readonly detail: string }>;

export type Consult = (
  agent: Agent,
  task: Task,
  board: Board,
  signal: AbortSignal,
) => Promise<{ readonly counsel: Counsel; readonly evidence: readonly Evidence[] }>;

export interface InvestigationLimits {
  readonly maxRounds: number;
  /** How long a claimed task stays claimed after its worker was last heard of. */
  readonly leaseMs: number;
  /** Tasks of one investigation that its supervisor's process works on at the same time. */
  readonly concurrency: number;
  /** Where workers could take a task, they have so long to take it before the supervisor's process does. */
  readonly headStartMs: number;
  /** Pause between two looks at a task that another worker holds. */
  readonly pollMs: number;
  /** How long a person may take to approve. */
  readonly approvalTtlMs: number;
  /** After so long without a decision the next role is asked, too. */
  readonly escalateAfterMs: number;
}

export const INVESTIGATION_LIMITS: InvestigationLimits = {
  maxRounds: 2,
  leaseMs: 30_000,
  concurrency: 4,
  headStartMs: 200,
  pollMs: 500,
  approvalTtlMs: 24 * 3_600_000,
  escalateAfterMs: 30 * 60_000,
};

export interface InvestigationParts {
  /** Names this process on the board's claims. */
  readonly holder: string;
  readonly agents: readonly Agent[];
  /** What a language model says about an agent's findings; undefined: none is configured. Rejects only at the abort. */
  readonly consult: Consult | undefined;
  readonly supervisor: Supervisor;
  readonly contextStore: ContextStore;
  readonly toolContext: (signal: AbortSignal) => ToolContext;
  readonly checkpoints: CheckpointStore;
  readonly once: OnceRegister;
  /** Lets one process supervise an investigation. */
  readonly shardLock: ShardLock;
  /** The greatest version of anything that supervisors stored. */
  readonly newestVersion: (signal: AbortSignal) => Promise<number>;
  /** Told when this process begins with a task, or supervises (no taskId); answers what to call when that ends. */
  readonly noteWork: (work: { readonly investigationId: string; readonly taskId?: string }) => () => void;
  /** Whether other processes work for this agent now. */
  readonly hasHelpers: (agent: AgentName) => boolean;
  readonly archive: InvestigationArchive;
  readonly appendAudit: (content: AuditContent, signal?: AbortSignal) => Promise<unknown>;
  /** The changes that the scope's window and baseline contain. */
  readonly readChanges: (scope: Scope, signal: AbortSignal) => Promise<readonly Change[]>;
  readonly executeAction: ExecuteAction;
  readonly clock: Clock;
  readonly newId: (prefix: string) => string;
  readonly logger: Logger;
  readonly limits: InvestigationLimits;
}

/** What the steps of one run are given: its supervisor's fence beside the parts. */
export interface RunParts extends InvestigationParts {
  readonly fence: Fence;
}
