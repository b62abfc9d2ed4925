/** Foreign text leaves without anything that a terminal would obey, hide or be flooded by. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainBlock, plainCopy, plainJson, plainText } from './plain-text.ts';

const hostile: readonly [what: string, text: string, plain: string][] = [
  ['colours', '\u001b[31mred\u001b[0m', 'red'],
  ['cursor movement and erasing', 'a\u001b[2J\u001b[1;1Hb', 'ab'],
  ['private and intermediate bytes', 'a\u001b[?25l\u001b[0 qb', 'ab'],
  ['a window title that ends in BEL', 'a\u001b]0;owned\u0007b', 'ab'],
  ['a link that ends in ST', '\u001b]8;;http://evil\u001b\\text\u001b]8;;\u001b\\', 'text'],
  ['the clipboard', '\u001b]52;c;ZWNobyBwd25lZA==\u0007ok', 'ok'],
  ['a device string', 'a\u001bP1$r0m\u001b\\b', 'ab'],
  ['8-bit control sequences', 'a\u009b31mb\u009d0;t\u009cc', 'abc'],
  ['a string without an end', 'seen\u001b]0;unseen', 'seen'],
  ['an escape cut off', 'a\u001b', 'a'],
  ['an escape inside an escape', '\u001b\u001b[31m[31mx', '31mx'],
  ['character set switches', '\u001b(0qqq\u001b(B', 'qqq'],
  ['a terminal reset', 'a\u001bcb', 'ab'],
  ['overwriting by carriage return', 'rm -rf /\rls', 'rm -rf / ls'],
  ['overwriting by backspace', 'ab\b\bcd', 'abcd'],
  ['bidi overrides', 'pay\u202egnp.exe\u2066x\u2069', 'paygnp.exex'],
  ['zero width and tag characters', 'a\u200b\u200d\ufeffb\u{e0041}c', 'abc'],
  ['line and paragraph separators', 'a\u2028b\u2029c\u0085d', 'a b c d'],
  ['lone surrogates', 'a\ud800b', 'ab'],
  ['fillers', 'a\u3164\u2800b', 'a b'],
  ['piled marks', `e${'\u0301'.repeat(40)}`, `e${'\u0301'.repeat(2)}`],
  ['white space', '  a\t\n\n  b  ', 'a b'],
];

describe('plainText', () => {
  it.each(hostile)('removes %s', (_what, text, plain) => {
    expect(plainText(text)).toBe(plain);
  });

  it('leaves words of any language alone', () => {
    const text = 'Zahlung für Käufer 支付 платёж ✓ 🚀 «35 %»';
    expect(plainText(text)).toBe(text);
  });

  it('bounds length without cutting a character in two', () => {
    expect(plainText('x'.repeat(1_000_000), 10)).toBe('xxxxxxxxx…');
    const cut = plainText('🚀'.repeat(100), 10);
    expect(cut.isWellFormed()).toBe(true);
    expect(cut.length).toBeLessThanOrEqual(10);
  });

  it('is one bounded line of visible characters, whatever it is given', () => {
    const nasty = fc.constantFrom(
      '\u001b',
      '[',
      ']',
      'P',
      '\\',
      '\u009b',
      '\u009d',
      '\u0007',
      '\r',
      '\n',
      '\u202e',
      'm',
      '3',
      ';',
      '\ud83d',
      'ä',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(nasty).map((parts) => parts.join('')),
        ),
        (text) => {
          const plain = plainText(text, 40);
          expect(plain).not.toMatch(/\p{C}/u);
          expect(plain.length).toBeLessThanOrEqual(40);
          expect(plainText(plain, 40)).toBe(plain);
        },
      ),
    );
  });

  it('takes no longer for a megabyte of half escapes than for a short text', () => {
    const startedMs = performance.now();
    plainText('\u001b]'.repeat(500_000));
    plainText('\u001b[0'.repeat(500_000));
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

describe('plainBlock', () => {
  it('keeps lines and indentation, and nothing else that moves a cursor', () => {
    expect(plainBlock('SELECT 1,\r\n\t2\u001b[31m\n  FROM t  ')).toBe('SELECT 1,\n  2\n  FROM t');
  });
});

describe('plainCopy', () => {
  it('cleans every string and every key at any depth and keeps the rest', () => {
    const given = { 'a\u001b[1m': ['x\u0007', { b: 'y\u202e' }], n: 1, t: true, none: null };
    expect(plainCopy<unknown>(given)).toEqual({ a: ['x', { b: 'y' }], n: 1, t: true, none: null });
    expect(given).toHaveProperty(['a\u001b[1m']);
  });
});

describe('plainJson', () => {
  it('says the same as JSON, in characters that no terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = plainJson({ text });
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ text })));
        expect(json).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
    expect(plainJson('\u009b\u202e\u{e0041}')).toBe('"\\u009b\\u202e\\udb40\\udc41"');
  });
});
