/**
 * What all model calls of one investigation (or of one question) may take together: tokens, money, seconds. A call that would
 * exceed it is refused before it is sent; one that was sent is heard to its end.
 */
import type { Clock } from '../platform/clock.ts';
import type { LlmBudget, LlmPrice } from '../platform/llm-config.ts';

/** Plain data: can be stored, and given to `createBudget` again. */
export interface Usage {
  /** Requests that were sent, those that failed among them. */
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the calls whose model has a price. */
  readonly costUsd: number;
  /** During which at least one call was under way. */
  readonly seconds: number;
  /** Whose cost is not known. */
  readonly unpricedCalls: number;
  /** Whose tokens the endpoint did not tell: four characters each. */
  readonly estimatedCalls: number;
}

export type BudgetLimit = 'tokens' | 'money' | 'seconds';

export interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** `isEstimated`: the endpoint did not tell. */
export interface TokensTaken extends Tokens {
  readonly isEstimated: boolean;
}

/** Room for one call. */
export interface Reservation {
  /** What it took. To be told once, also after a failure. */
  settle(taken: TokensTaken): void;
}

export interface Budget {
  /** The limit that stands in the way of a call that takes at most so much, or room for it. */
  reserve(most: Tokens, price: LlmPrice | undefined): Reservation | BudgetLimit;
  usage(): Usage;
}

const NOTHING: Usage = {
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  seconds: 0,
  unpricedCalls: 0,
  estimatedCalls: 0,
};

/** @param spent by an earlier part of the same investigation, before it was interrupted */
export function createBudget(limits: LlmBudget, clock: Clock, spent: Usage = NOTHING): Budget {
  let usage = spent;
  const open = new Set<{ readonly tokens: number; readonly costUsd: number }>();
  let beganMs = 0;

  /** Seconds of calls under way are counted once, however many there are. */
  function secondsNow(): number {
    return usage.seconds + (open.size > 0 ? (clock.nowMs() - beganMs) / 1_000 : 0);
  }

  function findLimit(tokens: number, costUsd: number): BudgetLimit | undefined {
    const reserved = [...open].reduce(
      (sum, each) => ({ tokens: sum.tokens + each.tokens, costUsd: sum.costUsd + each.costUsd }),
      { tokens: usage.inputTokens + usage.outputTokens + tokens, costUsd: usage.costUsd + costUsd },
    );
    if (limits.tokens !== undefined && reserved.tokens > limits.tokens) return 'tokens';
    if (limits.usd !== undefined && reserved.costUsd > limits.usd) return 'money';
    return limits.seconds !== undefined && secondsNow() >= limits.seconds ? 'seconds' : undefined;
  }

  return {
    usage: () => ({ ...usage, seconds: secondsNow() }),
    reserve(most, price) {
      const held = { tokens: most.inputTokens + most.outputTokens, costUsd: costOf(most, price) };
      const limit = findLimit(held.tokens, held.costUsd);
      if (limit !== undefined) return limit;
      if (open.size === 0) beganMs = clock.nowMs();
      open.add(held);
      return {
        settle(taken) {
          if (!open.has(held)) return;
          const seconds = open.size === 1 ? secondsNow() : usage.seconds;
          open.delete(held);
          usage = {
            calls: usage.calls + 1,
            inputTokens: usage.inputTokens + taken.inputTokens,
            outputTokens: usage.outputTokens + taken.outputTokens,
            costUsd: usage.costUsd + costOf(taken, price),
            seconds,
            unpricedCalls: usage.unpricedCalls + (price === undefined ? 1 : 0),
            estimatedCalls: usage.estimatedCalls + (taken.isEstimated ? 1 : 0),
          };
        },
      };
    },
  };
}

function costOf({ inputTokens, outputTokens }: Tokens, price: LlmPrice | undefined): number {
  if (price === undefined) return 0;
  return (inputTokens * price.inputUsd + outputTokens * price.outputUsd) / 1e6;
}
