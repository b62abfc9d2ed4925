/**
 * What a checkpoint remembers: where the investigation stands, and every answer that was given, so that a lost board can be
 * written anew (restore-board.ts). Plain JSON throughout; steps never write `undefined`.
 */
import { Annotation } from '@langchain/langgraph';
import type { TaskAnswer } from '../context-store/context-store.ts';
import type { Approval } from '../domain/approval.ts';
import type { Change } from '../domain/change.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Hypothesis, Tally, Vote } from '../domain/hypothesis.ts';
import type { Incident } from '../domain/incident.ts';
import type { ActionOutcome, Scope, Task, Verdict } from '../domain/investigation.ts';
import type { Remediation } from '../domain/remediation.ts';

/** What one task brought; the board's content is the sum of these. */
export interface TaskRecord extends TaskAnswer {
  readonly taskId: string;
}

/** A list that grows; an item whose key is there already stays as it is, so that a repeated step adds nothing. */
function growing<Item>(keyOf: (item: Item) => string) {
  return Annotation<readonly Item[], readonly Item[]>({
    reducer: (known, added) => {
      const keys = new Set(known.map(keyOf));
      return [...known, ...added.filter((item) => !keys.has(keyOf(item)))];
    },
    default: () => [],
  });
}

export const investigationChannels = Annotation.Root({
  investigationId: Annotation<string>(),
  incident: Annotation<Incident>(),
  startedAtMs: Annotation<number>(),
  round: Annotation<number>(),
  /** Services that led the round before; empty in the first. */
  focus: Annotation<readonly string[]>(),
  /** The round, its last one, asks what language models make of the findings. */
  isCounselled: Annotation<boolean | undefined>(),
  scope: Annotation<Scope | undefined>(),
  /** What the supervisor found the scope with. */
  scopeEvidence: Annotation<readonly Evidence[] | undefined>(),
  tasks: growing<Task>((task) => task.taskId),
  answers: growing<TaskRecord>((answer) => answer.taskId),
  hypotheses: growing<Hypothesis>(({ hypothesisId, round }) => `${round} ${hypothesisId}`),
  votes: growing<Vote>(({ agent, hypothesisId, round }) => `${round} ${agent} ${hypothesisId}`),
  tally: Annotation<Tally | undefined>(),
  firstSuspectsMs: Annotation<number | undefined>(),
  verdict: Annotation<Verdict | undefined>(),
  /** What shows what was missing. */
  gapEvidence: Annotation<readonly Evidence[] | undefined>(),
  changes: Annotation<readonly Change[] | undefined>(),
  remediation: Annotation<Remediation | undefined>(),
  approval: Annotation<Approval | undefined>(),
  actionOutcome: Annotation<ActionOutcome | undefined>(),
  finishedAtMs: Annotation<number | undefined>(),
});

export type InvestigationState = typeof investigationChannels.State;
export type StateUpdate = typeof investigationChannels.Update;

/** What LangGraph hands to a step beside the state. */
export interface StepConfig {
  readonly signal?: AbortSignal;
}

const NEVER = new AbortController().signal;

export function signalOf(config: StepConfig): AbortSignal {
  return config.signal ?? NEVER;
}
