import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logTemplatesSuite } from './log-templates-suite.ts';
import { runSuite } from './run-suite.ts';
import { SUITES } from './suites.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'inquest-templates-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const LINES = ['10:00:01 INFO took 3 ms', '10:00:02 WARN gone', '10:00:03 INFO took 12 s', ''];

function writeSystem(name: string, truth?: string): void {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, `${name}_2k.log`), LINES.join('\r\n'));
  if (truth) writeFileSync(join(root, name, `${name}_2k.log_structured.csv`), truth);
}
const data = () => ({
  name: 'made-up',
  partDir: root,
  commonDir: undefined,
  labelsPath: undefined,
  remove: async () => {},
});

test('each file is grouped by itself, and scored where the truth is beside it', () => {
  writeSystem('Two', 'LineId,Content,EventId\n1,"took ""3"", ms",E1\n2,gone,E2\n3,took 12 s,E1\n');
  writeSystem('One');
  const predictions = logTemplatesSuite.predict(data(), '');
  expect(predictions.map(({ system }) => system)).toEqual(['One', 'Two']);
  const [first, second, third] = predictions[0]?.groups ?? [];
  expect([first, second, third, predictions[0]?.groups.length]).toEqual([first, second, first, 3]);
  expect(predictions[1]?.groups).toEqual(predictions[0]?.groups);
  const scored = logTemplatesSuite.score(data(), predictions);
  expect(scored?.score).toEqual({ meanAccuracy: 1, systems: [{ system: 'Two', accuracy: 1, groups: 2, events: 2 }] });
  expect(scored?.text).toContain('mean');
});

test('without any truth there are predictions only; one file alone can be asked for', () => {
  writeSystem('One');
  writeSystem('Two');
  const predictions = logTemplatesSuite.predict(data(), 'Tw');
  expect(predictions.map(({ system }) => system)).toEqual(['Two']);
  expect(logTemplatesSuite.score(data(), predictions)).toBeUndefined();
});

const [SUITE = ''] = Object.entries(SUITES).flatMap(([name, { source }]) => (source === 'files' ? [name] : []));
const dataDir = fileURLToPath(new URL(`../../shared/datasets/${SUITE}`, import.meta.url));

test.skipIf(!existsSync(dataDir))(
  'known systems: a mean grouping accuracy of .99, one JSON line a system',
  async () => {
    const predictionsPath = join(root, 'predictions.jsonl');
    const { signal } = new AbortController();
    const report = await runSuite({
      suite: SUITE,
      dataDirs: [dataDir],
      part: 'dev',
      predictionsPath,
      signal,
      onCase: () => {},
    });
    expect(report.score).toMatchObject({ meanAccuracy: expect.toSatisfy((mean: number) => mean >= 0.99) });
    const lines = readFileSync(predictionsPath, 'utf8').trimEnd().split('\n');
    const predictions = lines.map((line) => JSON.parse(line) as { system: string; groups: string[] });
    expect(predictions).toHaveLength(9);
    for (const { groups } of predictions) expect(groups).toHaveLength(2_000);
    await expect(
      runSuite({ suite: SUITE, dataDirs: [dataDir], part: 'dev', only: 'unheard-of', signal, onCase: () => {} }),
    ).rejects.toThrow('No file');
  },
);
