import { describe, expect, test } from 'vitest';
import { classifyDiff } from './classify-diff.ts';
import { diffOf } from './incident.fixture.ts';
import { parseDiff } from './parse-diff.ts';
import { quantitiesOf } from './quantities.ts';

const classify = (path: string, body: string) => classifyDiff(parseDiff(diffOf(path, body)));

test.each([
  ['ctx, cancel := context.WithTimeout(ctx, 5*time.Second)', [5_000]],
  ['default_ttl: 15m', [900_000]],
  ['Duration.ofSeconds(30)', [30_000]],
  ['time.Minute', [60_000]],
  ['memory: 512Mi', [536_870_912]],
  ['cpu: 250m', [0.25]],
  ['java -Xmx2g', [2e9]],
  ['TIMEOUT_MS = 5_000', [5_000]],
  ['github.com/lib/x v1.27.0', []],
  ['http2 on x86', []],
])('amounts in %s', (line, values) => {
  expect(quantitiesOf(line).map(({ value }) => value)).toEqual(values);
});

describe('what changes nothing that runs', () => {
  test.each([
    ['docs', 'docs/pool.md', '-The timeout is 5s.\n+The timeout is 1s.', 0.05],
    ['tests', 'src/pool_test.go', '-\tpool.SetMax(50)\n+\tpool.SetMax(1)', 0.05],
    ['colours', 'web/theme.ts', '-  accent: "#fff"\n+  accent: "#000"', 0.05],
    ['comments', 'src/pool.go', '-// timeout of 5s\n+// timeout of 1s', 0],
    ['another order', 'src/pool.go', '-\t"os"\n-\t"bufio"\n+\t"bufio"\n+\t"os"', 0.1],
    [
      'moved into a function',
      'src/pool.go',
      '-\tx := open(path)\n-\treturn x\n+}\n+\n+\tx := open(path)\n+\treturn x',
      0.1,
    ],
  ])('%s', (_, path, body, potency) => {
    expect(classify(path, body).potency).toBeLessThanOrEqual(potency);
  });
});

describe('classes', () => {
  test.each([
    [
      'a limit with another name in front',
      'a.go',
      '-\tctx, c := context.WithTimeout(ctx, 5*time.Second)\n+\tcallCtx, c := context.WithTimeout(ctx, 300*time.Millisecond)',
      'timeout-lowered',
    ],
    ['the log level', 'log.yaml', ' logging:\n-  level: info\n+  level: debug', 'log-level-lowered'],
    ['a tag of a field', 'a.go', '-\tMeta string `json:"meta"`\n+\tMetadata string `json:"metadata"`', 'name-changed'],
    ['a lock', 'a.go', '-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()\n \tl.counts[id]++', 'lock-removed'],
    ['a condition', 'a.go', '-\tif left < limit {\n+\tif left <= limit {', 'condition-changed'],
    ['a flag', 'a.yaml', '-  strict: false\n+  strict: true', 'switch-flipped'],
    ['a table', 'a.py', '+rows = db.execute("SELECT id FROM favourites WHERE uid = :u")', 'relation-used'],
  ])('%s', (_, path, body, name) => {
    expect(classify(path, body).classes[0]?.name).toBe(name);
  });

  test('a guard that is written otherwise is not lost', () => {
    const body =
      '-\tif lat < -90 || lat > 90 {\n-\t\treturn out("lat", lat)\n-\t}\n+\tif err := check("lat", lat, -90, 90); err != nil {\n+\t\treturn err\n+\t}';
    expect(classify('a.go', body).classes.filter(({ strength }) => strength > 0.3)).toEqual([]);
  });

  test('a table that the same commit creates is no risk', () => {
    const body = '+CREATE TABLE favourites (id int);\n+INSERT INTO favourites SELECT id FROM favourites;';
    expect(classify('db/migrations/1.sql', body).classes.map(({ name }) => name)).not.toContain('relation-used');
  });
});
