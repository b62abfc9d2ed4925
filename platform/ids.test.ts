import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, contentId, digestOf, newId } from './ids.ts';

describe('newId', () => {
  it('sorts by time, to the millisecond', () => {
    const times = fc.tuple(fc.nat({ max: 2 ** 45 }), fc.integer({ min: 1, max: 2 ** 40 }));
    fc.assert(
      fc.property(times, ([earlierMs, byMs]) => {
        expect(newId('inc', earlierMs) < newId('inc', earlierMs + byMs)).toBe(true);
      }),
    );
  });

  it('is another one each time, of one shape', () => {
    const ids = Array.from({ length: 1_000 }, () => newId('inc', 1_767_225_600_000));
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^inc_[0-9a-hjkmnp-tv-z]{17}$/);
  });
});

/** Anything that JSON.stringify takes. */
const jsonable = fc.anything({ withDate: true, withNullPrototype: true, withSparseArray: true });
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
};

describe('canonicalJson', () => {
  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('is the same after a round trip through JSON, so that what was sealed stays so when it is stored', () => {
    fc.assert(
      fc.property(jsonable, (value) => {
        const text = JSON.stringify(value);
        fc.pre(text !== undefined);
        expect(canonicalJson(JSON.parse(text))).toBe(canonicalJson(value));
      }),
    );
  });

  it('is equal for equal values only', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const areEqual = isDeepStrictEqual(JSON.parse(JSON.stringify(left)), JSON.parse(JSON.stringify(right)));
        expect(canonicalJson(left) === canonicalJson(right)).toBe(areEqual);
      }),
    );
    const pairs = [
      [1, '1'],
      [null, 'null'],
      [[], {}],
      [
        [1, [2]],
        [[1], 2],
      ],
      [{ a: 1 }, { b: 1 }],
      [{ a: null }, {}],
      [new Date(0), new Date(1)],
    ];
    for (const [left, right] of pairs) expect(canonicalJson(left)).not.toBe(canonicalJson(right));
  });

  it('leaves out what JSON leaves out', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, () => 1], c: () => 1, d: Symbol('x'), e: Number.NaN })).toBe(
      '{"a":[null,null],"e":null}',
    );
    expect(canonicalJson(undefined)).toBe('null');
  });
});

describe('digests', () => {
  it('are SHA-256 of the canonical text', () => {
    const digest = '63e8063d9dc6f0fd5a24b4706818a165fd57c3531b74466cf5dea62bff09b0b6'; // of {"a":1,"b":[true,"x"]}
    expect(digestOf({ b: [true, 'x'], a: 1 })).toBe(digest);
  });

  it('make ids of content', () => {
    expect(contentId('ev', { a: 1, b: 2 })).toBe(contentId('ev', { b: 2, a: 1 }));
    expect(contentId('ev', { a: 1 })).toMatch(/^ev_[0-9a-f]{12}$/);
    expect(contentId('ev', { a: 1 })).not.toBe(contentId('ev', { a: 2 }));
  });
});
