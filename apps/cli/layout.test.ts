/** What is laid out for a width never exceeds it, in any script, and loses no word on the way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, cell, cut, hangingText, table, textWidth, wrapText } from './layout.ts';

const text = fc
  .array(
    fc.constantFrom(
      'payment',
      'a',
      'checkout-service-with-a-long-name',
      '支付服务',
      '🚀🚀',
      'é\u0301',
      '[ev_0a1b2c3d4e5f]',
    ),
  )
  .map((words) => words.join(' '));
const width = fc.integer({ min: 4, max: 60 });

describe('layout', () => {
  it('counts terminal columns, not characters', () => {
    expect([textWidth('abc'), textWidth('支付'), textWidth('🚀'), textWidth('e\u0301')]).toEqual([3, 4, 2, 1]);
  });

  it('cuts and pads to exactly the columns asked for', () => {
    fc.assert(
      fc.property(text, width, (given, columns) => {
        expect(textWidth(cut(given, columns))).toBeLessThanOrEqual(columns);
        expect(textWidth(cell(given, columns))).toBe(columns);
      }),
    );
    expect(cell('12', 5, 'start')).toBe('   12');
    expect(cut('payment', 4)).toBe('pay…');
  });

  it('wraps into lines that fit and together say the same', () => {
    fc.assert(
      fc.property(text, width, (given, columns) => {
        const lines = wrapText(given, columns);
        expect(Math.max(0, ...lines.map(textWidth))).toBeLessThanOrEqual(columns);
        expect(lines.join('').replace(/\s/g, '')).toBe(given.replace(/\s/g, ''));
      }),
    );
  });

  it('hangs text behind its label', () => {
    expect(hangingText('undo', 'deploy the old version again', { indent: 2, labelWidth: 6, width: 26 })).toEqual([
      '  undo    deploy the old',
      '          version again',
    ]);
  });

  it('draws a ratio', () => {
    expect([bar(0, 4), bar(0.5, 4), bar(1, 4), bar(7, 4)]).toEqual(['░░░░', '██░░', '████', '████']);
  });
});

describe('a table', () => {
  const columns = [
    { heading: 'service', minWidth: 6 },
    { heading: 'score', align: 'right' as const },
    { heading: 'remark', minWidth: 4 },
  ];
  const rows = [
    ['checkout-service', '0.84', 'a long remark'],
    ['cart', '0.2', ''],
  ];

  it('takes the width that it needs', () => {
    expect(table(columns, rows, 80)).toEqual([
      'service           score  remark',
      'checkout-service   0.84  a long remark',
      'cart                0.2',
    ]);
  });

  it('first shrinks what may shrink, then drops columns from the right, and always fits', () => {
    expect(table(columns, rows, 24)[1]).toBe('checko…   0.84  a long …');
    expect(table(columns, rows, 14)[0]).toBe('service  score');
    for (let available = 1; available < 50; available++) {
      const lines = table(columns, rows, available);
      expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(available);
    }
  });
});
