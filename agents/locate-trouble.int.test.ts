/** One engine, one stretch of time for each story; each looks only at its own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GaugeRow, SpanRow } from '../clickhouse/telemetry-rows.ts';
import type { Incident } from '../domain/incident.ts';
import { scopeSchema } from '../domain/investigation.ts';
import { openTelemetryFixture, spanRow, T0_MS, type TelemetryFixture } from '../tools/fixture.contract.ts';
import { gaugeRow } from '../tools/metric-rows.contract.ts';
import { INCIDENT } from './jury.fixture.ts';
import { locateTrouble } from './locate-trouble.ts';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
/** Starts of the stories, far apart. */
const STORY = {
  steady: 0,
  holed: 6 * HOUR,
  young: 12 * HOUR,
  long: 18 * HOUR,
  silent: 30 * HOUR,
  past: 36 * HOUR,
  metrics: 60 * HOUR,
  nothing: 72 * HOUR,
} as const;

interface Traffic {
  readonly fromMs: number;
  readonly toMs: number;
  readonly everyMs?: number;
  /** From here on stock takes a second and fails. */
  readonly brokenFromMs?: number;
}

/** web calls stock, over and over. */
function traffic({ fromMs, toMs, everyMs = 10 * SECOND, brokenFromMs = Number.POSITIVE_INFINITY }: Traffic): SpanRow[] {
  const instants = Array.from({ length: Math.ceil((toMs - fromMs) / everyMs) }, (_, index) => fromMs + index * everyMs);
  return instants.flatMap((atMs) => {
    const isBroken = atMs >= brokenFromMs;
    const [trace, durationMs] = [`${atMs}`, isBroken ? 1_000 : 5];
    const status = isBroken ? 'Error' : 'Unset';
    return [
      spanRow({ trace, span: 'w', service: 'web', name: 'GET /', atMs, durationMs: durationMs + 4, status }),
      spanRow({
        trace,
        span: 'c',
        parent: 'w',
        service: 'web',
        name: 'call',
        kind: 'Client',
        atMs,
        durationMs: durationMs + 1,
        status,
      }),
      spanRow({ trace, span: 's', parent: 'c', service: 'stock', name: '/stock', atMs, durationMs, status }),
    ];
  });
}

const BROKEN_MS = STORY.long + 3 * HOUR + 7 * MINUTE;
const LAST_BREATH_MS = STORY.silent + 35 * MINUTE;

let fixture: TelemetryFixture;

beforeAll(async () => {
  const cpu = (atMs: number): GaugeRow =>
    gaugeRow({ service: 'web', metric: 'container.cpu.utilization', unit: '1', atMs, value: 0.2 });
  fixture = await openTelemetryFixture({
    otel_traces: [
      ...traffic({ fromMs: STORY.steady, toMs: STORY.steady + 30 * MINUTE }),
      // Four minutes, a hole of ten, three minutes.
      ...traffic({ fromMs: STORY.holed, toMs: STORY.holed + 4 * MINUTE }),
      ...traffic({ fromMs: STORY.holed + 14 * MINUTE, toMs: STORY.holed + 17 * MINUTE }),
      ...traffic({ fromMs: STORY.young, toMs: STORY.young + 40 * SECOND }),
      ...traffic({ fromMs: STORY.long, toMs: STORY.long + 4 * HOUR, everyMs: 20 * SECOND, brokenFromMs: BROKEN_MS }),
      // Breaks, and five minutes later nothing is heard any more.
      ...traffic({ fromMs: STORY.silent, toMs: STORY.silent + 40 * MINUTE, brokenFromMs: LAST_BREATH_MS }),
      ...traffic({ fromMs: STORY.past, toMs: STORY.past + HOUR }),
    ],
    otel_metrics_gauge: Array.from({ length: 120 }, (_, minute) => cpu(STORY.metrics + minute * MINUTE)),
  });
});

afterAll(() => fixture.close());

/** Times after T0_MS go in and come out. */
async function locate(fromMs: number, toMs: number, known: Partial<Incident> = {}) {
  const searchWindow = { startMs: T0_MS + fromMs, endMs: T0_MS + toMs };
  const { scope, evidence } = await locateTrouble({ ...INCIDENT, searchWindow, ...known }, fixture.context);
  expect(scopeSchema.parse(scope)).toEqual(scope);
  expect(scope.evidenceIds).toEqual(evidence.map(({ evidenceId }) => evidenceId));
  expect(scope.baseline.endMs).toBe(scope.onsetGrid.firstMs);
  expect(scope.window).toEqual({ startMs: scope.onsetGrid.firstMs, endMs: searchWindow.endMs });
  for (const one of evidence) {
    expect(await fixture.rerun(one), one.tool).toEqual(one.queries.map(({ digest }) => digest));
  }
  const { firstMs, stepSeconds, count } = scope.onsetGrid;
  return {
    scope,
    firstMs: firstMs - T0_MS,
    lastMs: firstMs - T0_MS + (count - 1) * stepSeconds * SECOND,
    stepSeconds,
    count,
  };
}

