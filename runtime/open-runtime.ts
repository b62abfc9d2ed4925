/**
 * The composition root: turns a configuration into opened parts, wires what folders may not import from each other, and closes
 * everything in reverse. Hosts, evals and tests open one; nothing below knows it.
 */
import { join } from 'node:path';
import { deployAgent } from '../agents/deploy-agent.ts';
import { logAgent } from '../agents/log-agent.ts';
import { metricsAgent } from '../agents/metrics-agent.ts';
import { supervisor } from '../agents/supervisor.ts';
import { traceAgent } from '../agents/trace-agent.ts';
import { type AuditLog, createAuditLog } from '../clickhouse/audit-log.ts';
import { createChangesWriter } from '../clickhouse/changes-writer.ts';
import { createCheckpointTable } from '../clickhouse/checkpoints.ts';
import type { Database } from '../clickhouse/database.ts';
import { createIncidentArchive, type IncidentArchive } from '../clickhouse/incident-archive.ts';
import { createOnceTable } from '../clickhouse/once-register.ts';
import { readStatus, type StoredTelemetry } from '../clickhouse/read-status.ts';
import { createQueryRerunner } from '../clickhouse/rerun-query.ts';
import { createTelemetryReader, type TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import { createTelemetryWriter } from '../clickhouse/telemetry-writer.ts';
import { createMemoryContextStore } from '../context-store/memory-context-store.ts';
import { createScanner } from '../detection/scan.ts';
import type { Identity } from '../domain/identity.ts';
import type { Incident } from '../domain/incident.ts';
import type { CheckpointRow } from '../graph/checkpoint-store.ts';
import { INVESTIGATION_LIMITS } from '../graph/investigation-parts.ts';
import { createInvestigator } from '../graph/run-investigation.ts';
import { createChangesReceiver } from '../ingest/changes-receiver.ts';
import { createIngestCounts } from '../ingest/ingest-counts.ts';
import { createOtlpReceiver } from '../ingest/otlp-receiver.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { newId } from '../platform/ids.ts';
import { createLifecycle } from '../platform/lifecycle.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { createActionExecutor } from '../tools/act/execute-action.ts';
import { createAuditHead } from './audit-head.ts';
import { type IncidentDesk, openIncidentDesk } from './incident-desk.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { createProgressJournal, type ProgressJournal } from './progress-journal.ts';
import { startPruning } from './prune-checkpoints.ts';
import { readChangesOfScope } from './read-changes-of-scope.ts';
import { readIdentities } from './read-identities.ts';

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
  /** People who are known by a token of their own; empty: the data directory's token has every role. */
  readonly identities: readonly Identity[];
  readonly audit: Pick<AuditLog, 'list' | 'verify'>;
  receiveOtlp(request: Request): Promise<Response>;
  receiveChanges(request: Request): Promise<Response>;
  readonly watch: ProgressJournal['watch'];
  /** Detection over the finished windows; resolves with the incidents it opened. */
  scanNow(signal?: AbortSignal): Promise<Incident[]>;
  status(signal?: AbortSignal): Promise<RuntimeStatus>;
  /** Waits for what runs, then closes everything in reverse. */
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const MAX_LISTED_INCIDENTS = 200;

/** Throws ConfigError when a part cannot be opened; what was opened before it is closed again. */
export async function openRuntime(config: Config, options: { logger?: Logger; clock?: Clock } = {}): Promise<Runtime> {
  const lifecycle = createLifecycle();
  try {
    return await wire(config, options.logger ?? createLogger(config.logLevel), options.clock ?? systemClock, lifecycle);
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

async function wire(
  config: Config,
  logger: Logger,
  clock: Clock,
  lifecycle: ReturnType<typeof createLifecycle>,
): Promise<Runtime> {
  const identities = await readIdentities(config.access.identitiesPath);
  const { database, engine } = await openConfiguredDatabase(config, lifecycle, logger);
  const telemetry = createTelemetryReader(database);
  const archive = createIncidentArchive(database, clock);
  const audit = createAuditLog(
    database,
    createAuditHead({ dataDir: config.dataDir, name: config.clickhouse.database }),
  );
  const contextStore = createMemoryContextStore({ clock, logger });
  lifecycle.add('context store', () => contextStore.close());
  const journal = createProgressJournal(contextStore);
  const toolContext = (signal: AbortSignal) => ({ telemetry, clock, signal });
  const checkpoints = createCheckpointTable<CheckpointRow['kind']>(database, clock);
  const investigator = createInvestigator({
    agents: [metricsAgent, logAgent, traceAgent, deployAgent],
    supervisor,
    contextStore,
    toolContext,
    checkpoints,
    once: createOnceTable(database),
    archive: {
      saveInvestigation: async (investigation, signal) => {
        await archive.save('evidence', investigation.evidence, signal);
        await archive.save('approval', investigation.approval ? [investigation.approval] : [], signal);
        await archive.save('investigation', [investigation], signal);
      },
      saveIncident: (incident, signal) => archive.save('incident', [incident], signal),
      listUnfinished: async (signal) => {
        const newest = await archive.list('investigation', MAX_LISTED_INCIDENTS, signal);
        const unfinished = newest.filter(({ status }) => status === 'running' || status === 'awaiting-approval');
        return unfinished.map(({ investigationId }) => investigationId);
      },
    },
    appendAudit: audit.append,
    readChanges: (scope, signal) => readChangesOfScope(scope, toolContext(signal)),
    executeAction: createActionExecutor({
      ticketDir: join(config.dataDir, 'tickets'),
      webhook: config.approval.webhook && { ...config.approval.webhook, clock },
    }),
    clock,
    newId,
    logger,
    limits: { ...INVESTIGATION_LIMITS, approvalTtlMs: config.approval.expiryHours * HOUR_MS },
  });
  const desk = openIncidentDesk({
    investigator,
    archive,
    audit,
    clock,
    logger,
    journal,
    rerun: createQueryRerunner(database),
  });
  lifecycle.add('investigations', desk.close);
  lifecycle.add('pruning', startPruning({ checkpoints, archive, clock, logger }));

  const counts = createIngestCounts();
  const { maxBodyBytes } = config.ingest;
  const writer = createTelemetryWriter(database);
  const receiving = { clock, logger, maxBodyBytes, counts, retentionDays: config.clickhouse.retentionDays };
  const scanner = createScanner({
    telemetry,
    clock,
    logger,
    listIncidents: (signal) => desk.listIncidents(MAX_LISTED_INCIDENTS, signal),
    publishIncident: async (incident) => {
      await desk.openIncident(incident);
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
    identities,
    audit,
    receiveOtlp: createOtlpReceiver({ ...receiving, write: (rows) => writer.write(rows) }),
    receiveChanges: createChangesReceiver({ ...receiving, writeChanges: createChangesWriter(database) }),
    watch: journal.watch,
    scanNow: (signal = new AbortController().signal) => scanner.scan(signal),
    status: async (signal) => ({
      ...(await readStatus(database, signal)),
      kind: engine ? 'embedded' : 'server',
      engineVersion: await database.version(signal),
      restarts: engine?.restarts() ?? 0,
      ingest: Object.fromEntries(
        Object.entries(counts).flatMap(([signalName, members]) =>
          Object.entries(members).map(([name, count]) => [`${signalName} ${name}`, Number(count)]),
        ),
      ),
    }),
    close: lifecycle.close,
  };
}
