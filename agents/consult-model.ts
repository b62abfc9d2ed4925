/**
 * An agent's talk with a language model: it shows its findings and how things stand, lets the model ask further questions through its
 * tools, and keeps of the answer what cites evidence that exists. Whatever the model does, this ends, and with a value.
 */
import { z } from 'zod';
import type { Board } from '../context-store/context-store.ts';
import type { Counsel } from '../domain/counsel.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Tally } from '../domain/hypothesis.ts';
import type { Task } from '../domain/investigation.ts';
import { QUOTATION_RULE, quoteTelemetry } from '../domain/quote-telemetry.ts';
import type { Signal } from '../domain/signal.ts';
import { formatInstant } from '../domain/time-window.ts';
import type { ChatModel } from '../llm/chat-model.ts';
import { createRedactor } from '../llm/redaction.ts';
import { compareAttributes } from '../tools/read/compare-attributes.ts';
import { compareBeforeAfter } from '../tools/read/compare-before-after.ts';
import { compareLogTemplates } from '../tools/read/compare-log-templates.ts';
import { compareMetrics } from '../tools/read/compare-metrics.ts';
import { compareOperations } from '../tools/read/compare-operations.ts';
import { countLogs } from '../tools/read/count-logs.ts';
import { findErrorOrigins } from '../tools/read/find-error-origins.ts';
import { findTraces } from '../tools/read/find-traces.ts';
import { getSeries } from '../tools/read/get-series.ts';
import { getServiceOverview } from '../tools/read/get-service-overview.ts';
import { getTrace } from '../tools/read/get-trace.ts';
import { listChanges } from '../tools/read/list-changes.ts';
import { listMetrics } from '../tools/read/list-metrics.ts';
import { searchLogs } from '../tools/read/search-logs.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import type { Agent } from './agent.ts';
import { holdTalk, type Patience } from './hold-talk.ts';

export interface Consultation {
  readonly agent: Pick<Agent, 'name' | 'signal' | 'mission'>;
  readonly task: Task;
  readonly board: Board;
  /** Of the round before. */
  readonly tally: Tally;
  readonly model: ChatModel;
  readonly context: ToolContext;
  readonly patience?: Partial<Patience>;
}

const TOOLS: Readonly<Record<Signal, readonly Tool[]>> = {
  metrics: [compareMetrics, listMetrics, getSeries, compareBeforeAfter],
  logs: [compareLogTemplates, searchLogs, countLogs, getServiceOverview],
  traces: [compareOperations, findErrorOrigins, findTraces, getTrace, compareAttributes],
  changes: [listChanges, compareBeforeAfter, getServiceOverview],
};

const PATIENCE: Patience = { turns: 4, callsPerTurn: 4, totalMs: 60_000 };

/** Talks of one investigation share its budget. */
const SHARE = 1 / Object.keys(TOOLS).length;
const MAX_NOTES = 6;
const MAX_TEXT = 400;
const MAX_FINDINGS_SHOWN = 20;

const answerShape = z.object({
  notes: z
    .array(z.object({ text: z.string(), evidenceIds: z.array(z.string()) }))
    .describe(
      'At most 6 short statements that help a person understand the incident; each names a service and cites evidence about it.',
    ),
  suspect: z
    .object({ service: z.string(), why: z.string(), evidenceIds: z.array(z.string()) })
    .nullish()
    .describe('The service that you would put first, with the evidence that shows it; null when you cannot tell.'),
});
type Answer = z.output<typeof answerShape>;

/** Rejects only with the reason of the context's signal. */
export async function consultModel(
  consultation: Consultation,
): Promise<{ readonly counsel: Counsel; readonly evidence: readonly Evidence[] }> {
  const { agent, model, context } = consultation;
  const budget = model.startBudget(undefined, SHARE);
  const evidence = new Map<string, Evidence>();
  const { answer, ...ending } = await holdTalk<Answer>({
    ...{ model, budget, context, evidence, schema: answerShape, tools: TOOLS[agent.signal] },
    messages: [
      { role: 'system', text: systemText(consultation) },
      { role: 'user', text: userText(consultation) },
    ],
    redactor: createRedactor(),
    patience: { ...PATIENCE, ...consultation.patience },
  });
  context.signal.throwIfAborted();
  const { notes, suspect, dropped } = admit(answer, servicesByEvidence(consultation, [...evidence.values()]));
  const cited = new Set([...notes, ...(suspect ? [suspect] : [])].flatMap(({ evidenceIds }) => evidenceIds));
  const { estimatedCalls: _, ...usage } = budget.usage();
  return {
    counsel: {
      agent: agent.name,
      modelName: model.modelName,
      notes,
      ...(suspect ? { suspect } : {}),
      dropped,
      usage,
      ...ending,
    },
    evidence: [...evidence.values()].filter(({ evidenceId }) => cited.has(evidenceId)),
  };
}

