/** Turns come one after the other, whatever becomes of them, until they are ended. */
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { startRepeating } from './start-repeating.ts';

const COMMON = { pauseMs: 1, failure: 'it failed', logger: silentLogger };

describe('startRepeating', () => {
  it('goes on after a turn that failed', async () => {
    const third = Promise.withResolvers<void>();
    let turns = 0;
    const turn = async () => {
      turns++;
      if (turns === 3) third.resolve();
      throw new UnavailableError('away');
    };
    const stop = startRepeating({ ...COMMON, turn });
    await third.promise;
    await stop();
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  it('begins at once, and aborts and awaits the turn that is under way when it ends', async () => {
    const ended: string[] = [];
    const turn = (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          ended.push('turn');
          resolve();
        });
      });
    const stop = startRepeating({ ...COMMON, turn });
    await stop();
    expect(ended).toEqual(['turn']);
  });

  it('takes no turn when it ends in its first pause', async () => {
    let turns = 0;
    const turn = async () => {
      turns++;
    };
    const stop = startRepeating({ ...COMMON, turn, firstPauseMs: 3_600_000 });
    await stop();
    expect(turns).toBe(0);
  });
});
