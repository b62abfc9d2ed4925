import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../platform/errors.ts';
import {
  durationMs,
  formatInstant,
  isInside,
  parseDurationMs,
  parseInstantMs,
  timeWindowSchema,
} from './time-window.ts';

const NOW = '2026-01-31T12:00:00.000Z';
const nowMs = Date.parse(NOW);

describe('a window', () => {
  it('has its start inside and its end outside', () => {
    const window = timeWindowSchema.parse({ startMs: 10, endMs: 20 });
    expect([9, 10, 19, 20].map((atMs) => isInside(window, atMs))).toEqual([false, true, true, false]);
    expect(durationMs(window)).toBe(10);
  });

  it.each([
    [10, 10],
    [20, 10],
    [-1, 10],
    [0.5, 10],
  ])('from %d to %d is none', (startMs, endMs) => {
    expect(timeWindowSchema.safeParse({ startMs, endMs }).success).toBe(false);
  });
});

describe('parseDurationMs', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    [' 0s ', 0],
    ['0.0015s', 2],
  ])('%j is %d ms', (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });

  it.each(['', '5', 'm', '-5m', '5w', '.5s', '1e3s', '5 m', '5m5s', '5M'])('%j is none', (text) => {
    expect(() => parseDurationMs(text)).toThrow(InputError);
  });
});

describe('parseInstantMs', () => {
  it.each([
    ['now', NOW],
    [' now ', NOW],
    ['15m', '2026-01-31T11:45:00.000Z'],
    ['-15m', '2026-01-31T11:45:00.000Z'],
    ['1.5h', '2026-01-31T10:30:00.000Z'],
    ['10:30', '2026-01-31T10:30:00.000Z'],
    ['9:05', '2026-01-31T09:05:00.000Z'],
    ['12:00', NOW],
    ['12:01', '2026-01-30T12:01:00.000Z'],
    ['00:00', '2026-01-31T00:00:00.000Z'],
    ['23:59', '2026-01-30T23:59:00.000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-01-31T10:30Z', '2026-01-31T10:30:00.000Z'],
    ['2026-01-31T10:30:00Z', '2026-01-31T10:30:00.000Z'],
    ['2026-01-31T10:30:00.250Z', '2026-01-31T10:30:00.250Z'],
    ['2026-01-31T10:30:00+01:00', '2026-01-31T09:30:00.000Z'],
    ['2026-01-31T10:30:00-0530', '2026-01-31T16:00:00.000Z'],
    ['2026-02-28T23:30:00-05:00', '2026-03-01T04:30:00.000Z'],
    ['1767225600', '2026-01-01T00:00:00.000Z'],
    ['1767225600123', '2026-01-01T00:00:00.123Z'],
  ])('%j is %s', (text, expected) => {
    expect(formatInstant(parseInstantMs(text, nowMs))).toBe(expected);
  });

  it.each([
    '',
    'soon',
    '+15m',
    '15 m',
    '24:00',
    '10:60',
    '2026-01-31T10:30:00', // no zone: whose half past ten?
    '2026-02-31',
    '2026-02-30T10:00:00Z',
    '2023-02-29',
    '2026-13-01',
    '2026-01-31T25:00:00Z',
    '2026-01-31T:Z',
    '31.01.2026',
    '176722560',
    '100000d', // before 1970
    '1960-01-01',
  ])('%j is none', (text) => {
    expect(() => parseInstantMs(text, nowMs)).toThrow(InputError);
  });

  it('reads what formatInstant writes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 4_000_000_000_000 }), (atMs) => {
        expect(parseInstantMs(formatInstant(atMs), nowMs)).toBe(atMs);
      }),
    );
  });

  it('takes a clock time for one of the last day, never for one to come', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 1439 }),
        fc.integer({ min: 1_000_000_000_000, max: 2_000_000_000_000 }),
        (minute, atMs) => {
          const text = `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`;
          const agoMs = atMs - parseInstantMs(text, atMs);
          expect(agoMs).toBeGreaterThanOrEqual(0);
          expect(agoMs).toBeLessThan(86_400_000);
        },
      ),
    );
  });
});
