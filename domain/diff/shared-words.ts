/** Rare words that a diff and the incident share: what is in every diff, or in telemetry all the time, says nothing. */
import type { ClassifiedDiff } from './classify-diff.ts';
import type { IncidentSigns, Sign } from './incident-signs.ts';
import { isCompound, wordsOf } from './words.ts';

export interface Overlap {
  /** 0..1 */
  readonly vocabulary: number;
  /** The rarest first. */
  readonly sharedWords: readonly string[];
}

/** For any of these diffs: how much of the incident's rare words it shares. */
export function compareWords(
  diffs: readonly ClassifiedDiff[],
  incident: IncidentSigns,
): (diff: ClassifiedDiff) => Overlap {
  const rarity = rarityOf(diffs, incident);
  const spoken = signWords(incident.signs);
  return (diff) => overlap(diff, spoken, rarity);
}

/** Each word with the weight of the heaviest sign that says it. */
function signWords(signs: readonly Sign[]): Map<string, number> {
  const spoken = new Map<string, number>();
  for (const sign of signs) {
    for (const word of wordsOf(`${sign.text} ${sign.service}`)) {
      spoken.set(word, Math.max(sign.weight, spoken.get(word) ?? 0));
    }
  }
  return spoken;
}

/** Inverse document frequency, over all diffs and over normal time (Spaerck Jones 1972), 0..1. */
function rarityOf(diffs: readonly ClassifiedDiff[], { normalTexts }: IncidentSigns): (word: string) => number {
  const inDiffs = countDocuments(diffs.map(({ words }) => [...words.keys()]));
  const inNormal = countDocuments(normalTexts.map((text) => [...wordsOf(text)]));
  const rare = (count: number, documents: number) =>
    Math.log((documents + 1) / (count + 0.5)) / Math.log(documents + 3);
  return (word) =>
    Math.max(0, rare(inDiffs.get(word) ?? 0, diffs.length)) / (1 + 0.5 * Math.min(4, inNormal.get(word) ?? 0));
}

function countDocuments(documents: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const words of documents) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** So many rare words in common are as good as it gets, in sum of weights. */
const ENOUGH_WORDS = 1.5;
const COMPOUND_WEIGHT = 1.5;
const MAX_SHARED = 6;

function overlap(
  { words }: ClassifiedDiff,
  spoken: ReadonlyMap<string, number>,
  rarity: (word: string) => number,
): Overlap {
  const shared = [...words].flatMap(([word, place]) => {
    const said = spoken.get(word);
    return said === undefined
      ? []
      : [{ word, worth: place * said * rarity(word) * (isCompound(word) ? COMPOUND_WEIGHT : 1) }];
  });
  shared.sort((left, right) => right.worth - left.worth || (left.word < right.word ? -1 : 1));
  const sum = shared.slice(0, 2 * MAX_SHARED).reduce((total, { worth }) => total + worth, 0);
  return {
    vocabulary: 1 - Math.exp(-sum / ENOUGH_WORDS),
    sharedWords: shared
      .filter(({ worth }) => worth > 0.1)
      .slice(0, MAX_SHARED)
      .map(({ word }) => word),
  };
}
