/** Detection over a simulated shop that came in through the real receiver: half an hour of normal time, then one fault. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DetectorState } from '../clickhouse/detector-states.ts';
import { createTelemetryReader } from '../clickhouse/telemetry-reader.ts';
import { createTelemetryWriter } from '../clickhouse/telemetry-writer.ts';
import { createMemoryShardLock } from '../context-store/shard-lock.ts';
import { type Incident, incidentSchema } from '../domain/incident.ts';
import type { IncidentCourse } from '../domain/incident-course.ts';
import { createOtlpHttpReceiver } from '../ingest/otlp-http-receiver.ts';
import { createOtlpIntake } from '../ingest/otlp-intake.ts';
import { createPipeline } from '../ingest/pipeline.ts';
import { createManualClock } from '../platform/clock.ts';
import { InvariantError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { describeTruth } from '../simulator/ground-truth.ts';
import { simulateShop } from '../simulator/simulate-shop.ts';
import type { SimulationOptions } from '../simulator/simulation-options.ts';
import { MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../tools/fixture.contract.ts';
import { createScanner, type ScanParts } from './scan.ts';
import { createRequestWatch } from './watch-requests.ts';

const SECOND_MS = 1_000;
const ONSET_MS = T0_MS + 30 * MINUTE_MS;
const SHOP = {
  seed: 1,
  startMs: T0_MS,
  endMs: ONSET_MS + MINUTE_MS,
  requestsPerSecond: 5,
  batchSeconds: 60,
  decoys: true,
  fault: { kind: 'error-burst', onsetMs: ONSET_MS },
} as const satisfies SimulationOptions;

let fixture: TelemetryFixture;

beforeAll(async () => {
  fixture = await openTelemetryFixture({});
  const intake = createOtlpIntake({
    store: createPipeline(createTelemetryWriter(fixture.database)).store,
    maxBodyBytes: 64 * 1024 * 1024,
    clock: createManualClock(SHOP.endMs),
    logger: silentLogger,
  });
  const receive = createOtlpHttpReceiver(intake);
  for (const { traces } of simulateShop(SHOP)) {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(traces);
    const response = await receive(new Request('http://127.0.0.1/v1/traces', { method: 'POST', headers, body }));
    if (response.status !== 200) throw new InvariantError(await response.text());
  }
});

afterAll(() => fixture.close());

/** A scanner whose clock stands at an instant, and what it opened so far. */
function openScanner(atMs: number, parts: Partial<ScanParts> = {}) {
  const clock = createManualClock(atMs);
  const opened: Incident[] = [];
  const courses = new Map<string, IncidentCourse>();
  const telemetry = createTelemetryReader(fixture.database);
  const scanner = createScanner({
    createWatches: () => [createRequestWatch({ telemetry: telemetry.operationSteps })],
    clock,
    logger: silentLogger,
    lock: createMemoryShardLock(),
    shard: 'test',
    readNewest: async (window, signal) =>
      (await telemetry.coverage.readNewest({ window }, { maxRows: 1, signal })).rows[0]?.newestMs ?? 0,
    readLinks: async () => new Map(),
    refine: async (anomalies) => anomalies,
    readStates: async () => [],
    saveStates: async () => {},
    listCourses: async () => [...courses.values()],
    saveCourses: async (saved) => {
      for (const course of saved) courses.set(course.incidentId, course);
    },
    listOpenAnomalies: async () => [],
    saveAnomalies: async () => {},
    isPublished: async () => true,
    publishIncident: async (incident) => {
      opened.push(incident);
    },
    ...parts,
  });
  return { clock, opened, scan: () => scanner.scan(new AbortController().signal) };
}

test('normal time, with innocent changes in it, opens nothing', async () => {
  const { clock, opened, scan } = openScanner(T0_MS + 10 * MINUTE_MS);
  while (clock.nowMs() <= ONSET_MS) {
    expect(await scan()).toEqual([]);
    clock.advance(MINUTE_MS);
  }
  expect(opened).toEqual([]);
});

const SEEN_MS = ONSET_MS + 55 * SECOND_MS;

test('a fault opens one incident within a minute of event time, and no second one while it lasts', async () => {
  const { clock, opened, scan } = openScanner(SEEN_MS);
  const found = await scan();
  expect(found).toEqual(opened);
  const [incident] = found;
  if (!incident || found.length > 1) return expect.unreachable();
  expect(incidentSchema.parse(incident)).toEqual(incident);
  const truth = describeTruth(SHOP);
  expect(incident.anomalies.map(({ service }) => service)).toContain(truth.service);
  expect(incident).toMatchObject({ status: 'open', source: 'detection' });
  expect(incident.openedAtMs).toBeGreaterThan(ONSET_MS);
  expect(incident.openedAtMs).toBeLessThanOrEqual(SEEN_MS);
  expect(Math.abs((incident.onsetMs ?? 0) - ONSET_MS)).toBeLessThanOrEqual(20 * SECOND_MS);

  expect(await scan()).toEqual([]);
  clock.advance(10 * SECOND_MS);
  expect(await scan()).toEqual([]);
  expect(opened).toHaveLength(1);
});

test('a fault opens one incident also when looks come faster than they end', async () => {
  const { opened, scan } = openScanner(SEEN_MS);
  await Promise.all([scan(), scan(), scan()]);
  expect(opened).toHaveLength(1);
});

test('a clock that jumps opens nothing where nothing happened, and nothing twice', async () => {
  const DAY_MS = 24 * 60 * MINUTE_MS;
  const { clock, opened, scan } = openScanner(T0_MS + 20 * MINUTE_MS);
  const jumps = [DAY_MS, -DAY_MS - 60 * MINUTE_MS, 60 * MINUTE_MS];
  for (const jumpMs of jumps) {
    clock.advance(jumpMs);
    expect(await scan()).toEqual([]);
  }
  clock.advance(SEEN_MS - clock.nowMs());
  expect(await scan()).toHaveLength(1);
  for (const jumpMs of jumps) {
    clock.advance(jumpMs);
    expect(await scan()).toEqual([]);
  }
  expect(opened).toHaveLength(1);
});

test('what it learned is enough for the next scanner, which looks at what is new', async () => {
  const states = new Map<string, DetectorState>();
  const kept: Partial<ScanParts> = {
    readStates: async () => [...states.values()],
    saveStates: async (saved) => {
      for (const state of saved) states.set(`${state.watch} ${state.key}`, state);
    },
  };
  const first = openScanner(ONSET_MS - 2 * MINUTE_MS, kept);
  await first.scan();
  first.clock.advance(MINUTE_MS);
  await first.scan();
  const next = openScanner(SEEN_MS, kept);
  expect(await next.scan()).toHaveLength(1);
});
