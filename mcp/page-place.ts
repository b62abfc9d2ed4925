/** Where a list goes on, as one opaque word: how many rows were shown, of which question, over which fixed windows. */
import { z } from 'zod';
import type { TimeWindow } from '../domain/time-window.ts';
import { InputError } from '../platform/errors.ts';
import { digestOf } from '../platform/ids.ts';

const placeSchema = z.tuple([z.string(), z.int().nonnegative(), z.array(z.int().nonnegative()).max(4)]);

export interface PagePlace {
  readonly offset: number;
  /** As they were when the first part was asked for: `1h` ago is another time by now. */
  readonly windows: readonly TimeWindow[];
}

/** @param question the other arguments: a cursor goes with them only */
export function writeCursor(question: unknown, { offset, windows }: PagePlace): string {
  const bounds = windows.flatMap(({ startMs, endMs }) => [startMs, endMs]);
  return Buffer.from(JSON.stringify([keyOf(question), offset, bounds])).toString('base64url');
}

/** Throws InputError for a cursor that is not of this question. */
export function readCursor(question: unknown, cursor: string): PagePlace {
  const place = placeSchema.safeParse(parse(cursor));
  if (!place.success || place.data[0] !== keyOf(question)) {
    throw new InputError(
      'cursor: not one that an answer to these arguments gave. Repeat the call with the same arguments and its nextCursor, or without a cursor to begin again.',
    );
  }
  const [, offset, bounds] = place.data;
  const windows: TimeWindow[] = [];
  for (let index = 0; index + 1 < bounds.length; index += 2) {
    windows.push({ startMs: bounds[index] ?? 0, endMs: bounds[index + 1] ?? 0 });
  }
  return { offset, windows };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

const keyOf = (question: unknown): string => digestOf(question).slice(0, 12);
