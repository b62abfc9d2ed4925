/** Counts as chance gives them, the same for the same seed. */

/** Uniform in [0, 1): the multiplicative generator of Park and Miller. */
export function seededUniform(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Knuth's method, in parts of at most 30 so that nothing underflows. */
export function poisson(uniform: () => number, mean: number): number {
  let count = 0;
  for (let left = mean; left > 0; left -= 30) {
    const limit = Math.exp(-Math.min(30, left));
    for (let product = uniform(); product > limit; product *= uniform()) count += 1;
  }
  return count;
}
