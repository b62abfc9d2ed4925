/** How large one investigation's board may grow, whatever agents or hostile telemetry put on it. */
import { LimitError } from '../platform/errors.ts';

export interface BoardLimits {
  readonly maxTasks: number;
  readonly maxFindings: number;
  readonly maxEvidence: number;
  readonly maxHypotheses: number;
  readonly maxVotes: number;
  readonly maxGaps: number;
  /** Upper bound of any one item, in characters of its JSON text. */
  readonly maxItemCharacters: number;
}

export const BOARD_LIMITS: BoardLimits = {
  maxTasks: 200,
  maxFindings: 5_000,
  maxEvidence: 5_000,
  maxHypotheses: 500,
  maxVotes: 5_000,
  maxGaps: 1_000,
  maxItemCharacters: 256_000,
};

/** Throws LimitError when a list would hold more than `maxCount` items. */
export function checkCount(what: string, count: number, maxCount: number): void {
  if (count <= maxCount) return;
  throw new LimitError(
    `The board would hold ${count} ${what}, more than the ${maxCount} it may: narrow the question.`,
    {
      details: { what, count, maxCount },
    },
  );
}

/** Throws LimitError when one of the items is longer than the board takes. */
export function checkItems(what: string, items: readonly unknown[], limits: BoardLimits): void {
  for (const item of items) {
    const characters = JSON.stringify(item).length;
    if (characters <= limits.maxItemCharacters) continue;
    throw new LimitError(
      `One of the ${what} is ${characters} characters long, more than ${limits.maxItemCharacters}.`,
      {
        details: { what, characters, maxItemCharacters: limits.maxItemCharacters },
      },
    );
  }
}
