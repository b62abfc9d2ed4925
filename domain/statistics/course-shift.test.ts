import { expect, test } from 'vitest';
import { type Course, shiftOfCourse } from './course-shift.ts';

const course = (value: (index: number) => number, count = 100): Course =>
  Array.from({ length: count }, (_, index) => [index * 1_000, value(index) + 0.1 * ((index * 7) % 5)] as const);

test('a step: where it begins, from what to what', () => {
  const shift = shiftOfCourse(course((index) => (index < 60 ? 10 : 50)));
  expect(shift).toMatchObject({ onsetMs: 60_000 });
  expect(shift?.before).toBeCloseTo(10.2, 1);
  expect(shift?.after).toBeCloseTo(50.4, 0);
});

test('a climb is told from its beginning, long before its peak', () => {
  const shift = shiftOfCourse(course((index) => 100 + Math.max(0, index - 30) * 3));
  expect((shift?.onsetMs ?? 0) / 1_000).toBeGreaterThanOrEqual(28);
  expect((shift?.onsetMs ?? 0) / 1_000).toBeLessThanOrEqual(34);
});

test('a fall has negative scales', () => {
  expect(shiftOfCourse(course((index) => (index < 50 ? 0.97 : 0.4) * 10))?.scales).toBeLessThan(-6);
});

test('noise, a constant and too few points are no shift', () => {
  expect(shiftOfCourse(course(() => 10))).toBeUndefined();
  expect(shiftOfCourse(Array.from({ length: 50 }, (_, index) => [index, 3] as const))).toBeUndefined();
  expect(shiftOfCourse(course((index) => (index < 3 ? 1 : 9), 6))).toBeUndefined();
});
