import { describe, expect, it } from 'vitest';
import { InputError, UnavailableError } from './errors.ts';
import { retry } from './retry.ts';

const quick = { attempts: 4, baseDelayMs: 0, maxDelayMs: 0 };

/** Work that fails with these, one a call, and then succeeds. */
function failing(...errors: readonly unknown[]) {
  let calls = 0;
  const work = async () => {
    const error = errors[calls++];
    if (error !== undefined) throw error;
    return 'done';
  };
  return { work, calls: () => calls };
}

describe('retry', () => {
  it('goes on while errors are retryable', async () => {
    const { work, calls } = failing(new UnavailableError('1'), new UnavailableError('2'));
    expect(await retry(work, quick)).toBe('done');
    expect(calls()).toBe(3);
  });

  it('gives up after its attempts, with the last error', async () => {
    const errors = Array.from({ length: 9 }, (_, index) => new UnavailableError(String(index)));
    const { work, calls } = failing(...errors);
    await expect(retry(work, quick)).rejects.toBe(errors[3]);
    expect(calls()).toBe(4);
  });

  it.each([
    ['an error that a retry cannot cure', new InputError('bad')],
    ['a stranger', new TypeError('strange')],
    ['no error at all', 'text'],
  ])('gives up at once on %s', async (_, error) => {
    const { work, calls } = failing(error);
    await expect(retry(work, quick)).rejects.toBe(error);
    expect(calls()).toBe(1);
  });

  it('stops waiting when its signal is aborted', async () => {
    const stopping = new AbortController();
    const work = async () => {
      stopping.abort(); // before the pause, which would last an hour
      throw new UnavailableError('away');
    };
    const patience = { attempts: 9, baseDelayMs: 3_600_000, maxDelayMs: 3_600_000, signal: stopping.signal };
    await expect(retry(work, patience)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
