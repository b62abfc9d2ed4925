/**
 * Answers questions in plain language, for the CLI, the API and IDEs alike: rules first; a language model, where one is configured, for
 * what they do not understand whole. It remembers a conversation, and nothing on its path can act.
 */
import type { Answer } from '../domain/answer.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { ChatModel } from '../llm/chat-model.ts';
import { newId } from '../platform/ids.ts';
import type { ToolContext } from '../tools/tool.ts';
import { answerQuestion } from './chat/answer-question.ts';
import type { Investigate } from './chat/asking.ts';
import { type Conversed, converse } from './chat/converse.ts';
import { type Names, readNames } from './chat/names.ts';
import type { Question } from './chat/question.ts';
import { type ReadQuestion, readQuestion, usualTime } from './chat/read-question.ts';
import { readTime } from './chat/read-time.ts';
import { suggestQuestions } from './chat/suggest-questions.ts';
import type { Patience } from './hold-talk.ts';

export interface ChatAgentParts {
  readonly context: Omit<ToolContext, 'signal'>;
  readonly model?: ChatModel | undefined;
  readonly investigate: Investigate;
  /** Evidence of an answer is kept before the answer is given. */
  readonly keepEvidence: (evidence: readonly Evidence[], signal: AbortSignal) => Promise<void>;
  readonly patience?: Partial<Patience> | undefined;
}

/** auto: rules, and the model for what they do not understand whole. */
export type AnswerBy = 'auto' | 'grammar' | 'model';

export interface AskedQuestion {
  readonly question: string;
  /** Of an earlier answer: this one may go on from it. Unknown ones begin anew. */
  readonly conversationId?: string | undefined;
  readonly by?: AnswerBy | undefined;
  /** The moment of asking; left out: now. */
  readonly nowMs?: number | undefined;
}

export interface ChatAgent {
  /** Rejects with InputError, LimitError or UnavailableError of the tools, or the signal's reason; never because of a model. */
  ask(asked: AskedQuestion, signal: AbortSignal): Promise<{ readonly answer: Answer; readonly conversationId: string }>;
}

/** Conversations that are remembered; the one that was silent longest is forgotten first. */
const MAX_CONVERSATIONS = 200;
const MAX_TURNS = 20;

interface Remembered {
  readonly previous: Question | undefined;
  readonly turns: readonly { readonly question: string; readonly answer: string }[];
}

const FORGOTTEN = 'Nothing is remembered of that conversation here: the question was read by itself.';
const NOTHING: Remembered = { previous: undefined, turns: [] };

export function createChatAgent(parts: ChatAgentParts): ChatAgent {
  const conversations = new Map<string, Remembered>();
  return {
    ask: async (asked, signal) => {
      const { conversationId = newId('talk') } = asked;
      const known = conversations.get(conversationId);
      const remembered = known ?? NOTHING;
      const found = await findAnswer(parts, asked, remembered, signal);
      const { question = remembered.previous, evidence } = found;
      const isForgotten = asked.conversationId !== undefined && known === undefined;
      const notes = [...found.answer.notes, ...(isForgotten ? [FORGOTTEN] : [])];
      const answer = { ...found.answer, notes };
      if (evidence.length > 0) await parts.keepEvidence(evidence, signal);
      conversations.delete(conversationId);
      const turns = [...remembered.turns, { question: asked.question, answer: answer.text }].slice(-MAX_TURNS);
      conversations.set(conversationId, { previous: question, turns });
      for (const oldest of conversations.keys()) {
        if (conversations.size <= MAX_CONVERSATIONS) break;
        conversations.delete(oldest);
      }
      return { answer, conversationId };
    },
  };
}

interface Answered {
  readonly answer: Answer;
  /** As it was understood; undefined: it was not. */
  readonly question?: Question | undefined;
  readonly evidence: readonly Evidence[];
}

async function findAnswer(
  parts: ChatAgentParts,
  asked: AskedQuestion,
  remembered: Remembered,
  signal: AbortSignal,
): Promise<Answered> {
  const context: ToolContext = { ...parts.context, signal };
  const nowMs = asked.nowMs ?? parts.context.clock.nowMs();
  const { time, rest } = readTime(asked.question, nowMs);
  const { window } = time ?? remembered.previous?.time ?? usualTime('requests', nowMs);
  const names = await readNames(window, nowMs, context);
  const read = readQuestion(rest, time, names, nowMs, remembered.previous);
  const { by = 'auto' } = asked;
  const asker = { parts, context, names, nowMs, asked };
  const byRules = await answerByRules(asker, read);
  const isWhole = read.kind === 'question' && read.notes.length === 0;
  const wantsModel = by === 'model' || (by === 'auto' && !isWhole && read.kind !== 'action');
  if (!parts.model || !wantsModel || read.kind === 'action') return byRules;
  return answerByModel(asker, parts.model, byRules, remembered);
}

