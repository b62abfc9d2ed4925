import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../platform/ids.ts';
import {
  compareQuery,
  createEvidence,
  digestRows,
  type ExecutedQuery,
  evidenceSchema,
  worstStatus,
} from './evidence.ts';

const query: ExecutedQuery = { sql: 'SELECT 1', parameters: { service: 'cart' }, rowCount: 1, digest: digestOf(1) };
const content = {
  tool: 'probe',
  input: { service: 'cart' },
  queries: [query],
  window: { startMs: 1, endMs: 2 },
  takenAtMs: 5,
  summary: 'one',
};

describe('createEvidence', () => {
  it('has one id for one observation, whoever makes it, when and how it is put', () => {
    const evidence = createEvidence(content);
    expect(evidenceSchema.parse(evidence)).toEqual(evidence);
    const again = createEvidence({ ...content, tool: 'other', takenAtMs: 6, summary: 'two', input: {} });
    expect(again.evidenceId).toBe(evidence.evidenceId);
  });

  it('has another id for another statement, parameter or answer', () => {
    const others = [
      { ...query, sql: 'SELECT 2' },
      { ...query, parameters: { service: 'checkout' } },
      { ...query, digest: digestOf(2) },
    ];
    const ids = [query, ...others].map((one) => createEvidence({ ...content, queries: [one] }).evidenceId);
    expect(new Set(ids).size).toBe(4);
  });
});

describe('digestRows', () => {
  const digest = (value: unknown) => digestRows([{ value }]);

  it.each([
    [0.1 + 0.2, 0.3],
    [3.0000000000000004, 3],
    [1_234_567_890_123.0002, 1_234_567_890_123], // a sum that happens to be whole in one run
    [-1_234_567_890_123.0002, -1_234_567_890_123],
    [12_345_678_901.5, 12_345_678_901.500002],
    [1e-20 * (1 + 1e-12), 1e-20],
    [-0, 0],
  ])('takes %d and %d for the same: their last bits depend on the order of threads', (left, right) => {
    expect(digest(left)).toBe(digest(right));
    expect(digest({ deep: [left] })).toBe(digest({ deep: [right] }));
  });

  it.each([
    [1, 2],
    [1_767_225_600_000, 1_767_225_600_001], // milliseconds of two instants
    [0.123456789, 0.12345678],
    [1e9, 1e9 + 1],
    [1.5, 1.6],
    [1, '1'],
    [null, 0],
    ['18446744073709551615', '18446744073709551614'],
  ])('tells %j from %j', (left, right) => {
    expect(digest(left)).not.toBe(digest(right));
  });

  it('does not depend on the order in which floats were added', () => {
    const numbers = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    let differing = 0;
    fc.assert(
      fc.property(numbers, (values) => {
        const [forth, back] = [sum(values), sum(values.toReversed())];
        if (digest(forth) !== digest(back)) differing++;
      }),
      { numRuns: 500 },
    );
    // Rounding has edges on which a sum may fall, one in some hundred thousand.
    expect(differing).toBeLessThanOrEqual(1);
  });

  it('depends on the rows and their order', () => {
    const [a, b] = [{ n: 1 }, { n: 2 }];
    expect(digestRows([a, b])).not.toBe(digestRows([b, a]));
    expect(digestRows([a])).not.toBe(digestRows([a, a]));
    expect(digestRows([])).not.toBe(digestRows([{}]));
    expect(digestRows([{ n: 1, m: 2 }])).toBe(digestRows([{ m: 2, n: 1 }]));
  });
});

describe('verification', () => {
  const answered = (rowCount: number, digest: string): ExecutedQuery => ({
    sql: 'SELECT 1',
    parameters: {},
    rowCount,
    digest,
  });

  it.each([
    ['holds', answered(2, 'a'), answered(2, 'a')],
    ['holds', answered(0, 'a'), answered(0, 'a')],
    ['drifted', answered(2, 'a'), answered(2, 'b')],
    ['drifted', answered(2, 'a'), answered(3, 'b')],
    ['drifted', answered(0, 'a'), answered(1, 'b')],
    ['gone', answered(2, 'a'), answered(0, 'b')],
  ])('%s', (status, before, after) => {
    expect(compareQuery(before, after)).toBe(status);
  });

  it('is as good as the worst of its queries', () => {
    expect(worstStatus([])).toBe('holds');
    expect(worstStatus(['holds', 'drifted', 'holds'])).toBe('drifted');
    expect(worstStatus(['drifted', 'gone', 'holds'])).toBe('gone');
  });
});
