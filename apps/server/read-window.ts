/** The span of time that a query says in the words of people. */
import { parseInstantMs, type TimeWindow } from '../../domain/time-window.ts';
import { errorMessage, InputError } from '../../platform/errors.ts';

/** Throws InputError for what is no span of time. */
export function windowOf({ since, until }: { since: string; until: string }, nowMs: number): TimeWindow {
  const window = { startMs: readInstant('since', since, nowMs), endMs: readInstant('until', until, nowMs) };
  if (window.startMs < window.endMs) return window;
  throw new InputError(`since: ${since} is not before until, ${until}.`);
}

function readInstant(name: string, text: string, nowMs: number): number {
  try {
    return parseInstantMs(text, nowMs);
  } catch (error) {
    throw new InputError(`${name}: ${errorMessage(error)}`, { cause: error });
  }
}
