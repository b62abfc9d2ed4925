import { expect, test } from 'vitest';
import { describeDays, type LabelledFault, scoreDays } from './score-days.ts';

const MINUTE_MS = 60_000;
const fault = (faultType: string, minute: number, isDefect = false): LabelledFault => ({
  faultId: `${faultType}-${minute}`,
  faultType,
  service: 'cart',
  injectMs: minute * MINUTE_MS,
  isDefect,
});
const incident = (onset: number, opened: number, service = 'cart') => ({
  onsetMs: onset * MINUTE_MS,
  openedMs: opened * MINUTE_MS,
  services: [service],
});

const score = scoreDays([
  {
    name: 'one',
    faults: [fault('cpu', 10), fault('delay', 20), fault('cpu', 30), fault('return', 40, true)],
    // The first fault twice, the second not, the third by another service; in the defect's time two; one of nothing.
    incidents: [
      incident(11, 12),
      incident(13, 14),
      incident(31, 35, 'web'),
      incident(41, 42),
      incident(43, 44),
      incident(60, 61),
    ],
  },
  { name: 'two', faults: [], incidents: [] },
]);

test('resource faults alone make recall and delay; a defect is told apart', () => {
  expect(score.all).toMatchObject({ faults: 3, found: 2, recall: 2 / 3, namesService: 1, defects: 1, foundDefects: 1 });
  expect(score.all.medianDelaySeconds).toBe(210); // of two and five minutes
});

test('a second incident of one fault is false, one in the time of a defect is not', () => {
  expect(score.falseIncidents.map(({ onset }) => onset.slice(11, 16))).toEqual(['00:13', '01:00']);
  expect(score.falsePerDay).toBe(1);
});

test('by day and by kind', () => {
  expect(score.days.map(({ name, found, falseIncidents }) => [name, found, falseIncidents])).toEqual([
    ['one', 2, 2],
    ['two', 0, 0],
  ]);
  expect(score.kinds.map(({ name, found, faults }) => [name, found, faults])).toEqual([
    ['cpu', 2, 2],
    ['delay', 0, 1],
    ['return', 1, 1],
  ]);
  expect(describeDays(score)).toContain('missed: delay-20 (delay)');
});
