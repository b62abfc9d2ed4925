/** A question of the ask suite and what a right answer to it says. Written so that any honest answerer can be held to it. */
import type { StoryFacts, StoryName } from './ask-stories.ts';

/** What a number measures; answers may say it in any unit of the kind (ms or s, % or a fraction, /s or /min). */
export type Quantity = 'count' | 'perSecond' | 'ratio' | 'duration' | 'bytes' | 'plain';

/** The number is in the answer's sentence or, with `of`, in a sentence or row that also says that name. */
export interface NumberExpectation {
  readonly kind: 'number';
  readonly quantity: Quantity;
  /** Durations in milliseconds. */
  readonly value: number;
  /** Relative; left out: 0.05. */
  readonly within?: number;
  readonly of?: string;
}

export type Expectation =
  | NumberExpectation
  /** Of all services and dependencies that the question does not name, the first one that the answer names. */
  | { readonly kind: 'first'; readonly name: string }
  /** Texts that the answer holds (in any case), and texts that it must not hold. */
  | { readonly kind: 'says'; readonly all: readonly string[]; readonly none?: readonly string[] }
  /** At least one of these texts. */
  | { readonly kind: 'saysOne'; readonly of: readonly string[] }
  /** The window that the answer says it used begins and ends within a minute of this. */
  | { readonly kind: 'window'; readonly startMs: number; readonly endMs: number }
  /** Not answered: it says that it did not understand or cannot, and offers at least one question that it can answer. */
  | { readonly kind: 'declines' }
  /** Answered, but there is none (no such service, no telemetry there): says so, names nothing else as if it were. */
  | { readonly kind: 'empty' };

export interface AskQuestion {
  readonly id: string;
  readonly story: StoryName;
  readonly ask: string;
  /** Asked first, in the same conversation. */
  readonly after?: string;
  /** All of them must hold; besides, whatever is answered must cite evidence that holds when it is run again. */
  expect(facts: StoryFacts): readonly Expectation[];
}
