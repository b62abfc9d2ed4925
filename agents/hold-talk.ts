/**
 * A talk with a language model that may ask tools before it answers: turns, calls and time are limited, what it asked becomes evidence,
 * and whatever it does, the talk ends, and with a value.
 */
import type { z } from 'zod';
import type { Evidence } from '../domain/evidence.ts';
import { quoteTelemetry } from '../domain/quote-telemetry.ts';
import type { Budget, BudgetLimit } from '../llm/budget.ts';
import type { ChatModel } from '../llm/chat-model.ts';
import type { ChatMessage, ToolCall } from '../llm/chat-request.ts';
import type { Redactor } from '../llm/redaction.ts';
import { ConfigError, LimitError, UnavailableError } from '../platform/errors.ts';
import { runTool, type Tool, type ToolContext } from '../tools/tool.ts';

export interface Patience {
  /** Answers that only call tools; the one after must be the answer. */
  readonly turns: number;
  readonly callsPerTurn: number;
  /** One talk, whatever its budget: somebody waits. */
  readonly totalMs: number;
}

export interface Talk<Value> {
  readonly model: Pick<ChatModel, 'ask'>;
  /** Grows with the talk. */
  readonly messages: ChatMessage[];
  readonly schema: z.ZodType<Value>;
  readonly tools: readonly Tool[];
  readonly budget: Budget;
  readonly redactor: Redactor;
  readonly context: ToolContext;
  readonly patience: Patience;
  /** Of every tool that was called, by id. */
  readonly evidence: Map<string, Evidence>;
  /** Told every output before the model sees it. */
  readonly onOutput?: (output: unknown) => void;
  /** What is wrong with an answer, for the model; undefined: nothing. Left out: every answer of the shape will do. */
  readonly review?: (value: Value) => string | undefined;
}

export interface TalkEnding<Value> {
  readonly answer?: Value;
  /** Which limit ended it; seconds: its own time, or the budget's. */
  readonly stopped?: BudgetLimit;
  /** Why there is no answer, for people. */
  readonly failure?: string;
}

const REFUSED = { failure: 'the model refused to answer' };

/** Rejects only with the reason of the context's signal, or with a mistake of ours. */
export async function holdTalk<Value>(talk: Talk<Value>): Promise<TalkEnding<Value>> {
  const { context, patience } = talk;
  const timer = AbortSignal.timeout(patience.totalMs);
  const signal = AbortSignal.any([context.signal, timer]);
  try {
    for (let turn = 0; turn < patience.turns; turn++) {
      const ending = await takeTurn(talk, signal);
      if (ending) return ending;
    }
    return await takeLastTurn(talk, signal);
  } catch (error) {
    context.signal.throwIfAborted();
    if (timer.aborted) return { stopped: 'seconds' };
    const isTheirs = error instanceof ConfigError || error instanceof UnavailableError || error instanceof LimitError;
    if (isTheirs) return { failure: error.message };
    throw error;
  }
}

/** Undefined: the talk goes on. */
async function takeTurn<Value>(talk: Talk<Value>, signal: AbortSignal): Promise<TalkEnding<Value> | undefined> {
  const { messages, patience, review } = talk;
  const answer = await ask(talk, talk.tools, signal);
  if (answer.kind === 'stopped') return { stopped: answer.stopped };
  if (answer.kind === 'refused') return REFUSED;
  if (answer.kind === 'malformed') {
    messages.push({ role: 'assistant', text: answer.text }, { role: 'user', text: `${answer.message} Answer again.` });
    return undefined;
  }
  if (answer.value !== undefined) {
    const problem = review?.(answer.value);
    if (problem === undefined) return { answer: answer.value };
    messages.push({ role: 'assistant', text: answer.text }, { role: 'user', text: `${problem} Answer again.` });
    return undefined;
  }
  messages.push({ role: 'assistant', text: answer.text, toolCalls: answer.toolCalls });
  for (const [index, call] of answer.toolCalls.entries()) {
    const text = index >= patience.callsPerTurn ? 'Too many calls at once.' : await answerCall(talk, call, signal);
    messages.push({ role: 'tool', callId: call.callId, text });
  }
  return undefined;
}

/** Without tools: now or never. */
async function takeLastTurn<Value>(talk: Talk<Value>, signal: AbortSignal): Promise<TalkEnding<Value>> {
  const answer = await ask(talk, undefined, signal);
  if (answer.kind === 'stopped') return { stopped: answer.stopped };
  if (answer.kind === 'refused') return REFUSED;
  if (answer.kind === 'malformed') return { failure: `the model gave no usable answer (${answer.problem})` };
  if (answer.value === undefined) return { failure: 'the model gave no usable answer (none)' };
  const problem = talk.review?.(answer.value);
  return problem === undefined ? { answer: answer.value } : { failure: `the model's answer was refused: ${problem}` };
}

function ask<Value>(talk: Talk<Value>, tools: readonly Tool[] | undefined, signal: AbortSignal) {
  const { model, messages, schema, budget, redactor } = talk;
  return model.ask({ messages, schema, tools, budget, redactor, signal });
}

async function answerCall<Value>(talk: Talk<Value>, call: ToolCall, signal: AbortSignal): Promise<string> {
  if (call.kind !== 'valid') return call.message;
  const tool = talk.tools.find(({ name }) => name === call.name);
  if (!tool) return `There is no tool ${call.name} here.`;
  const outcome = await runTool(tool, call.input, { ...talk.context, signal });
  if (!outcome.ok) return `${outcome.error.message} ${outcome.error.hint}`;
  talk.evidence.set(outcome.evidence.evidenceId, outcome.evidence);
  talk.onOutput?.(outcome.output);
  return `evidence ${outcome.evidence.evidenceId}\n${quoteTelemetry(outcome.output)}`;
}
