/**
 * What a supervisor writes under, so that nothing that one writes which was replaced, frozen or cut off, and did not notice, ever
 * stands over what its successor writes: versions that begin at the token of its shard, which is greater for each that follows.
 */
export interface Fence {
  /** See context-store/shard-lock.ts; microseconds of a clock, or more. */
  readonly token: number;
  /** For rows that replace each other; each is greater than those before. */
  nextVersion(): number;
}

export function createFence(token: number): Fence {
  let last = token;
  return {
    token,
    nextVersion: () => {
      last += 1;
      return last;
    },
  };
}
