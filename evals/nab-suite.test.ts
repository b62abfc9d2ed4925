import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RAISE_LIKELIHOOD } from '../detection/detectors/series-detector.ts';
import { nabSuite, predictNab } from './nab-suite.ts';
import { runSuite } from './run-suite.ts';
import { SUITES } from './suites.ts';

const STEP_MS = 300_000;
const toFile = (values: readonly number[]) => ({
  file: 'some/a.csv',
  rows: values.map((value, index) => ({ atMs: Date.UTC(2024, 0, 1) + index * STEP_MS, value })),
});
const { signal } = new AbortController();

test('a score for each row in 0..1; what goes on being abnormal is not raised row by row', () => {
  const values = Array.from({ length: 1500 }, (_, index) => (index < 1200 ? 10 : 60) + ((index * 7919) % 13) / 13);
  const { file, threshold, scores } = predictNab(toFile(values), RAISE_LIKELIHOOD);
  expect([file, threshold, scores.length]).toEqual(['some/a.csv', RAISE_LIKELIHOOD, 1500]);
  expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
  const raised = scores.flatMap((score, row) => (row >= 1000 && score >= threshold ? [row] : []));
  expect(raised[0]).toBe(1200);
  expect(raised.length).toBeLessThanOrEqual(2);
});

test('a row is scored by the rows up to it: other rows later change nothing', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: -1e6, max: 1e6 }), fc.constant(Number.NaN));
  const values = fc.array(value, { minLength: 30, maxLength: 120 });
  fc.assert(
    fc.property(values, values, (past, future) => {
      const alone = predictNab(toFile(past), RAISE_LIKELIHOOD).scores;
      const followed = predictNab(toFile([...past, ...future]), RAISE_LIKELIHOOD).scores;
      expect(followed.slice(0, past.length)).toEqual(alone);
    }),
  );
});

const name = Object.entries(SUITES).find(([, suite]) => suite === nabSuite)?.[0] ?? '';
const dataDir = fileURLToPath(new URL(`../../shared/datasets/${name}`, import.meta.url));

test.skipIf(!existsSync(dataDir))('known series: better than the best published, one bar for all', async () => {
  const report = await runSuite({ suite: name, dataDirs: [dataDir], part: 'dev', signal, onCase: () => {} });
  const [standard] = (report.score as { profiles: { normalised: number; crossValidated: number }[] }).profiles;
  expect(standard?.normalised).toBeGreaterThan(71.6);
  expect(standard?.crossValidated).toBeGreaterThan(68);
  expect(report.text).toContain('reward_low_FN');
});
