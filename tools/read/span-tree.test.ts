import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toSpanTree } from './span-tree.ts';

const span = (spanId: string, parentSpanId: string, durationMs = 1, spanKind = 'Internal') => ({
  spanId,
  parentSpanId,
  durationMs,
  spanKind,
});
const shape = (spans: readonly { spanId: string; depth: number }[]) =>
  spans.map(({ spanId, depth }) => `${depth}${spanId}`).join(' ');

test('puts children behind their parents and counts what each spent itself', () => {
  const tree = toSpanTree([
    span('a', '', 10),
    span('b', 'a', 4),
    span('c', 'a', 3),
    span('d', 'b', 9),
    span('e', 'a', 60, 'Consumer'),
  ]);
  expect(shape(tree)).toBe('0a 1b 2d 1c 1e');
  expect(tree.map(({ selfMs }) => selfMs)).toEqual([3, 0, 9, 3, 60]);
});

test('takes spans without their parent as roots', () => {
  expect(shape(toSpanTree([span('x', 'gone'), span('y', 'x')]))).toBe('0x 1y');
});

test('keeps every span once, whatever the parents say', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', '');
  const spans = fc.array(fc.tuple(id, id).map(([spanId, parentSpanId]) => span(spanId, parentSpanId)));
  fc.assert(
    fc.property(spans, (given) => {
      const tree = toSpanTree(given);
      expect(tree.map(({ spanId }) => spanId).sort()).toEqual(given.map(({ spanId }) => spanId).sort());
      expect(tree.every(({ selfMs, durationMs }) => selfMs >= 0 && selfMs <= durationMs)).toBe(true);
    }),
  );
});
