/** Streams: the same name gives the same numbers, whatever else was drawn; the distributions are what they are called. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from './random-stream.ts';

function draw(stream: RandomStream, count: number): number[] {
  return Array.from({ length: count }, () => stream.next());
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

describe('RandomStream', () => {
  it('forks by name, not by turn', () => {
    fc.assert(
      fc.property(fc.nat(), fc.oneof(fc.nat(), fc.string()), fc.nat({ max: 20 }), (seed, label, drawn) => {
        const fresh = RandomStream.fromSeed(seed).fork(label);
        const used = RandomStream.fromSeed(seed);
        draw(used, drawn);
        expect(draw(used.fork(label), 5)).toEqual(draw(fresh, 5));
        expect(used.fork(label).id128()).toMatch(/^[0-9a-f]{32}$/);
        expect(used.fork(label).id128().startsWith(fresh.id64())).toBe(true);
      }),
    );
  });

  it('names a hundred thousand neighbours apart', () => {
    const root = RandomStream.fromSeed(1);
    const ids = new Set(
      Array.from({ length: 100_000 }, (_, index) =>
        root
          .fork(index >> 8)
          .fork(index & 255)
          .id64(),
      ),
    );
    expect(ids.size).toBe(100_000);
  });

  it('is uniform, normal and Poisson to within sampling error', () => {
    const stream = RandomStream.fromSeed(3);
    const uniform = draw(stream, 20_000);
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.01);
    const normal = Array.from({ length: 20_000 }, () => stream.normal());
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(Math.abs(mean(normal.map((value) => value * value)) - 1)).toBeLessThan(0.05);
    for (const rate of [0.3, 7, 200]) {
      const counts = Array.from({ length: 5_000 }, () => stream.poisson(rate));
      expect(Math.abs(mean(counts) - rate)).toBeLessThan(5 * Math.sqrt(rate / 5_000));
    }
  });

  it('first draws of neighbouring streams do not follow each other', () => {
    const root = RandomStream.fromSeed(11);
    const firsts = Array.from({ length: 20_000 }, (_, index) => root.fork(index).next() - 0.5);
    const products = firsts.slice(1).map((value, index) => value * (firsts[index] ?? 0));
    expect(Math.abs(mean(products) * 12)).toBeLessThan(0.03);
  });
});
