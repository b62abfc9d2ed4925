/**
 * A chat model over any OpenAI-compatible endpoint: one question, one answer, inside of a budget. Retries, the fallback model,
 * time limits, the limit of calls at one time and redaction are in here; loops over tools are the agents'.
 */
import type { Clock } from '../platform/clock.ts';
import { ConfigError, UnavailableError } from '../platform/errors.ts';
import type { LlmBudget, LlmConfig } from '../platform/llm-config.ts';
import { retry } from '../platform/retry.ts';
import { type Budget, createBudget, type Usage } from './budget.ts';
import { createCallSlots } from './call-slots.ts';
import { type ChatAnswer, readAnswer } from './chat-answer.ts';
import type { ChatRequest } from './chat-request.ts';
import { createEndpoint, type Endpoint, MAX_OUTPUT_TOKENS } from './endpoint.ts';
import { answerOf, createHeardAnswer, estimateTokens, tokensOf } from './heard-answer.ts';
import { PATIENCE, type Patience, startTimer } from './patience.ts';
import { createRedactor, openRedactor, type Redactor, withoutBegunLabel } from './redaction.ts';

export interface ChatModel {
  readonly modelName: string;
  /**
   * For one investigation, or one question.
   * @param spent by its earlier part, when it goes on after an interruption
   * @param share of the configured budget, 0..1, where others take part in other processes
   */
  startBudget(spent?: Usage, share?: number): Budget;
  /**
   * Throws ConfigError (key, model or address), UnavailableError (nobody answered in time, after retries and the fallback
   * model), LimitError (the messages are too long), or the signal's reason.
   */
  ask<Value = undefined>(request: ChatRequest<Value>): Promise<ChatAnswer<Value>>;
  /** Ends what is under way. */
  close(): void;
}

export interface ChatModelParts {
  readonly clock: Clock;
  /** Another way to the endpoint: to record answers, and to play them back (recorded-model.ts). */
  readonly fetch?: typeof fetch | undefined;
  readonly patience?: Partial<Patience> | undefined;
}

const NOTHING_HEARD = { inputTokens: 0, outputTokens: 0, isEstimated: true };

/** Opens no connection: the first question does. */
export function openChatModel(config: LlmConfig, { clock, fetch, patience: chosen }: ChatModelParts): ChatModel {
  const patience = { ...PATIENCE, ...chosen };
  const pauses = { attempts: patience.attempts, baseDelayMs: patience.pauseMs, maxDelayMs: patience.maxPauseMs };
  const names = config.fallbackModel === undefined ? [config.model] : [config.model, config.fallbackModel];
  const endpoints = names.map((name) => createEndpoint(config, name, { clock, patience, fetch }));
  const slots = createCallSlots(config.concurrency);
  const closing = new AbortController();
  /** Endpoints that take no response_format: the schema in the prompt has to do. */
  const formatless = new Set<Endpoint>();

  async function askInTurn<Value>(
    request: ChatRequest<Value>,
    redactor: Redactor,
    signal: AbortSignal,
  ): Promise<ChatAnswer<Value>> {
    let failure: unknown;
    for (const endpoint of endpoints) {
      try {
        return await retry(() => askForFormat(endpoint, request, redactor, signal), { ...pauses, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof UnavailableError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** An endpoint that refuses a request for its response_format gets it again without. */
  async function askForFormat<Value>(
    endpoint: Endpoint,
    request: ChatRequest<Value>,
    redactor: Redactor,
    signal: AbortSignal,
  ): Promise<ChatAnswer<Value>> {
    const hasFormat = request.schema !== undefined && !formatless.has(endpoint);
    try {
      return await askOnce(endpoint, request, redactor, signal, hasFormat);
    } catch (error) {
      if (!hasFormat || !(error instanceof ConfigError) || error.details['status'] !== 400) throw error;
      const answer = await askOnce(endpoint, request, redactor, signal, false);
      formatless.add(endpoint);
      return answer;
    }
  }

  async function askOnce<Value>(
    endpoint: Endpoint,
    request: ChatRequest<Value>,
    redactor: Redactor,
    signal: AbortSignal,
    hasFormat: boolean,
  ): Promise<ChatAnswer<Value>> {
    await endpoint.waitForTurn(signal);
    const body = endpoint.encode(request, redactor, hasFormat);
    const inputTokens = estimateTokens(JSON.stringify([body.messages, body.tools ?? []]).length);
    const most = { inputTokens, outputTokens: request.maxOutputTokens ?? MAX_OUTPUT_TOKENS };
    const room = request.budget.reserve(most, config.prices.get(endpoint.model));
    if (typeof room === 'string') return { kind: 'stopped', stopped: room };
    const heard = createHeardAnswer();
    try {
      await endpoint.listen(body, heard, signal, () =>
        request.onText?.(redactor.restore(withoutBegunLabel(answerOf(heard)))),
      );
    } finally {
      // Of who said nothing it is not known whether it began to think: nothing is counted.
      room.settle(heard.chunks === 0 ? NOTHING_HEARD : tokensOf(heard, inputTokens));
    }
    return readAnswer(heard, request, redactor, { model: endpoint.model, usage: tokensOf(heard, inputTokens) });
  }

  return {
    modelName: config.model,
    startBudget: (spent, share = 1) => createBudget(shareOf(config.budget, share), clock, spent),
    async ask(request) {
      const signal = AbortSignal.any([request.signal, closing.signal]);
      const redactor = config.isRedacting ? (request.redactor ?? createRedactor()) : openRedactor;
      return await slots.run(signal, async () => {
        const total = startTimer(patience.totalMs, `The model ${config.model} gave no answer within`);
        try {
          return await askInTurn(request, redactor, AbortSignal.any([signal, total.signal]));
        } finally {
          total.stop();
        }
      });
    },
    close: () => closing.abort(),
  };
}

function shareOf({ tokens, usd, seconds }: LlmBudget, share: number): LlmBudget {
  return {
    tokens: tokens === undefined ? undefined : tokens * share,
    usd: usd === undefined ? undefined : usd * share,
    // They ask at the same time.
    seconds,
  };
}
