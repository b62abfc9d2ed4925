import { describe, expect, test } from 'vitest';
import type { OperationStepRow } from '../clickhouse/read-operation-steps.ts';
import { type Anomaly, anomalySchema } from '../domain/anomaly.ts';
import { chanceOf, drawCalls, openRequestWatch, START_MS, STEP_MS, type UsualCalls } from './request-rows.fixture.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const ONSET_MS = START_MS + HOUR_MS;

type Judged = readonly { readonly atMs: number; readonly anomalies: readonly Anomaly[] }[];
const loud = (judged: Judged) => judged.flatMap(({ anomalies }) => anomalies.filter(({ deviation }) => deviation >= 1));
const firstLoud = (judged: Judged) => judged.find(({ anomalies }) => anomalies.some(({ deviation }) => deviation >= 1));

/** An hour of normal time, then `lasting` of what differs. */
async function watchFault(usual: readonly UsualCalls[], differing: UsualCalls, lastingMs = 2 * MINUTE_MS, seed = 1) {
  const { run } = openRequestWatch();
  const chance = chanceOf(seed);
  const rowsAt = (atMs: number) =>
    usual.flatMap((calls, index) =>
      drawCalls(chance, atMs, { ...calls, ...(atMs >= ONSET_MS && index === 0 ? differing : {}) }),
    );
  const before = await run(START_MS, ONSET_MS, rowsAt);
  return { before, after: await run(ONSET_MS, ONSET_MS + lastingMs, rowsAt) };
}

const SHOP: readonly UsualCalls[] = [
  { operation: 'GET /cart' },
  { operation: 'POST /cart', medianMs: 120 },
  { operation: 'GET /events', medianMs: 30_000, spread: 0.01, rate: 5 },
];

describe('a trouble', () => {
  test('of failing requests is told within half a minute, with the operation, since when, and what is normal', async () => {
    const { before, after } = await watchFault(SHOP, { errorShare: 0.5 });
    expect(loud(before)).toEqual([]);
    const found = firstLoud(after);
    expect(found?.atMs).toBeLessThanOrEqual(ONSET_MS + 2 * STEP_MS);
    const [anomaly] = found?.anomalies ?? [];
    expect(anomalySchema.parse(anomaly)).toEqual(anomaly);
    expect(anomaly).toMatchObject({
      service: 'cart',
      aspect: 'errors',
      series: { kind: 'errors', service: 'cart', name: 'GET /cart', detail: 'Server' },
      sinceMs: ONSET_MS,
      hurtsUsers: true,
      unit: '1',
    });
    expect(anomaly?.sentence).toMatch(
      /^cart: error rate of GET \/cart \d\d\.\d % since 10:00:00 UTC, normally 0\.\d\d % \(0\.00 % to \d+\.\d+ %\)\.$/,
    );
  });

  test('of slow requests is told in milliseconds', async () => {
    const { after } = await watchFault(SHOP, { medianMs: 200 });
    const [anomaly] = firstLoud(after)?.anomalies ?? [];
    expect(anomaly).toMatchObject({ aspect: 'latency', series: { kind: 'duration', name: 'GET /cart' }, unit: 'ms' });
    expect(anomaly?.observed).toBeGreaterThan(150);
    expect(anomaly?.range[1]).toBeLessThan(150);
    expect(anomaly?.sinceMs).toBe(ONSET_MS);
  });

  test('of a few in a hundred is found over minutes', async () => {
    const { before, after } = await watchFault(SHOP, { errorShare: 0.04 }, 5 * MINUTE_MS);
    expect(loud(before)).toEqual([]);
    const [anomaly] = firstLoud(after)?.anomalies ?? [];
    expect(Math.abs((anomaly?.sinceMs ?? 0) - ONSET_MS)).toBeLessThanOrEqual(MINUTE_MS);
  });

  test('keeps its id as long as it lasts, one for each aspect, and ends', async () => {
    const { run } = openRequestWatch();
    const chance = chanceOf(3);
    const rowsAt = (atMs: number) => {
      const isBroken = atMs >= ONSET_MS && atMs < ONSET_MS + 10 * MINUTE_MS;
      return SHOP.flatMap((calls) => drawCalls(chance, atMs, isBroken ? { ...calls, errorShare: 0.3 } : calls));
    };
    const judged = await run(START_MS, ONSET_MS + 20 * MINUTE_MS, rowsAt);
    const its = loud(judged);
    expect(new Set(its.map(({ anomalyId }) => anomalyId)).size).toBe(1);
    expect(its.length).toBeGreaterThan(58);
    expect(judged.filter(({ atMs }) => atMs > ONSET_MS + 12 * MINUTE_MS).flatMap(({ anomalies }) => anomalies)).toEqual(
      [],
    );
  });

  test('that lasts for hours becomes normal', async () => {
    const { after } = await watchFault(SHOP, { errorShare: 0.1 }, 6 * HOUR_MS);
    expect(loud(after.slice(0, 300)).length).toBeGreaterThan(200);
    expect(loud(after.slice(-60))).toEqual([]);
  });

  test('of a dependency that tells nothing itself shows in the calls to it, and hurts nobody by itself', async () => {
    const calls: UsualCalls[] = [{ kind: 'Client', operation: 'payments-db', medianMs: 4 }, {}];
    const { after } = await watchFault(calls, { medianMs: 40 });
    const [anomaly] = firstLoud(after)?.anomalies ?? [];
    expect(anomaly).toMatchObject({ hurtsUsers: false, series: { name: 'payments-db', detail: 'Client' } });
    expect(anomaly?.sentence).toMatch(/^cart: (p95|median) duration of calls to payments-db /);
    const heard: UsualCalls[] = [{ kind: 'Client', operation: 'pay', medianMs: 4 }, { service: 'pay' }];
    expect(loud((await watchFault(heard, { medianMs: 40 })).after)).toEqual([]);
  });

  test('of three times the traffic, or a third, is told and hurts nobody', async () => {
    for (const rate of [60, 7]) {
      const found = loud((await watchFault([{}], { rate })).after);
      expect(found[0]).toMatchObject({ aspect: 'traffic', hurtsUsers: false, unit: '1/s', series: { name: '' } });
    }
  });
});

