import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callTool,
  hexId,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { compareLogTemplates } from './compare-log-templates.ts';

let fixture: TelemetryFixture;
const baseline = { startMs: T0_MS, endMs: T0_MS + 60 * MINUTE_MS };
const window = { startMs: T0_MS + 60 * MINUTE_MS, endMs: T0_MS + 70 * MINUTE_MS };

/** `count` lines in each of these minutes, evenly spread. */
function lines(
  minutes: readonly number[],
  count: number,
  words: Partial<Parameters<typeof logRow>[0]> & { service: string; body: string },
) {
  return minutes.flatMap((minute) =>
    Array.from({ length: count }, (_, index) =>
      logRow({
        ...words,
        atMs: minute * MINUTE_MS + Math.floor((index * MINUTE_MS) / count),
        body: words.body.replace('#', String(minute * 100 + index)),
      }),
    ),
  );
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

beforeAll(async () => {
  fixture = await openTelemetryFixture({
    otel_logs: [
      // shop: logs were not collected in minutes 20 to 39: 40 observed minutes.
      ...lines([...range(0, 20), ...range(40, 70)], 4, { service: 'shop', body: 'GET /orders/# took 5ms' }),
      ...lines([...range(0, 20), ...range(40, 60)], 3, { service: 'shop', body: 'cache refreshed #' }),
      ...lines([...range(0, 20), ...range(40, 60)], 1, { service: 'shop', body: 'retry #', severity: 'WARN' }),
      ...lines(range(60, 70), 5, { service: 'shop', body: 'retry #', severity: 'WARN' }),
      ...lines(range(65, 70), 2, { service: 'shop', body: 'payment refused: order #', severity: 'ERROR', trace: 't1' }),
      // batch: 50 lines in one minute of each half hour: the same again is no burst.
      ...lines([5, 45, 65], 50, { service: 'batch', body: 'imported row #' }),
      ...lines(range(0, 70), 1, { service: 'batch', body: 'tick #' }),
      // busy: three times the traffic, three times the lines.
      ...range(0, 60).flatMap((minute) =>
        lines([minute], 1, { service: 'busy', body: 'handled #', trace: `b${minute}` }),
      ),
      ...range(60, 70).flatMap((minute) =>
        range(0, 3).flatMap((part) =>
          lines([minute], 1, { service: 'busy', body: 'handled #', trace: `w${minute}${part}` }),
        ),
      ),
    ],
  });
});
afterAll(() => fixture?.close());

async function templateOf(template: string) {
  const { output } = await callTool(fixture, compareLogTemplates, { window, baseline, limit: 100 });
  return output.templates.find((row) => row.template === template);
}

test('says what appeared, with its first line and a trace', async () => {
  expect(await templateOf('payment refused: order <*>')).toMatchObject({
    service: 'shop',
    severityNumber: 17,
    severityText: 'ERROR',
    status: 'appeared',
    windowCount: 10,
    baselineCount: 0,
    windowPerMinute: 1,
    baselinePerMinute: 0,
    ratio: null,
    windowPerTrace: 10,
    baselinePerTrace: null,
    windowTraces: 1,
    firstSeenMs: T0_MS + 65 * MINUTE_MS,
    lastSeenMs: T0_MS + 69.5 * MINUTE_MS,
    sampleBody: 'payment refused: order 6500',
    sampleTraceId: hexId('t1', 32),
    // All of 10 lines in 10 of 50 minutes: sqrt(2 * 10 * ln(50 / 10)).
    significance: 5.674,
  });
});

test('says what burst and what vanished, by observed minutes', async () => {
  expect(await templateOf('retry <*>')).toMatchObject({
    status: 'burst',
    windowCount: 50,
    baselineCount: 40,
    windowPerMinute: 5,
    baselinePerMinute: 1,
    ratio: 5,
  });
  expect(await templateOf('cache refreshed <*>')).toMatchObject({
    status: 'vanished',
    windowCount: 0,
    baselinePerMinute: 3,
    ratio: 0,
    firstSeenMs: null,
    lastSeenMs: null,
    sampleBody: 'cache refreshed 0',
    sampleTraceId: '',
    // 120 lines, none in 10 of 50 minutes: -sqrt(2 * 120 * ln(50 / 40)).
    significance: -7.318,
  });
});

test('calls steady what only a hole in coverage, habitual bursts or more traffic explain', async () => {
  expect(await templateOf('GET /orders/<*> took <*>')).toMatchObject({ status: 'steady', ratio: 1, significance: 0 });
  const batch = await templateOf('imported row <*>');
  expect(batch).toMatchObject({ status: 'steady', windowCount: 50, baselineCount: 100, ratio: 3 });
  expect(batch?.significance).toBeLessThan(3);
  expect(await templateOf('handled <*>')).toMatchObject({
    status: 'steady',
    ratio: 3,
    windowPerTrace: 1,
    baselinePerTrace: 1,
    significance: 0,
  });
});

test('puts the most significant first, and filters by severity, service and limit', async () => {
  const { output } = await callTool(fixture, compareLogTemplates, {
    window,
    baseline,
    minSeverity: 'warn',
    service: 'shop',
    limit: 1,
  });
  expect(output).toMatchObject({ templates: [{ template: 'retry <*>' }], totalRows: 2, truncated: true });
  const all = await callTool(fixture, compareLogTemplates, { window, baseline });
  const significances = all.output.templates.map(({ significance }) => Math.abs(significance ?? 0));
  expect(significances).toEqual(significances.toSorted((left, right) => right - left));
  expect(all.output.totalRows).toBe(7);
});

test('claims no change where a window has no logs of anybody', async () => {
  const unobserved = { startMs: T0_MS + 100 * MINUTE_MS, endMs: T0_MS + 110 * MINUTE_MS };
  const { output } = await callTool(fixture, compareLogTemplates, { window: unobserved, baseline });
  expect(
    output.templates.map(({ status, significance, windowPerMinute }) => [status, significance, windowPerMinute]),
  ).toEqual(output.templates.map(() => ['unobserved', null, null]));
  expect(output.templates).not.toEqual([]);
});
