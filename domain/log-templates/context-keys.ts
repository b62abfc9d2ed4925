/** Where a shape may turn out to vary, with names for "this shape but for that": equal for shapes that differ there alone. */
import { isName, VARIABLE } from './word-kinds.ts';

export interface Hole {
  /** Of 53 bits and not proof against malice: who finds two shapes under one key compares them. */
  readonly key: number;
  /** Indices of tokens. */
  readonly places: readonly number[];
}

/** A general shape must say something. */
const MIN_WORDS_LEFT = 1;
const MIN_WORDS_LEFT_WITHOUT_NAMES = 3;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Odd, so that all their powers are invertible modulo 2^32. */
const FIRST = 0x9e3779b1;
const SECOND = 0x85ebca77;

/** Each word by itself, and all names and variables of the line together. */
export function holesOf(tokens: readonly string[]): Hole[] {
  const [words, names]: [number[], number[]] = [[], []];
  let nameCount = 0;
  let wordCount = 0;
  for (let place = 0; place < tokens.length; place += 2) {
    const token = tokens[place] ?? '';
    if (token === '') continue;
    words.push(place);
    if (token === VARIABLE || isName(token)) names.push(place);
    if (token !== VARIABLE) wordCount++;
    if (token !== VARIABLE && isName(token)) nameCount++;
  }
  const isLeft = (place: number) => wordCount - (tokens[place] === VARIABLE ? 0 : 1) >= MIN_WORDS_LEFT;
  const places = words.filter(isLeft).map((place) => [place]);
  if (nameCount > 1 && wordCount - nameCount >= MIN_WORDS_LEFT_WITHOUT_NAMES) places.push(names);
  return withKeys(tokens, places);
}

/** The sum of a term for each token, without the terms of the holes. */
function withKeys(tokens: readonly string[], holes: readonly (readonly number[])[]): Hole[] {
  const terms: [number, number][] = [];
  let [firstPower, secondPower, first, second] = [FIRST, SECOND, tokens.length, tokens.length];
  for (const token of tokens) {
    const hash = hashOf(token);
    const term: [number, number] = [Math.imul(hash, firstPower), Math.imul(hash ^ (hash >>> 15), secondPower)];
    terms.push(term);
    first = (first + term[0]) | 0;
    second = (second + term[1]) | 0;
    firstPower = Math.imul(firstPower, FIRST);
    secondPower = Math.imul(secondPower, SECOND);
  }
  return holes.map((places) => {
    let [left, right] = [first, second];
    for (const place of places) {
      const [firstTerm, secondTerm] = terms[place] ?? [0, 0];
      left = (left - firstTerm + Math.imul(place + 1, SECOND)) | 0;
      right = (right - secondTerm + Math.imul(place + 1, FIRST)) | 0;
    }
    return { key: (left >>> 0) * 2 ** 21 + (right >>> 11), places };
  });
}

function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  return hash;
}
