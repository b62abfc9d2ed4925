import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newRaiseState, raiseOnce } from './raise-once.ts';

const BAR = 7;
function raises(strengths: readonly number[]): number[] {
  const state = newRaiseState();
  return strengths.flatMap((strength, index) => (raiseOnce(state, strength, BAR) ? [index] : []));
}
const run = (count: number, strength: number) => new Array<number>(count).fill(strength);

test('one raise however long it lasts, and through a short calm', () => {
  expect(raises([0, ...run(300, 9)])).toEqual([1]);
  expect(raises([9, ...run(39, 0), 9])).toEqual([0]);
  expect(raises([9, ...run(40, 0), 9])).toEqual([0, 41]);
});

test('again when it gets worse by another bar', () => {
  expect(raises([8, 12, 15, 15.1, 20, 23])).toEqual([0, 3, 5]);
});

test('for any strengths: nothing below the bar is raised, the first above it is', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 40, noNaN: true }), { maxLength: 200 }), (strengths) => {
      const raised = raises(strengths);
      for (const index of raised) expect(strengths[index]).toBeGreaterThanOrEqual(BAR);
      const first = strengths.findIndex((strength) => strength >= BAR);
      expect(raised[0]).toBe(first < 0 ? undefined : first);
    }),
  );
});
