/** Looks at the newest finished windows of every service and publishes an incident when anomalies agree; one for each trouble. */
import type { TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { Incident } from '../domain/incident.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { correlateAnomalies } from './correlate.ts';
import { detectServiceDeviations, type ServicePulse } from './detectors/service-deviation.ts';

export interface ScanParts {
  readonly telemetry: TelemetryReader;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Incidents that are still open, so that the same trouble does not open a second one. */
  listIncidents(signal: AbortSignal): Promise<readonly Incident[]>;
  /** Archives the incident and starts its investigation. */
  publishIncident(incident: Incident, signal: AbortSignal): Promise<void>;
}

export interface Scanner {
  /** One look; resolves with the incidents it opened. Never two looks at once: a second call waits for the first. */
  scan(signal: AbortSignal): Promise<Incident[]>;
}

const STEP_SECONDS = 10;
const LOOKBACK_MS = 3_600_000;
/** Spans of a step arrive until this long after its end. */
const WATERMARK_MS = 5_000;
/** Anomalies of one service within this time of an incident's onset or opening belong to that incident. */
const SAME_TROUBLE_MS = 1_800_000;

export function createScanner(parts: ScanParts): Scanner {
  let last: Promise<unknown> = Promise.resolve();

  async function look(signal: AbortSignal): Promise<Incident[]> {
    const stepMs = STEP_SECONDS * 1000;
    const endMs = Math.floor((parts.clock.nowMs() - WATERMARK_MS) / stepMs) * stepMs;
    const window = { startMs: endMs - LOOKBACK_MS, endMs };
    const pulses = await readPulses(parts.telemetry, window, signal);
    const anomalies = pulses.filter((pulse) => isCurrent(pulse, endMs)).flatMap(detectServiceDeviations);
    parts.logger.debug({ services: pulses.length, anomalies: anomalies.length }, 'scanned');
    const draft = correlateAnomalies(anomalies, window);
    if (!draft || (await isKnown(parts, anomalies, endMs, signal))) return [];
    const incident: Incident = {
      ...draft,
      incidentId: newId('inc', parts.clock.nowMs()),
      openedAtMs: parts.clock.nowMs(),
    };
    await parts.publishIncident(incident, signal);
    return [incident];
  }

  return {
    scan: (signal) => {
      const next = last.then(
        () => look(signal),
        () => look(signal),
      );
      last = next;
      return next;
    },
  };
}

async function readPulses(
  telemetry: TelemetryReader,
  window: TimeWindow,
  signal: AbortSignal,
): Promise<ServicePulse[]> {
  const { rows } = await telemetry.pulse.readPulse(
    { window, stepSeconds: STEP_SECONDS },
    { maxRows: 200_000, timeoutMs: 10_000, signal },
  );
  return [...Map.groupBy(rows, ({ service }) => service)].map(([service, steps]) => ({
    service,
    stepSeconds: STEP_SECONDS,
    steps: steps.map(({ atMs, requests, errors, slow, p95Ms }) => ({ atMs, requests, errors, slow, p95Ms })),
  }));
}

/** A service whose telemetry stopped is not judged by old steps. */
function isCurrent({ steps }: ServicePulse, endMs: number): boolean {
  return (steps.at(-1)?.atMs ?? 0) >= endMs - 3 * STEP_SECONDS * 1000;
}

async function isKnown(
  parts: ScanParts,
  anomalies: readonly Anomaly[],
  endMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const services = new Set(anomalies.map(({ service }) => service));
  const incidents = await parts.listIncidents(signal);
  return incidents.some(
    (incident) =>
      incident.source === 'detection' &&
      Math.abs(endMs - incident.openedAtMs) < SAME_TROUBLE_MS &&
      incident.anomalies.some(({ service }) => services.has(service)),
  );
}
