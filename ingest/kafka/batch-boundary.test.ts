import { expect, test } from 'vitest';
import { batchToken, drawBoundary, readBoundary, recordBoundary } from './batch-boundary.ts';

test('a boundary is read as it was recorded, and names the same insert', () => {
  const boundary = drawBoundary(7n, 2n ** 62n);
  const again = readBoundary(7n, recordBoundary(boundary));
  expect(again).toEqual(boundary);
  expect(again && batchToken('otlp_spans', 3, again)).toBe(batchToken('otlp_spans', 3, boundary));
});

test('the same offsets of a topic that was made anew are another batch', () => {
  expect(batchToken('otlp_spans', 0, drawBoundary(0n, 9n))).not.toBe(batchToken('otlp_spans', 0, drawBoundary(0n, 9n)));
});

test.each([
  ['nothing is committed', -1n, recordBoundary(drawBoundary(0n, 9n))],
  ['no batch was begun', 5n, ''],
  ['no metadata', 5n, null],
  ['somebody else wrote it', 5n, 'NONE'],
  ['another shape', 5n, '{"batchEnd":9}'],
  ['an end before the beginning', 5n, recordBoundary(drawBoundary(0n, 4n))],
])('no boundary: %s', (_, committed, metadata) => {
  expect(readBoundary(committed, metadata)).toBeUndefined();
});
