/**
 * What an agent of the jury is: it answers tasks about its signal with findings, and votes on hypotheses on the evidence it
 * can judge. Agents know tools and the board, never the engine and never each other.
 */
import type { Evidence } from '../domain/evidence.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Vote } from '../domain/hypothesis.ts';
import type { Scope, SignalGap, Task } from '../domain/investigation.ts';
import type { AgentName, Signal } from '../domain/signal.ts';
import type { ToolContext } from '../tools/tool.ts';

export interface AgentAnswer {
  readonly findings: readonly Finding[];
  readonly evidence: readonly Evidence[];
  readonly gaps: readonly SignalGap[];
}

/** What is voted on, and everything the jury found in all rounds so far. */
export interface Ballot {
  readonly hypotheses: readonly Hypothesis[];
  readonly findings: readonly Finding[];
  readonly calls: Scope['calls'];
  readonly round: number;
}

export interface Agent {
  readonly name: AgentName;
  readonly signal: Signal;
  /** One line: what it looks for. */
  readonly mission: string;
  /** Investigates. Rejects only when the signal aborts or the engine is away (UnavailableError). */
  investigate(task: Task, context: ToolContext): Promise<AgentAnswer>;
  /** One vote for each hypothesis, from the findings on the board that this agent can judge. Pure. */
  vote(ballot: Ballot): Vote[];
}
