/**
 * Answers a free question with a language model: it asks the same tools, and its answer is taken only when it cites evidence of this
 * talk and every number in it was said by a tool.
 */
import { z } from 'zod';
import type { Answer } from '../../domain/answer.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { QUOTATION_RULE, quoteTelemetry } from '../../domain/quote-telemetry.ts';
import { formatInstant } from '../../domain/time-window.ts';
import { writeAnswer } from '../../domain/write-answer.ts';
import type { ChatModel } from '../../llm/chat-model.ts';
import type { ChatMessage } from '../../llm/chat-request.ts';
import { createRedactor } from '../../llm/redaction.ts';
import { toolsFor } from '../../tools/registry.ts';
import type { ToolContext } from '../../tools/tool.ts';
import { holdTalk, type Patience } from '../hold-talk.ts';
import { findInventedNumber, type SaidNumbers } from './invented-numbers.ts';
import type { Names } from './names.ts';

const PATIENCE: Patience = { turns: 6, callsPerTurn: 4, totalMs: 60_000 };
const MAX_TEXT = 2_000;
const MAX_NAMES = 80;
const REMEMBERED_TURNS = 6;

const replySchema = z.object({
  text: z.string().describe('The answer, at most five sentences; figures with their units.'),
  evidenceIds: z.array(z.string()).describe('Ids (ev_...) of the evidence that shows it.'),
  canAnswer: z.boolean().describe('False: telemetry cannot answer this; text then says what is missing.'),
});
type Reply = z.output<typeof replySchema>;

export interface Conversation {
  readonly question: string;
  readonly names: Names;
  readonly nowMs: number;
  readonly model: ChatModel;
  readonly context: ToolContext;
  /** What rules made of the question, where they understood some of it, and the evidence for it. */
  readonly computed?: Pick<Answer, 'text' | 'tables' | 'evidenceIds' | 'understood'> | undefined;
  /** Questions and answers before, the oldest first. */
  readonly earlier: readonly { readonly question: string; readonly answer: string }[];
  readonly patience?: Partial<Patience> | undefined;
}

export type Conversed =
  | {
      readonly kind: 'answered' | 'declined';
      readonly text: string;
      readonly evidence: readonly Evidence[];
      readonly evidenceIds: readonly string[];
      readonly usage: Usage;
    }
  /** No answer that can be stood for. `evidence`: what was established until then. */
  | {
      readonly kind: 'failed';
      readonly problem: string;
      readonly evidence: readonly Evidence[];
      readonly usage: Usage;
    };

type Usage = NonNullable<Answer['usage']>;

/** Rejects only with the reason of the context's signal. */
export async function converse(conversation: Conversation): Promise<Conversed> {
  const { model, context, computed } = conversation;
  const evidence = new Map<string, Evidence>();
  // Numbers of the question prove nothing: "was it 950 ms?" is no figure.
  const said: SaidNumbers = { texts: [contextText(conversation)] };
  const budget = model.startBudget();
  const ending = await holdTalk<Reply>({
    ...{ model, budget, context, evidence, schema: replySchema, tools: toolsFor('chat') },
    messages: messagesOf(conversation),
    redactor: createRedactor(),
    patience: { ...PATIENCE, ...conversation.patience },
    onOutput: (output) => said.texts.push(JSON.stringify(output)),
    review: (reply) => reviewReply(reply, new Set([...evidence.keys(), ...(computed?.evidenceIds ?? [])]), said),
  });
  const { calls, inputTokens, outputTokens, costUsd } = budget.usage();
  const usage = {
    modelName: model.modelName,
    calls,
    inputTokens,
    outputTokens,
    ...(costUsd === undefined ? {} : { costUsd }),
  };
  const gathered = [...evidence.values()];
  const { answer, stopped, failure = '' } = ending;
  if (!answer) {
    const problem = stopped === undefined ? failure : `it was stopped by its budget (${stopped})`;
    return { kind: 'failed', problem, evidence: gathered, usage };
  }
  const evidenceIds = [...new Set(answer.evidenceIds)];
  return {
    kind: answer.canAnswer ? 'answered' : 'declined',
    text: answer.text.slice(0, MAX_TEXT),
    evidence: gathered.filter(({ evidenceId }) => evidenceIds.includes(evidenceId)),
    evidenceIds,
    usage,
  };
}

const EVIDENCE_ID = /\bev_[0-9a-f]{6,}\b/g;

/** What cites nothing, or what does not exist, or says a number that nobody computed, is not passed on. */
function reviewReply({ text, evidenceIds, canAnswer }: Reply, known: ReadonlySet<string>, said: SaidNumbers) {
  if (text.trim() === '') return 'The text is empty.';
  const cited = [...evidenceIds, ...(text.match(EVIDENCE_ID) ?? [])];
  const unknown = cited.find((id) => !known.has(id));
  if (unknown !== undefined) return `There is no evidence ${unknown.slice(0, 40)} in this talk.`;
  if (canAnswer && evidenceIds.length === 0)
    return 'An answer cites evidence: call a tool, and give the ids that it names.';
  const invented = findInventedNumber(text.replace(EVIDENCE_ID, ''), said);
  return invented === undefined ? undefined : `No tool said the number ${invented}.`;
}

function messagesOf(conversation: Conversation): ChatMessage[] {
  const { earlier, question } = conversation;
  return [
    { role: 'system', text: systemText() },
    ...earlier.slice(-REMEMBERED_TURNS).flatMap((turn): ChatMessage[] => [
      { role: 'user', text: turn.question },
      { role: 'assistant', text: turn.answer },
    ]),
    { role: 'user', text: `${contextText(conversation)}\n\nQuestion: ${question}` },
  ];
}

function systemText(): string {
  return [
    'You answer questions of engineers on call about their production system, from its telemetry, with tools.',
    'Every figure in an answer comes from a tool of this talk, and the answer cites the ids of the evidence. Never estimate, never calculate with numbers that no tool gave.',
    'Where telemetry cannot answer, say so and what is missing. Nothing here can act on production: do not offer to.',
    'Windows are milliseconds since the epoch; times that people write are UTC.',
    QUOTATION_RULE,
  ].join('\n');
}

function contextText({ names, nowMs, computed }: Conversation): string {
  const lines = [
    `Now: ${formatInstant(nowMs)} (${nowMs} ms).`,
    `Services: ${quoteTelemetry(names.services.slice(0, MAX_NAMES))}`,
    `Attributes of requests: ${quoteTelemetry(names.attributes.slice(0, MAX_NAMES))}`,
  ];
  if (!computed) return lines.join('\n');
  const { text, tables, evidenceIds, understood } = computed;
  const shown = writeAnswer(
    { ...{ text, tables, evidenceIds: [], understood }, kind: 'answered', by: 'grammar', notes: [], suggestions: [] },
    nowMs,
  );
  return [
    ...lines,
    `What rules made of the question, with evidence ${evidenceIds.join(' ')}: ${quoteTelemetry(shown)}`,
  ].join('\n');
}
