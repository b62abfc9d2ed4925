/** Detection, put together: the watches over rollups, what is usual and what is noise, and the scanner that steps through them. */
import type { AnomalyArchive } from '../clickhouse/anomaly-archive.ts';
import type { Database } from '../clickhouse/database.ts';
import { createDetectorStates } from '../clickhouse/detector-states.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import type { ShardLock } from '../context-store/shard-lock.ts';
import { createSeason } from '../detection/apply-season.ts';
import type { ServiceLinks } from '../detection/group-anomalies.ts';
import { createScanner, type Scanner } from '../detection/scan.ts';
import type { Watch } from '../detection/watch.ts';
import { createRequestWatch } from '../detection/watch-requests.ts';
import { createRuleWatch } from '../detection/watch-rules.ts';
import { createSeriesWatch } from '../detection/watch-series.ts';
import { createSilenceWatch } from '../detection/watch-silence.ts';
import { createTemplateWatch } from '../detection/watch-templates.ts';
import type { DetectionPart } from '../domain/anomaly.ts';
import type { Incident } from '../domain/incident.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { NoiseDesk } from './noise-desk.ts';

export interface DetectionParts {
  /** Inquest's own. */
  readonly database: Database;
  readonly telemetry: TelemetryReader;
  readonly archive: IncidentArchive;
  readonly anomalies: Pick<AnomalyArchive, 'save' | 'listOpen'>;
  readonly noise: Pick<NoiseDesk, 'refine'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lock: ShardLock;
  /** One scanner at a time looks at it. */
  readonly shard: string;
  readonly without?: ReadonlySet<DetectionPart> | undefined;
  publishIncident(incident: Incident, signal: AbortSignal): Promise<void>;
}

const MAX_COURSES = 200;
const MAX_OPEN_ANOMALIES = 5_000;
const MAX_EDGES = 20_000;

export function openDetection(parts: DetectionParts): Scanner {
  const {
    database,
    telemetry,
    archive,
    anomalies,
    noise,
    clock,
    logger,
    lock,
    shard,
    without = new Set<DetectionPart>(),
  } = parts;
  const states = createDetectorStates(database);
  const season = createSeason({ baselines: telemetry.baselines, logger });
  return createScanner({
    createWatches: () => createWatches(telemetry, logger, without),
    clock,
    logger,
    lock,
    shard,
    needsAgreement: !without.has('agreement'),
    readNewest: async (window, signal) => {
      const { rows } = await telemetry.coverage.readNewest({ window }, { maxRows: 1, timeoutMs: 5_000, signal });
      return rows[0]?.newestMs ?? 0;
    },
    readLinks: (window, signal) => readLinks(telemetry, window, signal),
    refine: async (anomalies, atMs, signal) => {
      const unusual = without.has('season') ? anomalies : await season.refine(anomalies, atMs, signal);
      return noise.refine(unusual, atMs, signal);
    },
    readStates: states.readAll,
    saveStates: states.save,
    listCourses: (signal) => archive.list('course', MAX_COURSES, signal),
    saveCourses: (courses, signal) => archive.save('course', courses, signal),
    listOpenAnomalies: (signal) => anomalies.listOpen(MAX_OPEN_ANOMALIES, signal),
    saveAnomalies: anomalies.save,
    isPublished: async (id, signal) => (await archive.find('incident', id, signal)) !== undefined,
    publishIncident: parts.publishIncident,
  });
}

function createWatches(telemetry: TelemetryReader, logger: Logger, without: ReadonlySet<DetectionPart>): Watch[] {
  const watches: Watch[] = [
    createRequestWatch({ telemetry: telemetry.operationSteps }),
    createSeriesWatch({ telemetry: telemetry.metricMinutes, logger, without }),
    createTemplateWatch({ telemetry: telemetry.templateMinutes, logger }),
    createSilenceWatch({ telemetry: telemetry.presenceMinutes, logger }),
    createRuleWatch({ telemetry: telemetry.ruleFacts, logger }),
  ];
  return watches.filter(({ name }) => !without.has(name as DetectionPart));
}

async function readLinks(telemetry: TelemetryReader, window: TimeWindow, signal: AbortSignal): Promise<ServiceLinks> {
  const { rows } = await telemetry.services.countEdges({ window }, { maxRows: MAX_EDGES, timeoutMs: 10_000, signal });
  const links = new Map<string, Set<string>>();
  const link = (one: string, other: string) => links.set(one, (links.get(one) ?? new Set()).add(other));
  for (const { caller, callee } of rows) {
    link(caller, callee);
    link(callee, caller);
  }
  return links;
}
