import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wilsonInterval } from './wilson-interval.ts';

test('gives the textbook intervals', () => {
  const { low, high } = wilsonInterval(7, 13);
  expect([low, high].map((bound) => bound.toFixed(1))).toEqual(['29.1', '76.8']);
  expect(wilsonInterval(13, 13).low).toBeCloseTo(77.19, 1);
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 100 });
});

test('for any count: holds the share, stays inside 0..100, mirrors its complement', () => {
  const anyCount = fc
    .integer({ min: 1, max: 500 })
    .chain((count) => fc.tuple(fc.nat({ max: count }), fc.constant(count)));
  fc.assert(
    fc.property(anyCount, ([hits, count]) => {
      const { low, high } = wilsonInterval(hits, count);
      const share = (100 * hits) / count;
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(100);
      expect(low).toBeLessThanOrEqual(share);
      expect(high).toBeGreaterThanOrEqual(share);
      expect(wilsonInterval(count - hits, count).high).toBeCloseTo(100 - low, 9);
    }),
  );
});
