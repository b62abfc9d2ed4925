import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDiff } from './parse-diff.ts';

const shape = (text: string, paths?: string[]) =>
  parseDiff(text, paths).map(({ path, kind, hunks }) => [
    path,
    kind,
    hunks.map(({ lines }) => lines.map(({ sign, text: line }) => `${sign}${line}`)),
  ]);

test('a diff as git prints it, with a new file and a removed line that looks like a heading', () => {
  const text = [
    'diff --git a/src/a.go b/src/a.go',
    'index 1..2 100644',
    '--- a/src/a.go',
    '+++ b/src/a.go',
    '@@ -1,3 +1,2 @@ func f() {',
    ' \tx()',
    '--- a comment in SQL',
    '+\ty()',
    '--- /dev/null',
    '+++ b/migrations/1.sql',
    '@@ -0,0 +1 @@',
    '+DROP TABLE t;',
  ].join('\n');
  expect(shape(text)).toEqual([
    ['src/a.go', 'code', [[' func f() {', ' \tx()', '--- a comment in SQL', '+\ty()']]],
    ['migrations/1.sql', 'migration', [['+DROP TABLE t;']]],
  ]);
});

test('hunks that name their file themselves, and none at all', () => {
  expect(shape('@@ conf/app.yaml @@\n-  ttl: 15m\n+  ttl: 15s')).toEqual([
    ['conf/app.yaml', 'config', [['-  ttl: 15m', '+  ttl: 15s']]],
  ]);
  expect(shape('@@ src/a.ts: function f() {\n+x')).toEqual([['src/a.ts', 'code', [[' function f() {', '+x']]]]);
  expect(shape('@@ func Page(items []T) {\n+x', ['go.sum', 'pkg/page.go'])).toEqual([
    ['pkg/page.go', 'code', [[' func Page(items []T) {', '+x']]],
  ]);
  expect(shape('')).toEqual([]);
  expect(shape('no diff at all')).toEqual([]);
});

test('any text is taken, and every changed line comes out once', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), (text) => {
      const lines = parseDiff(text).flatMap(({ hunks }) => hunks.flatMap((hunk) => hunk.lines));
      expect(lines.filter(({ sign }) => sign !== ' ').length).toBeLessThanOrEqual(text.split('\n').length);
    }),
  );
});