interface Asker {
  readonly parts: ChatAgentParts;
  readonly context: ToolContext;
  readonly names: Names;
  readonly nowMs: number;
  readonly asked: AskedQuestion;
}

const NO_TELEMETRY =
  'No telemetry of that day, nor of the last one, is stored: point an OpenTelemetry Collector or SDK at this host (inquest status says where it listens).';

async function answerByRules({ parts, context, names, nowMs, asked }: Asker, read: ReadQuestion): Promise<Answered> {
  const suggestions = () => suggestQuestions(asked.question, names);
  const declined = { by: 'grammar' as const, understood: '', tables: [], evidenceIds: [], notes: [] };
  // Changes are told by people: they may be there before any telemetry is.
  const isUnanswerable =
    read.kind === 'unknown-name' || (read.kind === 'question' && read.question.topic !== 'changes');
  if (!names.extent && isUnanswerable) {
    return { answer: { ...declined, kind: 'empty', text: NO_TELEMETRY, suggestions: [] }, evidence: [] };
  }
  if (read.kind === 'question') {
    const { question, notes } = read;
    const { answer, evidence } = await answerQuestion({
      question,
      names,
      context,
      nowMs,
      investigate: parts.investigate,
    });
    return { answer: { ...answer, notes: [...notes, ...answer.notes], suggestions: [] }, question, evidence };
  }
  if (read.kind === 'unknown-name') {
    const known = names.services.slice(0, 8).join(', ');
    const text = `There is no ${read.name} in telemetry of that time; there are ${known}${names.services.length > 8 ? ` and ${names.services.length - 8} more` : ''}.`;
    return {
      answer: { ...declined, kind: 'empty', text, window: read.time.window, suggestions: suggestions() },
      evidence: [],
    };
  }
  const text =
    read.kind === 'action'
      ? 'I only answer questions: nothing here acts on production. Proposals of investigations wait for people (inquest incidents shows them).'
      : notUnderstood(read);
  return { answer: { ...declined, kind: 'declined', text, suggestions: suggestions() }, evidence: [] };
}

function notUnderstood({ words, reasons }: Extract<ReadQuestion, { kind: 'not-understood' }>): string {
  const named = words.slice(0, 6).map((word) => `"${word}"`);
  const unknown = named.length > 0 ? [`I do not know ${named.join(', ')}.`] : [];
  return ['I did not understand this question.', ...reasons, ...unknown].join(' ');
}

/** What the model says where it can be stood for; otherwise what the rules say, and why the model was not heard. */
async function answerByModel(
  { parts, context, names, nowMs, asked }: Asker,
  model: ChatModel,
  byRules: Answered,
  remembered: Remembered,
): Promise<Answered> {
  const computed = byRules.answer.kind === 'declined' ? undefined : byRules.answer;
  const { question } = asked;
  const conversed = await converse({
    ...{ question, names, nowMs, model, context, computed, earlier: remembered.turns, patience: parts.patience },
  });
  const { usage } = conversed;
  if (conversed.kind === 'failed') return fallBack(byRules, conversed);
  // A model that has no answer takes none away.
  if (conversed.kind === 'declined' && computed?.kind === 'answered') {
    const note = `${usage.modelName} adds nothing: ${conversed.text}`;
    return { ...byRules, answer: { ...byRules.answer, notes: [...byRules.answer.notes, note], usage } };
  }
  const evidence = [...byRules.evidence, ...conversed.evidence];
  const cited = evidence.filter(({ evidenceId }) => conversed.evidenceIds.includes(evidenceId));
  const window = cited[0]?.window ?? byRules.answer.window;
  return {
    answer: {
      ...{ kind: conversed.kind, by: 'model', text: conversed.text, understood: '', notes: [], usage },
      ...(window ? { window } : {}),
      // A table of rules is evidence too, when the model cites it.
      tables: computed?.evidenceIds.some((id) => conversed.evidenceIds.includes(id)) ? computed.tables : [],
      evidenceIds: [...conversed.evidenceIds],
      suggestions: conversed.kind === 'declined' ? byRules.answer.suggestions : [],
    },
    question: byRules.question,
    evidence,
  };
}

function fallBack(byRules: Answered, { problem, evidence, usage }: Extract<Conversed, { kind: 'failed' }>): Answered {
  const established = evidence.map(({ evidenceId, summary }) => `${evidenceId}: ${summary}`);
  const isDeclined = byRules.answer.kind === 'declined';
  return {
    answer: {
      ...byRules.answer,
      notes: [
        ...byRules.answer.notes,
        `${usage.modelName} gave no answer that holds: ${problem}. This is what rules say.`,
        ...(isDeclined && established.length > 0 ? [`Established so far: ${established.slice(0, 5).join(' ')}`] : []),
      ],
      evidenceIds: [...byRules.answer.evidenceIds, ...(isDeclined ? evidence.map(({ evidenceId }) => evidenceId) : [])],
      usage,
    },
    question: byRules.question,
    evidence: [...byRules.evidence, ...evidence],
  };
}
