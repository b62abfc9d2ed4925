/** JSON of a stranger: parsed, or refused in words that repeat nothing of it, because senders print what they are told. */
import { InputError } from '../platform/errors.ts';

/**
 * @param revive as JSON.parse takes it
 * Throws InputError with `The body is not JSON: ...`; the engine's own message would quote the body, escapes and all.
 */
export function parseJson(text: string, revive?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, revive);
  } catch (error) {
    throw new InputError(`The body is not JSON: ${describeFault(error, text)}.`, { cause: error });
  }
}

function describeFault(error: unknown, text: string): string {
  // A reviver calls itself at every level; parsing alone does not.
  if (error instanceof RangeError) return 'it is nested too deep';
  if (text.trim() === '') return 'it is empty';
  const message = error instanceof Error ? error.message : '';
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return `it breaks at character ${position}`;
  return message.includes('end of JSON input') ? 'it is cut off' : 'it is something else';
}
