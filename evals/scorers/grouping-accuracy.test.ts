import { expect, test } from 'vitest';
import { InvariantError } from '../../platform/errors.ts';
import { groupingAccuracy } from './grouping-accuracy.ts';

test.each([
  ['the same groups under other names', 'x x y', 'a a b', 1],
  ['one line too many costs both groups', 'x x x y', 'a a b c', 0.25],
  ['a group that is split is wrong as a whole', 'x y z', 'a a b', 1 / 3],
  ['groups that swap lines are wrong', 'x y x y', 'a a b b', 0],
])('%s', (_, predicted, truth, accuracy) => {
  expect(groupingAccuracy(predicted.split(' '), truth.split(' '))).toBeCloseTo(accuracy);
});

test('a prediction for other lines is a mistake of ours', () => {
  expect(() => groupingAccuracy(['x'], ['a', 'b'])).toThrow(InvariantError);
});
