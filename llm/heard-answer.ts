/** What was heard of an answer so far, from the chunks of a stream. Incomplete answers count, too: they cost tokens. */
import type { Tokens, TokensTaken } from './budget.ts';

/** An OpenAI chat completion chunk, as far as compatible endpoints agree on it. */
interface Chunk {
  readonly choices?: readonly {
    readonly delta?: {
      /** Text, but for endpoints that send their thoughts as parts here. */
      readonly content?: unknown;
      readonly refusal?: string | null;
      readonly tool_calls?: readonly CallPart[];
    } | null;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null | undefined;
}

interface CallPart {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

interface HeardCall {
  readonly index: number;
  callId: string;
  name: string;
  /** JSON, or what the model took for it. */
  text: string;
}

export interface HeardAnswer {
  text: string;
  refusal: string;
  readonly calls: HeardCall[];
  /** Undefined: the answer did not end. */
  finishReason: string | undefined;
  tokens: Tokens | undefined;
  chunks: number;
}

/** More calls in one answer are no plan but a loop; they are not heard. */
const MAX_CALLS = 16;

export function createHeardAnswer(): HeardAnswer {
  return { text: '', refusal: '', calls: [], finishReason: undefined, tokens: undefined, chunks: 0 };
}

export function hear(heard: HeardAnswer, chunk: Chunk): void {
  heard.chunks++;
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = chunk.usage ?? {};
  if (inputTokens !== undefined && outputTokens !== undefined) heard.tokens = { inputTokens, outputTokens };
  const choice = chunk.choices?.[0];
  heard.finishReason = choice?.finish_reason ?? heard.finishReason;
  if (typeof choice?.delta?.content === 'string') heard.text += choice.delta.content;
  heard.refusal += choice?.delta?.refusal ?? '';
  for (const part of choice?.delta?.tool_calls ?? []) hearCall(heard.calls, part);
}

/** A new id begins a new call, also where the index, which should say so, stays 0. */
function hearCall(calls: HeardCall[], { index = 0, id, function: part }: CallPart): void {
  let call = calls.findLast((each) => each.index === index);
  if (call === undefined || (id && call.callId && id !== call.callId)) {
    if (calls.length >= MAX_CALLS) return;
    call = { index, callId: '', name: '', text: '' };
    calls.push(call);
  }
  call.callId ||= id ?? '';
  call.name ||= part?.name ?? '';
  call.text += part?.arguments ?? '';
}

const THOUGHT = /^\s*<think>[\s\S]*?(?:<\/think>\s*|$)/;

/** Without what a model that thinks aloud says before it answers. */
export function answerOf({ text }: HeardAnswer): string {
  return text.replace(THOUGHT, '');
}

export function estimateTokens(characters: number): number {
  return Math.ceil(characters / 4);
}

/** As told by the endpoint, or else estimated. */
export function tokensOf(heard: HeardAnswer, inputEstimate: number): TokensTaken {
  if (heard.tokens !== undefined) return { ...heard.tokens, isEstimated: false };
  const texts = [heard.text, heard.refusal, ...heard.calls.map((call) => call.name + call.text)];
  return { inputTokens: inputEstimate, outputTokens: estimateTokens(texts.join('').length), isEstimated: true };
}
