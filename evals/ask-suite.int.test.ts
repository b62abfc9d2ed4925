/** One story of the ask suite, end to end; `inquest eval run ask` asks all of them. */
import { expect, it } from 'vitest';
import { askSuite } from './ask-suite.ts';

it('answers what is asked of a story, with figures that are what was sent', { timeout: 180_000 }, async () => {
  const options = { only: 'tenant', data: [], without: new Set<never>(), note: () => undefined };
  const graded = await askSuite.predict({ ...options, signal: AbortSignal.timeout(170_000) });
  const known = graded.filter(({ set }) => set === 'known');
  expect(known.length).toBeGreaterThanOrEqual(10);
  expect(known.filter(({ problems }) => problems.length > 0)).toEqual([]);
});
