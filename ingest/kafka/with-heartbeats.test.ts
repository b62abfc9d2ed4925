import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { UnavailableError } from '../../platform/errors.ts';
import { withHeartbeats } from './with-heartbeats.ts';

const refusal = Object.assign(new Error('The group is rebalancing'), { type: 'REBALANCE_IN_PROGRESS' });
const refuse = () => Promise.reject(refusal);

/** A store that is away, waited for as long as one may. */
async function waitForStore(isWanted: () => boolean): Promise<never> {
  while (isWanted()) await delay(1);
  throw new UnavailableError('the store is away');
}

it('tells the group that was refused its time, not what the work met with, so that the client joins again', async () => {
  await expect(withHeartbeats(refuse, waitForStore, 1)).rejects.toBe(refusal);
});

it('hands on what the work found, and what it failed of', async () => {
  let beats = 0;
  const beat = async () => {
    beats++;
  };
  await expect(withHeartbeats(beat, () => delay(50, 'done'), 1)).resolves.toBe('done');
  expect(beats).toBeGreaterThan(1);
  const failing = () => Promise.reject(new UnavailableError('away'));
  await expect(withHeartbeats(beat, failing, 1)).rejects.toBeInstanceOf(UnavailableError);
});
