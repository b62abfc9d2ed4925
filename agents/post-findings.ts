/** What all agents do alike: run a tool and keep its evidence, write a finding down, turn own findings into votes. */
import type { z } from 'zod';
import type { Evidence } from '../domain/evidence.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Vote, VoteReason } from '../domain/hypothesis.ts';
import type { SignalGap, Task } from '../domain/investigation.ts';
import type { AgentName, Signal } from '../domain/signal.ts';
import { UnavailableError } from '../platform/errors.ts';
import { contentId } from '../platform/ids.ts';
import { runTool, type Tool, type ToolContext } from '../tools/tool.ts';
import type { AgentAnswer, Ballot } from './agent.ts';

/** An answer in the making. */
export interface Notebook {
  /** Runs a tool; its evidence is kept. undefined: the tool refused (noted as a gap). Rejects when the engine is away. */
  ask<Input extends z.ZodType, Output extends z.ZodType>(
    tool: Tool<Input, Output>,
    input: z.input<Input>,
  ): Promise<{ readonly output: z.output<Output>; readonly evidenceId: string } | undefined>;
  note(finding: Omit<Finding, 'findingId' | 'agent' | 'taskId' | 'signal'>): void;
  missing(gap: SignalGap): void;
  answer(): AgentAnswer;
}

export function openNotebook(author: { name: AgentName; signal: Signal }, task: Task, context: ToolContext): Notebook {
  const findings: Finding[] = [];
  const evidence = new Map<string, Evidence>();
  const gaps: SignalGap[] = [];
  return {
    ask: async (tool, input) => {
      const outcome = await runTool(tool, input, context);
      if (outcome.ok) {
        evidence.set(outcome.evidence.evidenceId, outcome.evidence);
        return { output: outcome.output, evidenceId: outcome.evidence.evidenceId };
      }
      const { code, message } = outcome.error;
      if (code === 'unavailable') throw new UnavailableError(message);
      gaps.push({
        signal: author.signal,
        service: '',
        what: `${tool.name} gave no answer: ${message}`,
        remedy: outcome.error.hint,
      });
      return undefined;
    },
    note: (finding) => {
      const findingId = contentId('find', {
        agent: author.name,
        taskId: task.taskId,
        observation: finding.observation,
      });
      findings.push({ findingId, agent: author.name, taskId: task.taskId, signal: author.signal, ...finding });
    },
    missing: (gap) => {
      gaps.push(gap);
    },
    answer: () => ({ findings, evidence: [...evidence.values()], gaps }),
  };
}

/** One vote for each hypothesis: the agent's own findings that name its service. */
export function voteByFindings(agent: AgentName, { hypotheses, findings, round }: Ballot): Vote[] {
  const own = findings.filter((finding) => finding.agent === agent);
  return hypotheses.map((hypothesis) => ({
    agent,
    hypothesisId: hypothesis.hypothesisId,
    round,
    reasons: own.flatMap((finding) => reasonsOf(finding, hypothesis)),
  }));
}

function reasonsOf(
  { implications, observation, evidenceIds, sentence }: Finding,
  hypothesis: Hypothesis,
): VoteReason[] {
  return implications
    .filter(({ service }) => service === hypothesis.service)
    .map(({ stance, strength }) => ({ observation, stance, strength, evidenceIds, sentence }));
}

/** A share as people read it. */
export function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(part < whole ? 1 : 0)} %`;
}

/** Milliseconds as people read them. */
export function milliseconds(valueMs: number): string {
  return valueMs >= 1000 ? `${threeDigits(valueMs / 1000)} s` : `${threeDigits(valueMs)} ms`;
}

/** Three significant digits, never as a power of ten. */
export function threeDigits(value: number): string {
  const text = value.toPrecision(3);
  return text.includes('e') ? String(Number(text)) : text;
}
