import { describe, expect, test } from 'vitest';
import { newUpperTail } from '../../domain/statistics/upper-tail.ts';
import { judgeLevel } from './change-point.ts';
import { meaningOf } from './series-aspect.ts';
import { type CourseOptions, judgeCourse, newSeriesCourse, type SeriesCourse } from './series-course.ts';
import { minuteValue, newGrowthState } from './series-growth.ts';
import { standingOf } from './series-recent.ts';

const MINUTE_MS = 60_000;
const UP: CourseOptions = { isGauge: true, worse: 1, perMinute: 0, without: new Set() };

/** Values around 100 that never repeat, none of them far out. */
const usual = (index: number) => 100 + 10 * Math.sin(index * 1.7) + 3 * Math.sin(index * 0.37);
const seriesOf = (length: number) => Array.from({ length }, (_, index) => usual(index));

function play(values: readonly number[], options = UP, course: SeriesCourse = newSeriesCourse(), from = 0) {
  return values.map((value, index) =>
    judgeCourse(course, { atMs: (from + index) * MINUTE_MS, mean: value, last: value }, options),
  );
}
const deviations = (judged: ReturnType<typeof play>) => judged.map((one) => one?.deviation ?? 0);

describe('judgeCourse', () => {
  test('says nothing of ordinary values, nor before eight of them', () => {
    const judged = play(seriesOf(500));
    expect(judged.slice(0, 8).every((one) => one === undefined)).toBe(true);
    expect(Math.max(...deviations(judged))).toBeLessThan(0.5);
  });

  test('after a quarter of an hour: a jump is heard at once, and once it stays it speaks for itself', () => {
    const judged = play([...seriesOf(15), 900, 905, 910]);
    expect(judged[15]?.deviation).toBe(1.4);
    expect(judged[16]?.deviation).toBeGreaterThan(1.5);
    expect(judged.slice(15).map((one) => one?.sinceMs)).toEqual([15.5, 15.5, 15.5].map((at) => at * MINUTE_MS));
    expect(judged[17]?.expected).toBeCloseTo(100, -1);
  });

  test('what others of its fleet do at times is usual, though it is new for this one', () => {
    const fleet = { series: newUpperTail(), 'change-point': newUpperTail() };
    const jumping = [...seriesOf(40), 2_000, 2_000, ...seriesOf(40), 2_000, 2_000, ...seriesOf(40)];
    for (let index = 0; index < 20; index++) play(jumping, { ...UP, fleet });
    const calm = [...seriesOf(70), 2_000, 2_000];
    expect(Math.max(...deviations(play(calm, { ...UP, fleet })))).toBeLessThan(1);
    expect(Math.max(...deviations(play(calm)))).toBeGreaterThan(1);
  });

  test('goes on while it lasts, ends with the first value that is back, and has not taken the trouble for normal', () => {
    const after = deviations(
      play([...seriesOf(60), ...new Array<number>(3).fill(2_000), ...seriesOf(5), 2_000, 2_000]),
    );
    expect(after.slice(60, 63).every((deviation) => deviation >= 0.5)).toBe(true);
    expect(Math.max(...after.slice(63, 68))).toBeLessThan(0.5);
    expect(after[69]).toBeGreaterThanOrEqual(1);
  });

  test('an hour of another level is the new normal', () => {
    const after = deviations(play([...seriesOf(60), ...seriesOf(100).map((value) => value + 5_000)]));
    expect(after[65]).toBeGreaterThan(1);
    expect(Math.max(...after.slice(125))).toBeLessThan(0.5);
  });

  test('what jumps every half hour is like that', () => {
    const jumpy = Array.from({ length: 900 }, (_, index) => (index % 15 === 14 ? 3_000 : usual(index)));
    expect(Math.max(...deviations(play(jumpy)).slice(450))).toBeLessThan(1);
  });

  test('only the worse way counts', () => {
    const fallen = [...seriesOf(40), 1, 1];
    expect(Math.max(...deviations(play(fallen)))).toBeLessThan(0.5);
  });

  test('each detector can be left out', () => {
    const values = [...seriesOf(40), 5_000, 5_000];
    const last = (name: string) => play(values, { ...UP, without: new Set([name]) }).at(-1);
    expect(last('series')?.view).toBe('change-point');
    expect(last('change-point')?.deviation).toBeLessThanOrEqual(1.4);
  });

  test('a restart from its state judges alike', () => {
    const course = newSeriesCourse();
    play(seriesOf(80), UP, course);
    const restored: SeriesCourse = JSON.parse(JSON.stringify(course));
    const next = [usual(80), 700, 710];
    expect(play(next, UP, restored, 80)).toEqual(play(next, UP, course, 80));
  });
});

test('a count of few things needs more than one more of them', () => {
  const rare = Array.from({ length: 12 }, (_, index) => (index % 5 === 0 ? 1 : 0));
  expect(Math.abs(standingOf(rare, 3, 1)?.z ?? 99)).toBeLessThan(4);
  expect(standingOf(new Array<number>(12).fill(7), 8)?.z).toBeGreaterThan(0);
});

test('a level has changed when two values in a row are out on one side', () => {
  const newest: number[] = [];
  expect([5, 9, -8, -3].map((distance) => judgeLevel(newest, distance))).toEqual([0, 5, 0, -3]);
});

describe('minuteValue', () => {
  const play = (points: readonly (readonly [minute: number, last: number])[]) => {
    const state = newGrowthState();
    return points.map(([minute, last]) => minuteValue(state, { atMs: (100 + minute) * MINUTE_MS, mean: last, last }));
  };

  test('a counter is what it grew by in a minute, also over a gap and after a restart', () => {
    const rising = Array.from({ length: 12 }, (_, minute) => [minute, 100 * minute] as const);
    const values = play([...rising, [13, 1_300], [14, 40], [60, 9_000]]);
    expect(values[0]).toBeUndefined();
    expect(values[1]).toEqual({ value: 100, isGrowth: true });
    expect(values[12]).toEqual({ value: 100, isGrowth: true }); // two minutes after the last
    expect(values[13]).toEqual({ value: 40, isGrowth: true });
    expect(values[14]).toBeUndefined(); // a hole in coverage
  });

  test('what falls as often as it rises is a level', () => {
    expect(
      play([
        [0, 5],
        [1, 9],
        [2, 4],
        [3, 8],
      ]).at(-1),
    ).toEqual({ value: 8, isGrowth: false });
  });
});

test.each([
  ['http.server.request.duration', 'latency', 1],
  ['http.server.request.rate', 'traffic', undefined],
  ['http.server.request.success_ratio', 'errors', -1],
  ['rpc.client.errors', 'errors', 1],
  ['http.server.active_requests', 'resources', 1],
  ['container.cpu.usage', 'resources', 1],
  ['db.client.connections.wait_time', 'resources', 1],
  ['process.syscalls', 'resources', 1],
])('%s tells of %s', (metric, aspect, worse) => {
  expect(meaningOf(metric, 'pod-1')).toMatchObject({ aspect, worse });
});

test('what a pod reports of its host is not of its service', () => {
  expect(meaningOf('k8s.node.cpu.utilization', 'pod-1')).toBeUndefined();
  expect(meaningOf('system.cpu.utilization', '')).toMatchObject({ aspect: 'resources' });
});
