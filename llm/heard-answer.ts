/** What was heard of an answer so far, from the chunks of a stream. Incomplete answers count, too: they cost tokens. */
import type { Tokens, TokensTaken } from './budget.ts';

/** An OpenAI chat completion chunk, as far as compatible endpoints agree on it. */
interface Chunk {
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null;
      readonly refusal?: string | null;
      readonly tool_calls?: readonly {
        readonly index?: number;
        readonly id?: string;
        readonly function?: { readonly name?: string; readonly arguments?: string };
      }[];
    } | null;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null | undefined;
}

interface HeardCall {
  callId: string;
  name: string;
  /** JSON, or what the model took for it. */
  text: string;
}

export interface HeardAnswer {
  text: string;
  refusal: string;
  /** By their index in the answer. */
  readonly calls: Map<number, HeardCall>;
  /** Undefined: the answer did not end. */
  finishReason: string | undefined;
  tokens: Tokens | undefined;
  chunks: number;
}

/** More calls in one answer are no plan but a loop; they are not heard. */
const MAX_CALLS = 16;

export function createHeardAnswer(): HeardAnswer {
  return { text: '', refusal: '', calls: new Map(), finishReason: undefined, tokens: undefined, chunks: 0 };
}

export function hear(heard: HeardAnswer, chunk: Chunk): void {
  heard.chunks++;
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = chunk.usage ?? {};
  if (inputTokens !== undefined && outputTokens !== undefined) heard.tokens = { inputTokens, outputTokens };
  const choice = chunk.choices?.[0];
  heard.finishReason = choice?.finish_reason ?? heard.finishReason;
  heard.text += choice?.delta?.content ?? '';
  heard.refusal += choice?.delta?.refusal ?? '';
  for (const { index = 0, id, function: part } of choice?.delta?.tool_calls ?? []) {
    if (index >= MAX_CALLS) continue;
    const call = heard.calls.get(index) ?? { callId: '', name: '', text: '' };
    call.callId ||= id ?? '';
    call.name ||= part?.name ?? '';
    call.text += part?.arguments ?? '';
    heard.calls.set(index, call);
  }
}

export function estimateTokens(characters: number): number {
  return Math.ceil(characters / 4);
}

/** As told by the endpoint, or else estimated. */
export function tokensOf(heard: HeardAnswer, inputEstimate: number): TokensTaken {
  if (heard.tokens !== undefined) return { ...heard.tokens, isEstimated: false };
  const texts = [heard.text, heard.refusal, ...[...heard.calls.values()].map((call) => call.name + call.text)];
  return { inputTokens: inputEstimate, outputTokens: estimateTokens(texts.join('').length), isEstimated: true };
}
