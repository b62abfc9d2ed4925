/**
 * The composition root: turns a configuration into opened parts, wires what folders may not import from each other, and closes
 * everything in reverse. Hosts, evals and tests open one; nothing below knows it.
 */
import { type AnomalyArchive, createAnomalyArchive } from '../clickhouse/anomaly-archive.ts';
import type { AuditLog } from '../clickhouse/audit-log.ts';
import { createChangesWriter } from '../clickhouse/changes-writer.ts';
import { cloneRollups } from '../clickhouse/clone-rollups.ts';
import type { Database } from '../clickhouse/database.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import { createTemplateStore } from '../clickhouse/log-templates.ts';
import { readIncidentOutcomes } from '../clickhouse/read-incident-outcomes.ts';
import { readStatus, type StoredTelemetry } from '../clickhouse/read-status.ts';
import type { TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import { createTelemetryWriter } from '../clickhouse/telemetry-writer.ts';
import type { DetectionPart } from '../domain/anomaly.ts';
import type { Identity } from '../domain/identity.ts';
import type { Incident } from '../domain/incident.ts';
import type { IncidentCourse } from '../domain/incident-course.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { WORKER_ROLES } from '../domain/worker.ts';
import { INVESTIGATION_LIMITS } from '../graph/investigation-parts.ts';
import { createChangesReceiver } from '../ingest/changes-receiver.ts';
import { createIngestCounts } from '../ingest/ingest-counts.ts';
import { createOtlpHttpReceiver } from '../ingest/otlp-http-receiver.ts';
import { createOtlpIntake, type OtlpIntake } from '../ingest/otlp-intake.ts';
import { createPipeline, PIPELINE_LIMITS } from '../ingest/pipeline.ts';
import { createTemplateMiner, writeMined } from '../ingest/template-miner.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { createLifecycle } from '../platform/lifecycle.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { createAnomalyExplainer } from './explain-anomaly.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { type NoiseDesk, openNoiseDesk } from './noise-desk.ts';
import { type Chat, openChat } from './open-chat.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { openDetection } from './open-detection.ts';
import { type Investigations, openInvestigations } from './open-investigations.ts';
import { openKafka } from './open-kafka.ts';
import { openShared } from './open-shared.ts';
import type { ProgressJournal } from './progress-journal.ts';
import { startPruning } from './prune-checkpoints.ts';
import { readIdentities } from './read-identities.ts';
import { refreshAll, startRefreshing } from './start-refreshing.ts';
import { startSettling } from './start-settling.ts';

export interface RuntimeStatus extends StoredTelemetry {
  readonly kind: 'embedded' | 'server';
  readonly engineVersion: string;
  readonly restarts: number;
  /** Counters of the receivers, by `signal counter`. */
  readonly ingest: Record<string, number>;
}

export interface Runtime extends IncidentDesk {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly database: Database;
  readonly telemetry: TelemetryReader;
  readonly archive: IncidentArchive;
  readonly anomalies: AnomalyArchive;
  readonly noise: NoiseDesk;
  readonly explainAnomaly: ReturnType<typeof createAnomalyExplainer>;
  /** People who are known by a token of their own; empty: the data directory's token has every role. */
  readonly identities: readonly Identity[];
  readonly audit: Pick<AuditLog, 'list' | 'verify'>;
  /** What every OTLP receiver hands its requests to. */
  readonly intake: OtlpIntake;
  receiveOtlp(request: Request): Promise<Response>;
  receiveChanges(request: Request): Promise<Response>;
  readonly watch: ProgressJournal['watch'];
  /** A question in plain language. */
  readonly ask: Chat['ask'];
  /** The processes that take part, this one among them. */
  readonly listWorkers: Investigations['listWorkers'];
  /** Detection over the finished windows; resolves with the incidents it opened. */
  scanNow(signal?: AbortSignal): Promise<Incident[]>;
  /** Sums up the hours that are over: what the host does every few minutes, for whoever moves the clock by hand. */
  refreshBaselines(signal?: AbortSignal): Promise<void>;
  /** Copies the rollups of a window to another time, so that evals of detection see weeks: see clone-rollups.ts. */
  cloneRollups(copy: { readonly window: TimeWindow; readonly byMs: number }, signal?: AbortSignal): Promise<number>;
  /** How the incidents that detection opened went on, the newest first. */
  listCourses(limit: number, signal?: AbortSignal): Promise<IncidentCourse[]>;
  status(signal?: AbortSignal): Promise<RuntimeStatus>;
  /** Waits for what runs, then closes everything in reverse. */
  close(): Promise<void>;
}

export interface RuntimeOptions {
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** False: what detection opens is archived and not investigated. For evals of detection. */
  readonly investigates?: boolean;
  /** Parts of detection that are left out, to see what they are worth. */
  readonly without?: ReadonlySet<DetectionPart>;
}

/** Throws ConfigError when a part cannot be opened; what was opened before it is closed again. */
export async function openRuntime(config: Config, options: RuntimeOptions = {}): Promise<Runtime> {
  const lifecycle = createLifecycle();
  try {
    return await wire(config, options, lifecycle);
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

async function wire(
  config: Config,
  options: RuntimeOptions,
  lifecycle: ReturnType<typeof createLifecycle>,
): Promise<Runtime> {
  const { logger = createLogger(config.logLevel), clock = systemClock } = options;
  const identities = await readIdentities(config.access.identitiesPath);
  const { database, source, engine } = await openConfiguredDatabase(config, lifecycle, logger);
  const shared = await openShared(config, { database, clock, logger, lifecycle });
  const investigations = await openInvestigations({
    ...{ config, database, source, shared, clock, logger, lifecycle },
    worker: { roles: WORKER_ROLES, concurrency: INVESTIGATION_LIMITS.concurrency },
  });
  const { telemetry, archive, audit, checkpoints, journal, listWorkers, model } = investigations;
  const desk = investigations.openDesk();
  lifecycle.add('pruning', startPruning({ checkpoints, archive, clock, logger }));
  if (source === database) {
    lifecycle.add('settling', startSettling({ database, clock, logger }));
    lifecycle.add('baselines', startRefreshing({ database, clock, logger }));
  }

  const counts = createIngestCounts();
  const { maxBodyBytes, maxQueuedBytes } = config.ingest;
  const templates = createTemplateMiner({ store: createTemplateStore(database), logger });
  const write = writeMined(templates, createTelemetryWriter(database).write);
  const pipeline = createPipeline({ write, limits: { ...PIPELINE_LIMITS, maxQueuedBytes } });
  const receiving = {
    clock,
    logger,
    maxBodyBytes,
    maxInFlightBytes: maxQueuedBytes,
    counts,
    retentionDays: config.clickhouse.retentionDays,
  };
  const { retentionDays } = receiving;
  const kafkaParts = { write, clock, logger, lifecycle, retentionDays, maxPendingBytes: maxQueuedBytes };
  const kafka = config.kafka && openKafka(config.kafka, kafkaParts);
  const storing = createOtlpIntake({ ...receiving, store: kafka?.store ?? pipeline.store });
  const intake = source === database ? storing : refuseTelemetry(storing);
  const anomalies = createAnomalyArchive(database, clock);
  const noise = openNoiseDesk({
    archive,
    anomalies,
    audit,
    clock,
    logger,
    readOutcomes: (window, signal) => readIncidentOutcomes(database, window, signal),
  });
  const scanner = openDetection({
    database,
    telemetry,
    archive,
    anomalies,
    noise,
    clock,
    logger,
    lock: shared.shardLock,
    shard: config.clickhouse.database,
    without: options.without,
    publishIncident: async (incident) => {
      if (options.investigates === false) await archive.save('incident', [incident]);
      else await desk.openIncident(incident);
    },
  });
  return {
    ...desk,
    config,
    logger,
    clock,
    database,
    telemetry,
    archive,
    anomalies,
    noise,
    explainAnomaly: createAnomalyExplainer({ archive, anomalies, clock }),
    identities,
    audit,
    intake,
    receiveOtlp: createOtlpHttpReceiver(intake),
    receiveChanges: createChangesReceiver({ ...receiving, writeChanges: createChangesWriter(database) }),
    watch: journal.watch,
    ask: openChat({ telemetry, archive, desk, model, clock }).ask,
    listWorkers,
    scanNow: (signal = new AbortController().signal) => scanner.scan(signal),
    refreshBaselines: (signal) => refreshAll({ database, clock, logger }, signal),
    cloneRollups: (copy, signal) => cloneRollups(database, copy, signal),
    listCourses: (limit, signal) => archive.list('course', limit, signal),
    status: async (signal) => ({
      ...(await readStatus(source, database, signal)),
      kind: engine ? 'embedded' : 'server',
      engineVersion: await database.version(signal),
      restarts: engine?.restarts() ?? 0,
      ingest: flatten({
        ...counts,
        queue: pipeline.load(),
        templates: templates.load(),
        ...(kafka ? { kafka: await kafka.status() } : {}),
      }),
    }),
    close: lifecycle.close,
  };
}

/** `{traces: {received: 1}}` as `{'traces received': 1}`. */
function flatten(counters: Readonly<Record<string, object>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters).flatMap(([group, members]) =>
      Object.entries(members).map(([name, count]) => [`${group} ${name}`, Number(count)]),
    ),
  );
}

const NOT_HERE =
  'This Inquest reads telemetry from a database that somebody else fills (INQUEST_SOURCE_DATABASE) and stores none: send it there.';

/** Whoever sends it is told at once, and not to try again. */
function refuseTelemetry(intake: OtlpIntake): OtlpIntake {
  return { ...intake, receive: async (signal) => intake.refuse(signal, 400, NOT_HERE) };
}
