/** What a setting is worth on cases that it was not chosen on: chosen on one half, scored on the other, over many splits. */

const SPLITS = 200;

/**
 * Mean score of the unseen halves. The splits are the same in every run.
 * @param settings for each setting that could be chosen, its value for each case; the sum over cases is what is maximised
 * @param score of some cases under one setting; left out of the mean where it is not a number
 */
export function crossValidate(
  settings: readonly (readonly number[])[],
  score: (setting: number, cases: readonly number[]) => number,
): number {
  const cases = (settings[0] ?? []).map((_, index) => index);
  const random = createRandom();
  let sum = 0;
  let counted = 0;
  for (let split = 0; split < SPLITS; split++) {
    const shuffled = shuffle(cases, random);
    const half = Math.floor(cases.length / 2);
    const chosen = bestSetting(settings, shuffled.slice(0, half));
    const unseen = score(chosen, shuffled.slice(half));
    if (Number.isNaN(unseen)) continue;
    sum += unseen;
    counted++;
  }
  return sum / counted;
}

function bestSetting(settings: readonly (readonly number[])[], cases: readonly number[]): number {
  const totals = settings.map((values) => cases.reduce((sum, index) => sum + (values[index] ?? 0), 0));
  return totals.indexOf(Math.max(...totals));
}

function shuffle(values: readonly number[], random: () => number): number[] {
  return values
    .map((value) => ({ value, key: random() }))
    .sort((left, right) => left.key - right.key)
    .map(({ value }) => value);
}

/** 0..1 (mulberry32), from the same seed each time. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
