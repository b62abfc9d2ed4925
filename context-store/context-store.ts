/**
 * What agents share while an investigation runs: a board of tasks, findings, evidence, hypotheses and votes. One interface,
 * implementations in memory and on Redis, one contract suite for both. Archiving is not its business: the board is
 * working memory, gone some time after the investigation ends.
 */
import type { Counsel } from '../domain/counsel.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Vote } from '../domain/hypothesis.ts';
import type { Progress, SignalGap, Task } from '../domain/investigation.ts';
import type { AgentName } from '../domain/signal.ts';
import { UnavailableError } from '../platform/errors.ts';

/** The right to work on a task until the lease ends. The token grows with every claim of that task (a fencing token). */
export interface Claim {
  readonly task: Task;
  readonly token: number;
  readonly expiresAtMs: number;
}

export interface TaskState {
  readonly task: Task;
  readonly status: 'open' | 'claimed' | 'done';
  readonly claimedBy?: string;
  /** Why the agent could not answer; present only when it is done without findings because of a failure. */
  readonly failure?: string;
  /** What its agent missed; empty until it is done. */
  readonly gaps: readonly SignalGap[];
  readonly counsel?: Counsel;
}

export interface Board {
  readonly tasks: readonly TaskState[];
  readonly findings: readonly Finding[];
  readonly evidence: readonly Evidence[];
  readonly hypotheses: readonly Hypothesis[];
  readonly votes: readonly Vote[];
  /** What the agents missed while answering: signals that were not there; each once. */
  readonly gaps: readonly SignalGap[];
}

export interface TaskAnswer {
  readonly findings: readonly Finding[];
  readonly evidence: readonly Evidence[];
  readonly gaps: readonly SignalGap[];
  readonly failure?: string;
  /** What a language model said. */
  readonly counsel?: Counsel;
}

/** For hypotheses and votes of a supervisor that another one has followed. */
export function superseded(investigationId: string): UnavailableError {
  return new UnavailableError(`Another process supervises investigation ${investigationId} by now: this one stops.`, {
    code: 'superseded',
  });
}

/**
 * Every method is atomic, may reject with UnavailableError, and is safe to repeat unless it says otherwise. A board is
 * bounded (board-limits.ts): what would exceed it is refused whole with LimitError. Where the store lost a board that this
 * process has seen, and nobody dropped it, reading it and claiming on it reject with UnavailableError (board-lost) until
 * somebody posts to it again: the answers on it are gone, and whoever keeps a checkpoint writes them anew.
 */
export interface ContextStore {
  /** Adds tasks; one that is already there (same taskId) stays as it is. */
  postTasks(investigationId: string, tasks: readonly Task[], signal?: AbortSignal): Promise<void>;

  /**
   * Claims this task if it is open or its lease has run out; undefined when somebody else holds it or it is done. Rejects
   * with InputError (not-found) when the task is not on the board.
   */
  claimTask(
    investigationId: string,
    taskId: string,
    holder: string,
    leaseMs: number,
    signal?: AbortSignal,
  ): Promise<Claim | undefined>;

  /**
   * Claims some task for one of these agents, of whatever investigation, the ones open for longest first if nobody else asks;
   * undefined when there is none now.
   */
  claimNext(
    agents: readonly AgentName[],
    holder: string,
    leaseMs: number,
    signal?: AbortSignal,
  ): Promise<Claim | undefined>;

  /**
   * Resolves when claimNext may find a task for one of these agents: one is open, was posted or given back, or a lease ran
   * out. It may find none all the same: then wait again. Rejects at the abort.
   */
  awaitOpenTasks(agents: readonly AgentName[], signal: AbortSignal): Promise<void>;

  /** Prolongs a lease that is still ours; `stale` when a newer claim exists or the task is done. */
  extendClaim(claim: Claim, leaseMs: number, signal?: AbortSignal): Promise<Claim | 'stale'>;

  /** Gives an unfinished task back; nothing happens when the claim is stale. */
  releaseClaim(claim: Claim, signal?: AbortSignal): Promise<void>;

  /** Stores the answer and closes the task, once: `stale` (nothing stored) when the token is not the newest or it is done. */
  completeTask(claim: Claim, answer: TaskAnswer, signal?: AbortSignal): Promise<'accepted' | 'stale'>;

  /** Puts evidence on the board that no task produced (the supervisor's own); the same id is stored once. */
  postEvidence(investigationId: string, evidence: readonly Evidence[], signal?: AbortSignal): Promise<void>;

  /**
   * Replaces the hypotheses of one round. `token` is that of the supervisor's shard (shard-lock.ts): rejects with UnavailableError
   * (superseded), and changes nothing, where hypotheses or votes came under a greater one.
   */
  postHypotheses(
    investigationId: string,
    round: number,
    hypotheses: readonly Hypothesis[],
    token: number,
    signal?: AbortSignal,
  ): Promise<void>;

  /** One vote for each (agent, hypothesis, round): the last one counts. `token` as above. */
  castVotes(
    investigationId: string,
    agent: AgentName,
    votes: readonly Vote[],
    token: number,
    signal?: AbortSignal,
  ): Promise<void>;

  /** Everything, each list in the order of posting; empty lists where there never was a board, or it was dropped. */
  readBoard(investigationId: string, signal?: AbortSignal): Promise<Board>;

  /** Tells watchers what happens, in the order of the calls; never waits for them and never fails because of them. */
  announce(progress: Progress): Promise<void>;

  /** Calls `listener` for every announcement from now on; returns how to stop. */
  subscribe(investigationId: string, listener: (progress: Progress) => void): Promise<() => Promise<void>>;

  /** Forgets an investigation's board; its watchers stay subscribed. */
  dropBoard(investigationId: string, signal?: AbortSignal): Promise<void>;

  close(): Promise<void>;
}
