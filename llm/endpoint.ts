/**
 * One model at one endpoint, over LangChain's client: what a request looks like, when it may be sent, and how its answer is
 * heard. LangChain's callbacks are not used, so that no tracer that its environment variables switch on sees a question.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ChatOpenAICompletions, convertMessagesToCompletionsMessageParams } from '@langchain/openai';
import type { Clock } from '../platform/clock.ts';
import { UnavailableError } from '../platform/errors.ts';
import type { LlmConfig } from '../platform/llm-config.ts';
import { type ChatRequest, encodeMessages, encodeTool, toJsonSchema } from './chat-request.ts';
import { readRetryAfterMs, translateFailure } from './endpoint-error.ts';
import { type HeardAnswer, hear } from './heard-answer.ts';
import { type Patience, startTimer } from './patience.ts';
import type { Redactor } from './redaction.ts';

/** Unless a request says otherwise. */
export const MAX_OUTPUT_TOKENS = 4_096;

/** An endpoint that goes on for longer does not keep to what was asked for. */
const MAX_CHARACTERS = 200_000;

export interface EndpointParts {
  readonly clock: Clock;
  readonly patience: Patience;
  readonly fetch: typeof fetch | undefined;
}

export type Endpoint = ReturnType<typeof createEndpoint>;
type RequestBody = ReturnType<typeof encode>;

export function createEndpoint(config: LlmConfig, model: string, { clock, patience, fetch }: EndpointParts) {
  const client = createClient(config, model, fetch);
  /** Who is asked to leave the model alone asks for all. */
  let busyUntilMs = 0;

  async function* chunksOf(body: RequestBody, signal: AbortSignal) {
    try {
      yield* await client.completionWithRetry(body, { signal });
    } catch (error) {
      signal.throwIfAborted();
      const nowMs = clock.nowMs();
      busyUntilMs = Math.max(busyUntilMs, nowMs + (readRetryAfterMs(error, nowMs) ?? 0));
      throw translateFailure(error, { url: config.url, model, key: config.key });
    }
  }

  return {
    model,

    /** The body as it leaves. @param hasFormat whether the endpoint is told of the schema, and not only the model */
    encode: <Value>(request: ChatRequest<Value>, redactor: Redactor, hasFormat: boolean): RequestBody =>
      encode(client, request, redactor, hasFormat),

    /** Waits as long as the endpoint asked for; throws UnavailableError where that is too long. */
    async waitForTurn(signal: AbortSignal): Promise<void> {
      const waitMs = busyUntilMs - clock.nowMs();
      if (waitMs <= 0) return;
      if (waitMs > patience.maxPauseMs) {
        const seconds = Math.ceil(waitMs / 1_000);
        throw new UnavailableError(`The model ${model} asks to be left alone for ${seconds} s.`, {
          details: { model },
        });
      }
      // Those who wait do not come back all at once.
      await delay(waitMs + Math.random() * patience.pauseMs, undefined, { signal });
    },

    /** Hears an answer to its end. Throws what `translateFailure` makes of a failure. */
    async listen(body: RequestBody, heard: HeardAnswer, outer: AbortSignal, onText: () => void): Promise<void> {
      const silence = startTimer(patience.silenceMs, `The model ${model} said nothing for`);
      const signal = AbortSignal.any([outer, silence.signal]);
      try {
        for await (const chunk of chunksOf(body, signal)) {
          silence.restart();
          const { length } = heard.text;
          hear(heard, chunk);
          if (heard.text.length > length) onText();
          if (heard.text.length <= MAX_CHARACTERS) continue;
          heard.finishReason = 'length';
          break;
        }
      } finally {
        silence.stop();
      }
      signal.throwIfAborted(); // the client ends an aborted stream as if it were complete
      if (heard.finishReason !== undefined) return;
      const what = heard.chunks > 0 ? 'broke off its answer' : 'sent no stream: INQUEST_LLM_URL may be wrong';
      throw new UnavailableError(`The model ${model} ${what}.`, { details: { model } });
    },
  };
}

function encode<Value>(
  client: ChatOpenAICompletions,
  { messages, tools = [], schema, maxOutputTokens = MAX_OUTPUT_TOKENS }: ChatRequest<Value>,
  redactor: Redactor,
  hasFormat: boolean,
) {
  const format = { name: 'answer', strict: false, schema: schema === undefined ? {} : toJsonSchema(schema) };
  const options = {
    tools: tools.map(encodeTool),
    ...(schema && hasFormat ? { response_format: { type: 'json_schema', json_schema: format } as const } : {}),
  };
  const encoded = encodeMessages(messages, schema, redactor);
  const { max_tokens, ...parameters } = client.invocationParams(options, { streaming: true });
  // Models that think have their own name for it, which the client knows.
  const longest = max_tokens === undefined ? 'max_completion_tokens' : 'max_tokens';
  return {
    ...parameters,
    [longest]: maxOutputTokens,
    messages: convertMessagesToCompletionsMessageParams({ messages: encoded, model: client.model }),
    stream: true as const,
  };
}

/** All is said here: what is left out, the client would take from environment variables of its own. */
function createClient(config: LlmConfig, model: string, fetch: EndpointParts['fetch']): ChatOpenAICompletions {
  return new ChatOpenAICompletions({
    model,
    apiKey: config.key?.reveal() ?? 'none', // the client insists on one; who needs none does not look at it
    maxTokens: MAX_OUTPUT_TOKENS,
    maxRetries: 0,
    onFailedAttempt: (error: unknown) => {
      throw error;
    },
    configuration: {
      baseURL: config.url,
      adminAPIKey: null,
      organization: null,
      project: null,
      logLevel: 'off',
      ...(fetch === undefined ? {} : { fetch }),
    },
  });
}
