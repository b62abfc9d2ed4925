/** What lists take and say: how many, and where they go on. */
import { z } from 'zod';

/** A list says in `nextCursor` where it goes on, and nothing when that was all. */
export const pageShape = (defaultLimit: number) => ({
  limit: z.int().min(1).max(200).default(defaultLimit).describe('At most so many.'),
  cursor: z
    .string()
    .regex(/^[\w-]{1,200}$/, 'not a nextCursor of this list')
    .optional()
    .describe('`nextCursor` of the answer before; left out: from the newest.'),
});
export const nextShape = { nextCursor: z.string().optional() };

const instantText = z.string().min(1).max(40);

/** A span of time in the words of people. */
export const spanShape = {
  since: instantText.default('1h').describe('`15m` (ago), `10:30` (UTC), ISO 8601 with zone, or epoch milliseconds.'),
  until: instantText.default('now').describe('As `since`; not included.'),
};