describe('an onset that detection gave', () => {
  test('is looked for from two minutes before it to one minute after it', async () => {
    const onsetMs = STORY.steady + 20 * MINUTE;
    const { scope, ...grid } = await locate(STORY.steady, STORY.steady + 30 * MINUTE, { onsetMs: T0_MS + onsetMs });
    expect(grid).toEqual({ firstMs: onsetMs - 2 * MINUTE, lastMs: onsetMs + MINUTE, stepSeconds: 20, count: 10 });
    expect(scope).toMatchObject({ onsetMs: T0_MS + onsetMs, calls: [{ caller: 'web', callee: 'stock' }] });
    expect(scope.onsetReason).toContain('onset detected between');
    expect(scope.baseline.startMs).toBe(T0_MS + STORY.steady);
  });

  test('at the very end still leaves half a minute of trouble to judge', async () => {
    const endMs = STORY.steady + 30 * MINUTE;
    const { lastMs, count } = await locate(STORY.steady, endMs, { onsetMs: T0_MS + endMs - 5 * SECOND });
    expect(lastMs).toBeLessThanOrEqual(endMs - 30 * SECOND);
    expect(count).toBeGreaterThan(1);
  });

  test('at the very beginning, or outside of the search, still gives a scope', async () => {
    const [startMs, endMs] = [STORY.steady, STORY.steady + 30 * MINUTE];
    expect((await locate(startMs, endMs, { onsetMs: T0_MS + startMs })).firstMs).toBeGreaterThan(startMs);
    expect((await locate(startMs, endMs, { onsetMs: T0_MS + startMs - HOUR })).firstMs).toBeGreaterThan(startMs);
    expect((await locate(startMs, endMs, { onsetMs: T0_MS + endMs + HOUR })).lastMs).toBeLessThan(endMs);
  });
});

describe('an onset that nobody gave', () => {
  test('is looked for in the last stretch of traces: what began in a hole was not observed', async () => {
    const endMs = STORY.holed + 17 * MINUTE;
    const { firstMs, lastMs, stepSeconds, scope } = await locate(STORY.holed, endMs);
    expect({ firstMs, stepSeconds }).toEqual({ firstMs: STORY.holed + 14 * MINUTE, stepSeconds: 20 });
    expect(lastMs).toBeLessThanOrEqual(endMs - 30 * SECOND);
    expect(lastMs).toBeGreaterThan(endMs - MINUTE);
    expect(scope.onsetReason).toContain('onset searched between');
  });

  test('leaves a minute of normal time before it where none was observed earlier', async () => {
    const { firstMs } = await locate(STORY.holed + 14 * MINUTE, STORY.holed + 17 * MINUTE);
    expect(firstMs).toBe(STORY.holed + 15 * MINUTE);
  });

  test('is first looked for everywhere, then finely where time and failures shift most', async () => {
    const { firstMs, lastMs, stepSeconds, count, scope } = await locate(STORY.long, STORY.long + 4 * HOUR);
    expect(stepSeconds).toBe(20);
    expect(count).toBeLessThanOrEqual(46);
    expect(firstMs).toBeLessThanOrEqual(BROKEN_MS);
    expect(lastMs).toBeGreaterThanOrEqual(BROKEN_MS);
    expect(scope.evidenceIds).toHaveLength(4); // coverage, slowdowns, error origins, graph
  });

  test('is not looked for before the time somebody named, nor in known-good time', async () => {
    const [startMs, endMs] = [STORY.steady + 10 * MINUTE, STORY.steady + 30 * MINUTE];
    const earliestOnsetMs = T0_MS + STORY.steady + 25 * MINUTE;
    expect((await locate(startMs, endMs, { earliestOnsetMs })).firstMs).toBe(STORY.steady + 25 * MINUTE);
    const baselineWindow = { startMs: T0_MS + STORY.steady, endMs: T0_MS + STORY.steady + 20 * MINUTE };
    const { firstMs, scope } = await locate(startMs, endMs, { baselineWindow });
    expect(firstMs).toBe(STORY.steady + 20 * MINUTE);
    expect(scope.baseline.startMs).toBe(baselineWindow.startMs);
  });

  test('with metrics alone is looked for in the last quarter of an hour', async () => {
    const endMs = STORY.metrics + 2 * HOUR;
    const { firstMs, lastMs } = await locate(STORY.metrics, endMs);
    expect(firstMs).toBeGreaterThan(endMs - 16 * MINUTE);
    expect(lastMs).toBeLessThanOrEqual(endMs - 30 * SECOND);
  });

  test('is looked for in what was heard last, when nothing is heard any more', async () => {
    const { firstMs, lastMs } = await locate(STORY.silent, STORY.silent + HOUR);
    expect(firstMs).toBeLessThanOrEqual(LAST_BREATH_MS);
    expect(lastMs).toBeGreaterThanOrEqual(LAST_BREATH_MS);
    expect(lastMs).toBeLessThan(STORY.silent + 40 * MINUTE);
  });

  test('is looked for where there is telemetry, however long ago that was', async () => {
    const { firstMs, lastMs, scope } = await locate(STORY.past, STORY.past + 20 * HOUR);
    expect(scope.calls).toEqual([{ caller: 'web', callee: 'stock' }]);
    expect(firstMs).toBeGreaterThanOrEqual(STORY.past);
    expect(lastMs).toBeGreaterThan(firstMs);
    expect(lastMs).toBeLessThan(STORY.past + HOUR);
  });
});

describe('with too little to go by', () => {
  test('forty seconds of telemetry give a scope inside of the search', async () => {
    const [startMs, endMs] = [STORY.young - MINUTE, STORY.young + 40 * SECOND];
    const { firstMs } = await locate(startMs, endMs);
    expect(firstMs).toBeLessThan(endMs);
    expect((await locate(endMs - 20 * SECOND, endMs)).firstMs).toBeLessThan(endMs);
  });

  test('no telemetry at all gives a scope that says nothing', async () => {
    const { scope, count } = await locate(STORY.nothing, STORY.nothing + HOUR);
    expect(count).toBe(1);
    expect(scope.calls).toEqual([]);
  });
});