function systemText({ agent }: Consultation): string {
  return [
    `You advise the ${agent.name} of a jury that finds out why production broke. It ${agent.mission}.`,
    'Its findings were computed; you cannot change their strengths. Explain what they mean together, ask your tools where that helps, and',
    'say whom you would put first. Every statement cites ids of evidence that you were shown; what cites none, or one that does not',
    'exist, or is about another service than the statement names, is thrown away. Say nothing rather than guess.',
    QUOTATION_RULE,
  ].join('\n');
}

function userText({ agent, task, board, tally }: Consultation): string {
  const { window, baseline, calls } = task.scope;
  const hypotheses = new Map(board.hypotheses.map((one) => [one.hypothesisId, one]));
  const ranking = tally.ranked.slice(0, 8).flatMap(({ hypothesisId, score, support, opposition }) => {
    const one = hypotheses.get(hypothesisId);
    return one ? [{ service: one.service, statement: one.statement, score, support, opposition }] : [];
  });
  const findings = board.findings
    .filter((finding) => finding.agent === agent.name)
    .slice(0, MAX_FINDINGS_SHOWN)
    .map(({ service, sentence, evidenceIds, implications }) => ({
      service,
      sentence,
      evidenceIds,
      implications: implications.map(({ service: about, stance, strength }) => ({ about, stance, strength })),
    }));
  return [
    `Trouble: ${formatInstant(window.startMs)} to ${formatInstant(window.endMs)}; normal time: ${formatInstant(baseline.startMs)} to ${formatInstant(baseline.endMs)}.`,
    `As milliseconds: trouble ${window.startMs} to ${window.endMs}, normal time ${baseline.startMs} to ${baseline.endMs}.`,
    `How the jury stands: ${quoteTelemetry(ranking)}`,
    `Your agent's findings: ${quoteTelemetry(findings)}`,
    `Who calls whom: ${quoteTelemetry(calls.slice(0, 60).map(({ caller, callee }) => `${caller} -> ${callee}`))}`,
  ].join('\n\n');
}

const EVIDENCE_ID = /\bev_[0-9a-f]{6,}\b/g;

type ServicesByEvidence = ReadonlyMap<string, ReadonlySet<string>>;

/** Whom each piece of evidence is about: by the findings that cite it, and by what was asked. */
function servicesByEvidence({ board, task }: Consultation, asked: readonly Evidence[]): ServicesByEvidence {
  const shown = new Map([...board.evidence, ...asked].map(({ evidenceId }) => [evidenceId, new Set<string>()]));
  for (const { service, evidenceIds, implications } of board.findings) {
    for (const id of evidenceIds)
      for (const one of [service, ...implications.map((each) => each.service)]) shown.get(id)?.add(one);
  }
  const services = new Set(task.scope.calls.flatMap(({ caller, callee }) => [caller, callee]));
  for (const { evidenceId, input } of asked) {
    for (const word of JSON.stringify(input).match(/"[^"]+"/g) ?? []) {
      const service = word.slice(1, -1);
      if (services.has(service)) shown.get(evidenceId)?.add(service);
    }
  }
  return shown;
}

/** What cites nothing, anything that does not exist, or what is about somebody else, is not heard. */
function admit(answer: Answer | undefined, known: ServicesByEvidence) {
  const isGrounded = (text: string, evidenceIds: readonly string[]) =>
    text.trim() !== '' &&
    evidenceIds.length > 0 &&
    [...evidenceIds, ...(text.match(EVIDENCE_ID) ?? [])].every((id) => known.has(id));
  const isAbout = (text: string, evidenceIds: readonly string[]) =>
    evidenceIds.some((id) =>
      [...(known.get(id) ?? [])].some(
        (service) => service !== '' && text.toLowerCase().includes(service.toLowerCase()),
      ),
    );
  const said = answer?.notes ?? [];
  const notes = said
    .filter(({ text, evidenceIds }) => isGrounded(text, evidenceIds) && isAbout(text, evidenceIds))
    .slice(0, MAX_NOTES)
    .map(({ text, evidenceIds }) => ({ text: text.slice(0, MAX_TEXT), evidenceIds: [...new Set(evidenceIds)] }));
  const named = answer?.suspect ?? undefined;
  const isNamed = named !== undefined && isGrounded(named.why, named.evidenceIds);
  return {
    notes,
    suspect: isNamed ? { ...named, why: named.why.slice(0, MAX_TEXT) } : undefined,
    dropped: said.length - notes.length + (named !== undefined && !isNamed ? 1 : 0),
  };
}
