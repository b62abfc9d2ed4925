import { expect, test } from 'vitest';
import { UnavailableError } from '../platform/errors.ts';
import { endsInTime, unlessAborted } from './ends-in-time.ts';

const { signal } = new AbortController();
const never = new Promise<never>(() => undefined);

test('hands through what the work comes to', async () => {
  const limit = { what: 'The work', limitMs: 60_000, graceMs: 0, signal };
  await expect(endsInTime(limit, async () => 7)).resolves.toBe(7);
  await expect(endsInTime(limit, async () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
});

test('tells the work to stop at its limit, and waits for its cleaning up', async () => {
  let isClean = false;
  const work = async (stop: AbortSignal) => {
    try {
      await unlessAborted(never, stop);
    } finally {
      isClean = true;
    }
  };
  const ended = endsInTime({ what: 'The case x', limitMs: 5, graceMs: 60_000, signal }, work);
  await expect(ended).rejects.toThrow('The case x did not end after 0.005 s.');
  await expect(ended).rejects.toThrow(UnavailableError);
  expect(isClean).toBe(true);
});

test('ends also when the work heeds nothing', async () => {
  const ended = endsInTime({ what: 'The case x', limitMs: 1, graceMs: 1, signal }, () => never);
  await expect(ended).rejects.toThrow('nor stop');
});

test('a caller who gives up is heard at once', async () => {
  const controller = new AbortController();
  const limit = { what: 'The work', limitMs: 60_000, graceMs: 0, signal: controller.signal };
  const ended = endsInTime(limit, (stop) => unlessAborted(never, stop));
  controller.abort(new RangeError('enough'));
  await expect(ended).rejects.toThrow('enough');
  await expect(unlessAborted(never, controller.signal)).rejects.toThrow('enough');
});
