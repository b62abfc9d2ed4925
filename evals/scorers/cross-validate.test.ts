import { expect, test } from 'vitest';
import { crossValidate } from './cross-validate.ts';

const mean = (settings: readonly (readonly number[])[]) => (setting: number, cases: readonly number[]) =>
  cases.reduce((sum, index) => sum + (settings[setting]?.[index] ?? 0), 0) / cases.length;

test('one setting that is best everywhere is chosen in every split', () => {
  const settings = [
    [1, 1, 1, 1],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
  ];
  expect(crossValidate(settings, mean(settings))).toBe(3);
});

test('what is good on some cases only is worth less than it seems, and the same in every run', () => {
  const lucky = Array.from({ length: 20 }, (_, setting) =>
    Array.from({ length: 20 }, (_, index) => ((setting * 7 + index * 13) % 20 < 10 ? 1 : 0)),
  );
  const found = crossValidate(lucky, mean(lucky));
  expect(found).toBeLessThan(0.5);
  expect(crossValidate(lucky, mean(lucky))).toBe(found);
});

test('halves that cannot be scored are left out', () => {
  const settings = [[1, 2]];
  expect(crossValidate(settings, (_, [index = 0]) => (index === 0 ? Number.NaN : 5))).toBe(5);
});
