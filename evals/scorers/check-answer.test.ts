import { describe, expect, it } from 'vitest';
import type { Answer } from '../../domain/answer.ts';
import type { Expectation } from '../ask/ask-question.ts';
import { checkAnswer } from './check-answer.ts';

const NOW_MS = Date.UTC(2026, 2, 4, 11, 5);
const VOCABULARY = ['web', 'cart', 'cart-cache', 'order'];

function answer(text: string, more: Partial<Answer> = {}): Answer {
  return {
    ...{
      kind: 'answered',
      by: 'grammar',
      text,
      understood: '',
      tables: [],
      evidenceIds: [],
      notes: [],
      suggestions: [],
    },
    ...more,
  };
}

const problemsOf = (given: Answer, ...expectations: Expectation[]) =>
  checkAnswer(given, expectations, { vocabulary: VOCABULARY, question: 'is order slow?', nowMs: NOW_MS });
const number = (value: number, quantity: 'count' | 'ratio' | 'duration' | 'perSecond', of?: string): Expectation => ({
  ...{ kind: 'number', value, quantity },
  ...(of === undefined ? {} : { of }),
});

describe('what is right is right in any unit', () => {
  it.each([
    ['p95 247 ms', number(247, 'duration')],
    ['it took 0.25 s', number(247, 'duration')],
    ['1,204 requests', number(1204, 'count')],
    ['38.7% failed', number(0.3868, 'ratio')],
    ['a ratio of 0.387', number(0.3868, 'ratio')],
    ['3.7/s', number(3.72, 'perSecond')],
    ['2.1/min', number(0.035, 'perSecond')],
    ['cart-cache is slow; cart waits', { kind: 'first', name: 'cart-cache' }],
    ['order waits for cart', { kind: 'first', name: 'cart' }],
    ['Connection REFUSED by web', { kind: 'says', all: ['connection refused', 'web'] }],
  ] as [string, Expectation][])('%s', (text, expectation) => expect(problemsOf(answer(text), expectation)).toEqual([]));
});

describe('what is wrong is wrong', () => {
  it.each([
    ['p95 147 ms', number(247, 'duration')],
    ['247 requests', number(247, 'duration')],
    ['247 ms', number(247, 'count')],
    ['since 11:00', number(11, 'count')],
    ['no figure', number(0, 'count')],
    ['cart waits for cart-cache', { kind: 'first', name: 'cart-cache' }],
    ['nobody', { kind: 'first', name: 'cart' }],
    ['web refused', { kind: 'says', all: ['connection refused'] }],
    ['web and cart', { kind: 'says', all: ['web'], none: ['cart'] }],
    ['web', { kind: 'saysOne', of: ['cart', 'order'] }],
    ['web is fine', { kind: 'empty' }],
    ['web is fine', { kind: 'declines' }],
  ] as [string, Expectation][])('%s', (text, expectation) =>
    expect(problemsOf(answer(text), expectation)).toHaveLength(1),
  );

  it('also when it is about another time, or there is no answer at all', () => {
    const wanted: Expectation = { kind: 'window', startMs: NOW_MS - 600_000, endMs: NOW_MS };
    const window = { startMs: NOW_MS - 600_000, endMs: NOW_MS };
    expect(problemsOf(answer('x', { window }), wanted)).toEqual([]);
    expect(problemsOf(answer('x', { window: { ...window, startMs: 0 } }), wanted)).toHaveLength(1);
    expect(problemsOf(answer('247 ms', { kind: 'empty' }), number(247, 'duration'))).toEqual(['is empty']);
  });

  it('a figure in another row than its name', () => {
    const table = {
      columns: [
        { heading: 'service', quantity: 'text' as const },
        { heading: 'errors', quantity: 'count' as const },
      ],
      rows: [
        ['web', 3],
        ['cart', 70],
      ],
      totalRows: 2,
    };
    expect(problemsOf(answer('2 services', { tables: [table] }), number(70, 'count', 'cart'))).toEqual([]);
    expect(problemsOf(answer('2 services', { tables: [table] }), number(70, 'count', 'web'))).toHaveLength(1);
    expect(problemsOf(answer('2 services', { tables: [table] }), number(70, 'count'))).toHaveLength(1);
  });
});
