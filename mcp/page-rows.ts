/** One part of a list as an answer: as many rows as fit, what was left out, and a cursor where there is more. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { McpAnswer } from './catalogue.ts';
import { fitRows, MAX_ANSWER_CHARACTERS, sizeOf } from './fit-answer.ts';
import { writeCursor } from './page-place.ts';

export interface RowsPage {
  /** All that were read, from the list's first on. */
  readonly rows: readonly unknown[];
  /** Rows shown by the answers before. */
  readonly offset: number;
  /** Rows that exist, where that is known. */
  readonly total?: number | undefined;
  /** Which question they answer, for the cursor. */
  readonly question: unknown;
  readonly windows: readonly TimeWindow[];
  /** What the answer says beside its rows. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export function pageRows({ rows, offset, total = rows.length, question, windows, facts = {} }: RowsPage): McpAnswer {
  return fitRows(rows.slice(offset), ({ rows: kept, left, leftOut }) => {
    const unread = left === 0 ? total - rows.length : 0;
    const notes = [
      leftOut === undefined ? '' : `Left out of the rows: ${leftOut}.`,
      unread > 0 ? `${unread} more exist that one question does not reach: ask for a shorter span or one service.` : '',
    ].filter((note) => note !== '');
    return {
      data: {
        ...facts,
        telemetry: kept,
        total,
        ...(left > 0 ? { nextCursor: writeCursor(question, { offset: offset + kept.length, windows }) } : {}),
        ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
      },
    };
  });
}

/** A list that the host pages itself: asked for fewer rows until an answer holds them all, so that its cursor goes on after them. */
export async function pageFromHost<Page>(
  mostRows: number,
  read: (limit: number) => Promise<Page>,
  rowsOf: (page: Page) => { readonly rows: readonly unknown[]; readonly nextCursor?: string | undefined },
): Promise<McpAnswer> {
  for (let limit = mostRows; ; limit = Math.ceil(limit / 2)) {
    const { rows, nextCursor } = rowsOf(await read(limit));
    let whole = true;
    const answer = fitRows(rows, ({ rows: kept, left, leftOut }) => {
      whole = left === 0;
      return {
        data: {
          telemetry: kept,
          ...(nextCursor === undefined ? {} : { nextCursor }),
          ...(leftOut === undefined ? {} : { note: `Left out of the rows: ${leftOut}.` }),
        },
      };
    });
    if (limit === 1 || (whole && sizeOf(answer) <= MAX_ANSWER_CHARACTERS)) return answer;
  }
}
