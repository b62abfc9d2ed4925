import { expect, test } from 'vitest';
import { formatInstant } from '../../domain/time-window.ts';
import { readTime } from './read-time.ts';

const NOW_MS = Date.UTC(2026, 2, 4, 11, 5);
const short = (atMs: number) => formatInstant(atMs).replace('2026-03-04T', '').replace(':00.000Z', '');
const read = (text: string) => {
  const { time } = readTime(text, NOW_MS);
  return time ? `${short(time.window.startMs)} ${short(time.window.endMs)}` : 'none';
};

test.each([
  ['p95 of cart in the last 5 minutes', '11:00 11:05'],
  ['errors for the past hour', '10:05 11:05'],
  ['last 20m of checkout', '10:45 11:05'],
  ['errors, last half an hour', '10:35 11:05'],
  ['over the last few minutes', '11:00 11:05'],
  ['since 11', '11:00 11:05'],
  ['since 10:30 UTC', '10:30 11:05'],
  ['since 9am', '09:00 11:05'],
  ['since an hour ago', '10:05 11:05'],
  ['since about 10:55', '10:55 11:05'],
  ['after 10:30', '10:30 11:05'],
  ['since 2026-03-04T10:00:00Z', '10:00 11:05'],
  ['since 2026-03-04 10:00', '10:00 11:05'],
  ['between 10:45 and 10:55', '10:45 10:55'],
  ['from 10 to 10:30', '10:00 10:30'],
  ['10:40-10:50', '10:40 10:50'],
  ['between 10am and 11am', '10:00 11:00'],
  ['yesterday', '2026-03-03T00:00 00:00'],
  ['between 23:00 and 1:00', '2026-03-03T23:00 01:00'],
  ['since yesterday', '2026-03-03T00:00 11:05'],
  ['today', '00:00 11:05'],
  ['right now', '11:00 11:05'],
  ['before 10:00', '09:00 10:00'],
  ['at 10:30', '10:27:30.000Z 10:32:30.000Z'],
  ['20 minutes ago', '10:42:30.000Z 10:47:30.000Z'],
  ['since 23:00', '2026-03-03T23:00 11:05'],
  ['errors yesterday at 10:00', '2026-03-03T09:57:30.000Z 2026-03-03T10:02:30.000Z'],
  ['between 2:00 and 3:00 pm', '2026-03-03T14:00 2026-03-03T15:00'],
  ['yesterday between 15:00 and 16:00', '2026-03-03T15:00 2026-03-03T16:00'],
  ['between 9:00 and 10:00 yesterday', '2026-03-03T09:00 2026-03-03T10:00'],
  ['errors at 9:30 pm', '2026-03-03T21:27:30.000Z 2026-03-03T21:32:30.000Z'],
  ['traces with about 20 spans', 'none'],
  ['errors at 10 rps', 'none'],
  ['what about yesterday', '2026-03-03T00:00 00:00'],
  ['since 2026-03-04T12:00', 'none'],
  ['top 5 services', 'none'],
  ['p95 of cart', 'none'],
  ['who calls order', 'none'],
  ['errors over 5%', 'none'],
])('%s', (text, expected) => expect(read(text)).toBe(expected));

test('a moment between two times is what comes before and after', () => {
  const { time, rest } = readTime('compare cart before and after 11:00 please', NOW_MS);
  expect(time?.baseline).toEqual({ startMs: Date.UTC(2026, 2, 4, 10, 45), endMs: Date.UTC(2026, 2, 4, 11) });
  expect(time?.window).toEqual({ startMs: Date.UTC(2026, 2, 4, 11), endMs: NOW_MS });
  expect(rest.replace(/\s+/g, ' ')).toBe('compare cart , please');
});

test('what is held against an earlier time is about now', () => {
  const { time } = readTime('is web slower than yesterday', NOW_MS);
  expect(time).toMatchObject({
    window: { startMs: NOW_MS - 900_000, endMs: NOW_MS },
    baseline: { startMs: Date.UTC(2026, 2, 3), endMs: Date.UTC(2026, 2, 4) },
  });
});

test('a comparison of two times has both', () => {
  const { time } = readTime('compare p95 of web between 10:45 and 10:55 with now', NOW_MS);
  expect(time).toMatchObject({
    window: { startMs: NOW_MS - 300_000, endMs: NOW_MS },
    baseline: { startMs: Date.UTC(2026, 2, 4, 10, 45), endMs: Date.UTC(2026, 2, 4, 10, 55) },
  });
  expect(readTime('errors since 10:30 today', NOW_MS).time?.baseline).toBeUndefined();
});
