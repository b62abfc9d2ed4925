import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tokenizeLine } from './tokenize-line.ts';
import { VARIABLE } from './word-kinds.ts';

test.each([
  ['order 17 placed for user-42', 'order <*> placed for <*>'],
  ['2026-03-04T10:00:00.123Z started', '<*> started'],
  ['2026-03-04 10:00:00,123 [worker-3] done in 12.5 ms', '<*> [<*>] done in <*>'],
  ['started Wed Jun 22 13:16:30 UTC 2005 by root', 'started <*> by root'],
  ['lifetime <1 sec', 'lifetime <*>'],
  ['lifetime 00:01', 'lifetime <*>'],
  ['id 550e8400-e29b-41d4-a716-446655440000 and deadbeefcafe', 'id <*> and <*>'],
  ['card 00:0B:3F:aa:be:ef at fe80::1:2:3', 'card <*> at <*>'],
  ['dial tcp 10.0.3.17:8080: connection refused', 'dial tcp <*>:<*>: connection refused'],
  ['dial tcp payments:8080: connection refused', 'dial tcp payments:<*>: connection refused'],
  ['sent to 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80', 'sent to <*>:<*>'],
  ['deleted blk_1, blk_2 blk_-3', 'deleted <*>'],
  ['GET http://payments:8080/charge/99?token=abc&user=x failed', 'GET http://payments:<*>/charge/<*><*> failed'],
  ['GET /orders/17/lines?page=2&size=5 took 5ms', 'GET /orders/<*>/lines<*> took <*>'],
  ['10.0.0.1 - - "GET /" 200 -', '<*> "GET /" <*>'],
  ['\u001b[31mERROR\u001b[0m no route', 'ERROR no route'],
  ['OrderService#451 [create] saved', 'OrderService#451 [create] saved'],
  ['File "app/orders.py:12", in place', 'File "app/orders.py:12", in place'],
  ['exception enable......1', 'exception enable..<*>'],
  ['r1=5 enabled=true user=bob', 'r1=<*> enabled=<*> user=bob'],
  ['synchronized to LOCAL(0), stratum 10', 'synchronized to <*>, stratum <*>'],
  ['a   b\t c ', 'a b c'],
  ['ünïcode ✓ 5', 'ünïcode ✓ <*>'],
  ['', ''],
])('%j becomes %j', (line, template) => {
  expect(tokenizeLine(line).join('')).toBe(template);
});

test('what differs in variables alone has the same tokens', () => {
  const line = (id: string, host: string, count: number) =>
    `${host}:50010 sent ${id} to /${host}:${count} (${count} bytes)`;
  expect(tokenizeLine(line('blk_-17', '10.0.0.1', 3))).toEqual(
    tokenizeLine(line('blk_99', 'dn17.example.com', 48_000)),
  );
});

test('no token holds half a character, where the prefix cuts one in two or the line has it', () => {
  for (const line of [`${'x'.repeat(1_999)}😀`, 'half \ud800 of one']) {
    expect(tokenizeLine(line).filter((token) => !token.isWellFormed())).toEqual([]);
  }
});

/** Made of what the scanner looks for, so that every rule meets every other. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(...' \t\n:;,.-=()[]{}<>"\'|`/\\#?*@+_%$\u001b\u00a0\u2028\ud800'),
      fc.constantFrom(
        '..',
        '://',
        '?a=',
        '\u001b[',
        'Jun',
        'Wed',
        'ms',
        'true',
        'a.py:',
        'A(',
        'ab:',
        '0x',
        '<*>',
        '\u0001',
      ),
      fc.string({ maxLength: 5 }),
      fc.nat().map(String),
    ),
    { maxLength: 200 },
  )
  .map((parts) => parts.join(''));

test('words and separators take turns, whatever the line is, and nothing but a variable is made up', () => {
  fc.assert(
    fc.property(nasty, (line) => {
      const tokens = tokenizeLine(line);
      const isPlain = !line.includes('\u001b');
      expect(tokens.every((token) => token.length <= 2_010)).toBe(true);
      expect(tokens.length % 2).toBe(tokens.length === 1 ? 1 : 0);
      for (const word of tokens.filter((_, place) => place % 2 === 0)) {
        for (const part of isPlain ? word.split(VARIABLE) : []) expect(line.toWellFormed()).toContain(part);
      }
    }),
    { numRuns: 500 },
  );
});

test('a line is read to a limit', () => {
  for (const unit of [
    'word ',
    '1:',
    'a=',
    '?a=',
    'A(1',
    '<1 ',
    '\u001b[',
    '[',
    '/x',
    'ab:',
    '....',
    'Jun ',
    '\ud83d\ude00',
  ]) {
    const tokens = tokenizeLine(unit.repeat(1_000_000));
    expect(tokens.length).toBeLessThan(220);
    expect(tokens).toEqual(tokenizeLine(unit.repeat(3_000)));
  }
});