describe('normal time', () => {
  test('is only chance, at any rate: nothing passes its bar in hours', async () => {
    for (const [index, rate] of [0.1, 1, 10, 100].entries()) {
      const { run } = openRequestWatch();
      const chance = chanceOf(index + 10);
      const judged = await run(START_MS, START_MS + 6 * HOUR_MS, (atMs) =>
        ['one', 'two'].flatMap((operation) => drawCalls(chance, atMs, { operation, rate, errorShare: 0.01 })),
      );
      expect(loud(judged), `${rate}`).toEqual([]);
    }
  });

  test('is another mix of operations', async () => {
    const { after } = await watchFault([{ operation: 'slow', medianMs: 900, rate: 2 }, { operation: 'fast' }], {
      rate: 30,
    });
    expect(loud(after).filter(({ aspect }) => aspect !== 'traffic')).toEqual([]);
  });

  test('is a minute of pods that are still cold, however busy they are: a whisper at most', async () => {
    const { after } = await watchFault([{ rate: 2_000, spread: 0.2 }], { medianMs: 40 * 1.35 }, MINUTE_MS);
    expect(loud(after)).toEqual([]);
  });

  test('is one failure of two requests to a service that has few', async () => {
    const { run, look, put } = openRequestWatch();
    const chance = chanceOf(5);
    await run(START_MS, ONSET_MS + HOUR_MS, (atMs) => drawCalls(chance, atMs, { rate: 0.3 }));
    const failing = (atMs: number) => drawCalls(() => 0.3, atMs, { rate: 2, errorShare: 1 });
    put(ONSET_MS + HOUR_MS, [
      { ...(failing(0)[0] as OperationStepRow), atMs: ONSET_MS + HOUR_MS, calls: 2, errors: 1 },
    ]);
    const [step] = await look(ONSET_MS + HOUR_MS, ONSET_MS + HOUR_MS + STEP_MS);
    expect(step?.anomalies).toEqual([]);
  });

  test('is a daily curve', async () => {
    const { run } = openRequestWatch();
    const chance = chanceOf(6);
    const judged = await run(START_MS, START_MS + 48 * HOUR_MS, (atMs) =>
      drawCalls(chance, atMs, { rate: 20 + 15 * Math.sin((2 * Math.PI * atMs) / (24 * HOUR_MS)) }),
    );
    expect(loud(judged)).toEqual([]);
  });

  test('was not observed where nothing came at all', async () => {
    const { run } = openRequestWatch();
    const chance = chanceOf(7);
    const isGap = (atMs: number) => atMs >= ONSET_MS && atMs < ONSET_MS + 20 * MINUTE_MS;
    const judged = await run(START_MS, ONSET_MS + HOUR_MS, (atMs) => (isGap(atMs) ? [] : drawCalls(chance, atMs)));
    expect(judged).toHaveLength(720);
    expect(loud(judged)).toEqual([]);
  });
});

