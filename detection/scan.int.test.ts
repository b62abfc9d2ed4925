/** Detection over a simulated shop that came in through the real receiver: half an hour of normal time, then one fault. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTelemetryReader } from '../clickhouse/telemetry-reader.ts';
import { createTelemetryWriter } from '../clickhouse/telemetry-writer.ts';
import { type Incident, incidentSchema } from '../domain/incident.ts';
import { createOtlpHttpReceiver } from '../ingest/otlp-http-receiver.ts';
import { createOtlpIntake } from '../ingest/otlp-intake.ts';
import { createPipeline } from '../ingest/pipeline.ts';
import { createManualClock } from '../platform/clock.ts';
import { InvariantError, UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { describeTruth } from '../simulator/ground-truth.ts';
import { simulateShop } from '../simulator/simulate-shop.ts';
import type { SimulationOptions } from '../simulator/simulation-options.ts';
import { MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../tools/fixture.contract.ts';
import { createScanner, type ScanParts } from './scan.ts';

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
  const scanner = createScanner({
    telemetry: createTelemetryReader(fixture.database),
    clock,
    logger: silentLogger,
    listIncidents: async () => opened,
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

describe('a fault', () => {
  const SEEN_MS = ONSET_MS + 45 * SECOND_MS;

  test('opens one incident within a minute of event time, and no second one while it lasts', async () => {
    const { clock, opened, scan } = openScanner(SEEN_MS);
    const found = await scan();
    expect(found).toEqual(opened);
    const [incident] = found;
    if (!incident || found.length > 1) return expect.unreachable();
    expect(incidentSchema.parse(incident)).toEqual(incident);
    const truth = describeTruth(SHOP);
    expect(incident.anomalies.map(({ service }) => service)).toContain(truth.service);
    expect(incident).toMatchObject({ status: 'open', source: 'detection', openedAtMs: SEEN_MS });
    expect(Math.abs((incident.onsetMs ?? 0) - ONSET_MS)).toBeLessThanOrEqual(MINUTE_MS);
    expect(incident.searchWindow.endMs).toBeLessThanOrEqual(SEEN_MS);

    expect(await scan()).toEqual([]);
    clock.advance(10 * SECOND_MS);
    expect(await scan()).toEqual([]);
    expect(opened).toHaveLength(1);
  });

  test('opens one incident also when looks come faster than they end', async () => {
    const { opened, scan } = openScanner(SEEN_MS);
    await Promise.all([scan(), scan(), scan()]);
    expect(opened).toHaveLength(1);
  });

  test('that could not be published is found again by the next look', async () => {
    let isAway = true;
    const opened: Incident[] = [];
    const { scan } = openScanner(SEEN_MS, {
      publishIncident: async (incident) => {
        if (isAway) throw new UnavailableError('the archive is restarting');
        opened.push(incident);
      },
    });
    await expect(scan()).rejects.toThrow(UnavailableError);
    isAway = false;
    expect(await scan()).toEqual(opened);
    expect(opened).toHaveLength(1);
  });

  test('that people opened an incident for by hand is still opened: theirs may be about something else', async () => {
    const first = openScanner(SEEN_MS);
    const [incident] = await first.scan();
    if (!incident) return expect.unreachable();
    const { scan } = openScanner(SEEN_MS, { listIncidents: async () => [{ ...incident, source: 'manual' }] });
    expect(await scan()).toHaveLength(1);
  });
});

test('a clock that jumps opens nothing where nothing happened, and nothing twice', async () => {
  const DAY_MS = 24 * 60 * MINUTE_MS;
  const { clock, opened, scan } = openScanner(T0_MS + 20 * MINUTE_MS);
  const jumps = [DAY_MS, -DAY_MS - 60 * MINUTE_MS, 60 * MINUTE_MS];
  for (const jumpMs of jumps) {
    clock.advance(jumpMs);
    expect(await scan()).toEqual([]);
  }
  clock.advance(ONSET_MS + 45 * SECOND_MS - clock.nowMs());
  expect(await scan()).toHaveLength(1);
  for (const jumpMs of jumps) {
    clock.advance(jumpMs);
    expect(await scan()).toEqual([]);
  }
  expect(opened).toHaveLength(1);
});

test('services that fell silent are not judged by their last words', async () => {
  const { scan } = openScanner(SHOP.endMs + 2 * MINUTE_MS);
  expect(await scan()).toEqual([]);
});
