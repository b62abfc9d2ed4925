/** Where a list goes on, as one word: opaque to callers, so that lists may be ordered otherwise one day. */
import { z } from 'zod';
import { InputError } from '../../platform/errors.ts';

const placeSchema = z.tuple([z.int().nonnegative(), z.string().max(128)]);

/** A document's time and id in a list that goes from new to old. */
export interface ListPlace {
  readonly atMs: number;
  readonly id: string;
}

export function formatCursor({ atMs, id }: ListPlace): string {
  return Buffer.from(JSON.stringify([atMs, id])).toString('base64url');
}

/** Throws InputError for what formatCursor did not write. */
export function parseCursor(cursor: string): ListPlace {
  try {
    const [atMs, id] = placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { atMs, id };
  } catch (cause) {
    throw new InputError('cursor: not a nextCursor of this list.', { cause });
  }
}