describe('what is read', () => {
  test('is judged the same in any order, and by durations relative to the usual', async () => {
    const runs = await Promise.all(
      [
        (rows: OperationStepRow[]) => rows,
        (rows: OperationStepRow[]) => rows.reverse(),
        (rows: OperationStepRow[]) =>
          rows.map((row) => ({ ...row, buckets: row.buckets.map((bucket) => bucket + 20) })),
      ].map(async (change) => {
        const { run } = openRequestWatch();
        const chance = chanceOf(8);
        const rowsAt = (atMs: number) =>
          change(
            SHOP.flatMap((calls) =>
              drawCalls(chance, atMs, atMs < ONSET_MS ? calls : { ...calls, rate: 4, medianMs: 90_000 }),
            ),
          );
        const judged = await run(START_MS, ONSET_MS + 2 * MINUTE_MS, rowsAt);
        return judged.map(({ anomalies }) => anomalies.map(({ aspect, deviation }) => [aspect, deviation.toFixed(6)]));
      }),
    );
    expect(runs[0]?.flat().length).toBeGreaterThan(0);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  test('late is judged again, once', async () => {
    const { run, put, look } = openRequestWatch();
    const chance = chanceOf(9);
    await run(START_MS, ONSET_MS, (atMs) => drawCalls(chance, atMs));
    const endMs = ONSET_MS + 4 * STEP_MS;
    const rows = (atMs: number, errorShare: number) => drawCalls(chance, atMs, { errorShare });
    for (let atMs = ONSET_MS; atMs < endMs; atMs += STEP_MS) put(atMs, rows(atMs, 0).slice(0, 0));
    put(endMs - STEP_MS, rows(endMs - STEP_MS, 0));
    await look(ONSET_MS, endMs);
    expect(await look(ONSET_MS - 5 * MINUTE_MS, endMs)).toEqual([]);
    for (let atMs = ONSET_MS; atMs < ONSET_MS + 3 * STEP_MS; atMs += STEP_MS) put(atMs, rows(atMs, 1));
    const again = await look(ONSET_MS - 5 * MINUTE_MS, endMs);
    expect(again.map(({ atMs }) => atMs)).toEqual([0, 1, 2].map((step) => ONSET_MS + step * STEP_MS));
    expect(loud(again)[0]).toMatchObject({ aspect: 'errors' });
    expect(await look(ONSET_MS - 5 * MINUTE_MS, endMs)).toEqual([]);
  });

  test('beyond what one answer holds comes in parts', async () => {
    const { run } = openRequestWatch(100);
    const chance = chanceOf(10);
    expect(await run(START_MS, ONSET_MS, (atMs) => drawCalls(chance, atMs))).toHaveLength(360);
  });
});

test('what was learned is enough to go on: the same trouble, by the same name', async () => {
  const chance = chanceOf(11);
  const rows = new Map<number, OperationStepRow[]>();
  for (let atMs = START_MS; atMs < ONSET_MS + 6 * MINUTE_MS; atMs += STEP_MS) {
    rows.set(
      atMs,
      SHOP.flatMap((calls) => drawCalls(chance, atMs, atMs < ONSET_MS ? calls : { ...calls, errorShare: 0.3 })),
    );
  }
  const rowsAt = (atMs: number) => rows.get(atMs) ?? [];
  const first = openRequestWatch();
  const seen = loud(await first.run(START_MS, ONSET_MS + MINUTE_MS, rowsAt));
  const states = first.watch.save(10);
  expect(states).toHaveLength(1);
  expect(states[0]?.learnedToMs).toBeGreaterThan(ONSET_MS - 6 * MINUTE_MS);
  expect(first.watch.save(10)).toEqual([]);
  const next = openRequestWatch();
  next.watch.restore([...states, { watch: 'requests', key: '["old",""]', learnedToMs: 0, state: '{"version":1}' }]);
  const after = loud(await next.run(ONSET_MS - 4 * MINUTE_MS, ONSET_MS + 6 * MINUTE_MS, rowsAt));
  expect(after.at(-1)?.anomalyId).toBe(seen.at(-1)?.anomalyId);
});
