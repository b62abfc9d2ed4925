/** Errors that a commit itself brings into the world: their names and messages in telemetry are its signature. */
import type { ChangeClass } from './change-class.ts';

const RAISES =
  /\b(throw|raise|panic|reject|abort|fail)\b|errors?\.(New|Errorf|Wrap)|Errorf\(|\b[A-Z]\w*(Error|Exception|Fault)[({]|new Error\(|Err\(|bail!|\.error\(/;
const ERROR_NAME = /\b[A-Z]\w*(?:Error|Exception|Fault)\b/g;
const LITERAL = /"([^"\n]{8,200})"|'([^'\n]{8,200})'|`([^`\n]{8,200})`/g;
/** What is filled in at run time: %s, {name}, ${name}, <name>. */
const FILLED = /%[-+#0-9.]*[a-zA-Z]|\$?\{[^}]{0,60}\}|<[^>]{0,60}>/;
const LEAST_CHARACTERS = 8;
const MAX_ANCHORS = 20;

/** @param lines changed lines of programs, comments taken off */
export function raisedErrors(
  lines: readonly { readonly sign: string; readonly code: string; readonly path: string }[],
): ChangeClass[] {
  const raising = lines.filter(({ code }) => RAISES.test(code));
  const [removed, added] = ['-', '+'].map((sign) => raising.filter((line) => line.sign === sign));
  const [first] = added ?? [];
  if (!first || !added || !removed) return [];
  const known = new Set(removed.flatMap(({ code }) => signatures(code)));
  const anchors = [...new Set(added.flatMap(({ code }) => signatures(code)))].filter((one) => !known.has(one));
  if (anchors.length === 0) return [];
  // One that takes the place of another says the same thing in other words.
  const strength = added.length > removed.length ? 0.95 : 0.3;
  const does = `raises an error of its own (${anchors[0]?.slice(0, 60)})`;
  return [{ name: 'error-raised', strength, does, path: first.path, anchors: anchors.slice(0, MAX_ANCHORS) }];
}

/** Names of errors, and what of a message stands between the values that are filled in. */
function signatures(code: string): string[] {
  const names = code.match(ERROR_NAME) ?? [];
  const texts = [...code.matchAll(LITERAL)].flatMap((match) => (match[1] ?? match[2] ?? match[3] ?? '').split(FILLED));
  const phrases = texts
    .map((text) => text.trim())
    .filter((text) => text.length >= LEAST_CHARACTERS && text.includes(' '));
  return [...names.filter((name) => name.length > LEAST_CHARACTERS), ...phrases];
}
