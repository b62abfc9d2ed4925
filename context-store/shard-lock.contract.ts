/** What every shard lock must do. */
import { describe, expect, it } from 'vitest';
import type { ShardLock } from './shard-lock.ts';

/** @param open two locks as two processes would have them */
export function describeShardLock(name: string, open: () => Promise<readonly [ShardLock, ShardLock]>): void {
  const signal = new AbortController().signal;
  describe(name, () => {
    it('lets one at a time work on a shard', async () => {
      const [one, other] = await open();
      const { promise: over, resolve: end } = Promise.withResolvers<string>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const work = () => {
        begin();
        return over;
      };
      const first = one.runExclusively('shard', work, signal);
      await begun;
      expect(await other.runExclusively('shard', async () => 'too', signal)).toBeUndefined();
      expect(await other.runExclusively('another', async () => 'free', signal)).toBe('free');
      end('done');
      expect(await first).toBe('done');
      expect(await other.runExclusively('shard', async () => 'next', signal)).toBe('next');
    });

    it('gives everyone who has a shard a greater token than those before', async () => {
      const [one, other] = await open();
      const tokenOf = (lock: ShardLock) => lock.runExclusively('tokens', async (_, token) => token, signal);
      const tokens = [await tokenOf(one), await tokenOf(other), await tokenOf(one)];
      const numbers = tokens.map((token) => token ?? Number.NaN);
      expect(new Set(numbers).size).toBe(3);
      expect(numbers).toEqual(numbers.toSorted((left, right) => left - right));
    });

    it('gives a token past the greatest that the caller knows of', async () => {
      const [one, other] = await open();
      const ahead = 2 ** 52;
      const tokenOf = (lock: ShardLock, floor?: number) =>
        lock.runExclusively('floor', async (_, token) => token, signal, floor);
      expect(await tokenOf(one, ahead)).toBe(ahead + 1);
      expect(await tokenOf(other)).toBe(ahead + 2);
    });

    it('lets go when the work fails', async () => {
      const [one, other] = await open();
      const failing = one.runExclusively('shard', () => Promise.reject(new RangeError('no')), signal);
      await expect(failing).rejects.toThrow(RangeError);
      expect(await other.runExclusively('shard', async () => 'next', signal)).toBe('next');
    });
  });
}
