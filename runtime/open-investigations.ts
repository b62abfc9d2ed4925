/** Investigating, put together: the jury, the graph with its stores, and the desk where incidents and decisions come in. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { consultModel } from '../agents/consult-model.ts';
import { deployAgent } from '../agents/deploy-agent.ts';
import { logAgent } from '../agents/log-agent.ts';
import { metricsAgent } from '../agents/metrics-agent.ts';
import { supervisor } from '../agents/supervisor.ts';
import { traceAgent } from '../agents/trace-agent.ts';
import { type AuditLog, createAuditLog } from '../clickhouse/audit-log.ts';
import { type CheckpointTable, createCheckpointTable } from '../clickhouse/checkpoints.ts';
import { createIncidentArchive, type IncidentArchive } from '../clickhouse/incident-archive.ts';
import { createQueryRerunner } from '../clickhouse/rerun-query.ts';
import { createTelemetryReader, type TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import type { AgentName } from '../domain/signal.ts';
import { tallyVotes } from '../domain/tally-votes.ts';
import type { Worker, WorkerRole } from '../domain/worker.ts';
import type { CheckpointRow } from '../graph/checkpoint-store.ts';
import { INVESTIGATION_LIMITS, type InvestigationParts } from '../graph/investigation-parts.ts';
import { createInvestigator } from '../graph/run-investigation.ts';
import { type ChatModel, openChatModel } from '../llm/chat-model.ts';
import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { newId } from '../platform/ids.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { createActionExecutor } from '../tools/act/execute-action.ts';
import { type IncidentDesk, type OpenedDesk, openIncidentDesk } from './incident-desk.ts';
import type { OpenedDatabase } from './open-database.ts';
import type { SharedParts } from './open-shared.ts';
import { createProgressJournal, type ProgressJournal } from './progress-journal.ts';
import { readChangesOfScope } from './read-changes-of-scope.ts';
import { type Beating, startBeating } from './start-beating.ts';
import { createWorkInHand } from './work-in-hand.ts';

export interface InvestigationsOptions extends Pick<OpenedDatabase, 'database' | 'source'> {
  readonly config: Config;
  readonly shared: SharedParts;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  /** How this process is listed. */
  readonly worker: Pick<Worker, 'roles' | 'concurrency'>;
}

export interface Investigations {
  readonly telemetry: TelemetryReader;
  readonly archive: IncidentArchive;
  readonly audit: AuditLog;
  readonly checkpoints: CheckpointTable<CheckpointRow['kind']>;
  readonly journal: ProgressJournal;
  /** Undefined where none is configured. */
  readonly model: ChatModel | undefined;
  /** What a worker answers tasks with. */
  readonly parts: InvestigationParts;
  readonly workerId: string;
  readonly listWorkers: Beating['listWorkers'];
  /** Once; from then on it also takes over from processes that disappear. */
  openDesk(): IncidentDesk;
}

/** Where this process runs, as others see it. */
const thisProcess = () => ({ host: hostname(), pid: process.pid });

const roleOf = (agent: AgentName): WorkerRole => AGENTS.find(({ name }) => name === agent)?.signal ?? 'supervisor';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MAX_LISTED_INCIDENTS = 200;
const AGENTS = [metricsAgent, logAgent, traceAgent, deployAgent];

/** What opens is registered with `lifecycle`. */
export async function openInvestigations(options: InvestigationsOptions): Promise<Investigations> {
  const { config, database, source, shared, clock, logger, lifecycle } = options;
  const { contextStore, once } = shared;
  const telemetry = createTelemetryReader(source, database);
  const archive = createIncidentArchive(database, clock);
  const audit = createAuditLog(database, shared.auditHead);
  const checkpoints = createCheckpointTable<CheckpointRow['kind']>(database);
  const journal = createProgressJournal(contextStore);
  const toolContext: InvestigationParts['toolContext'] = (signal) => ({ telemetry, clock, signal });
  const workInHand = createWorkInHand(clock);
  const workerId = newId('worker', clock.nowMs());
  const startedAtMs = clock.nowMs();
  let desk: OpenedDesk | undefined;
  const beating = await startBeating({
    registry: shared.workers,
    describe: () => ({ workerId, ...thisProcess(), ...options.worker, holding: workInHand.list(), startedAtMs }),
    onGone: () => desk?.takeOver(),
    logger,
  });
  lifecycle.add('heartbeats', beating.close);
  const model = openModel(options);
  const parts: InvestigationParts = {
    holder: workerId,
    agents: AGENTS,
    consult: model && createConsult(model, toolContext),
    supervisor,
    contextStore,
    toolContext,
    checkpoints,
    once,
    shardLock: shared.shardLock,
    newestVersion: async (signal) =>
      Math.max(await checkpoints.newestVersion(signal), await archive.newestVersion(signal)),
    hasHelpers: (agent) => beating.hasHelpers(roleOf(agent)),
    noteWork: workInHand.note,
    archive: {
      saveInvestigation: async (investigation, version, signal) => {
        await archive.save('evidence', investigation.evidence, signal);
        await archive.save('approval', investigation.approval ? [investigation.approval] : [], signal, version);
        await archive.save('investigation', [investigation], signal, version);
      },
      saveIncident: (incident, version, signal) => archive.save('incident', [incident], signal, version),
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
    limits: {
      ...INVESTIGATION_LIMITS,
      approvalTtlMs: config.approval.expiryHours * HOUR_MS,
      escalateAfterMs: config.approval.escalateMinutes * MINUTE_MS,
    },
  };
  return {
    telemetry,
    archive,
    audit,
    checkpoints,
    journal,
    model,
    parts,
    workerId,
    listWorkers: beating.listWorkers,
    openDesk: () => {
      desk = openIncidentDesk({
        investigator: createInvestigator(parts),
        archive,
        audit,
        once,
        announce: contextStore.announce,
        clock,
        logger,
        journal,
        rerun: createQueryRerunner(source, database),
        shardLock: shared.shardLock,
        isAlone: shared.isAlone,
      });
      lifecycle.add('investigations', desk.close);
      return desk;
    },
  };
}

/** Undefined where no model is configured. */
function openModel({ config, clock, lifecycle }: InvestigationsOptions): ChatModel | undefined {
  if (!config.llm) return undefined;
  const model = openChatModel(config.llm, { clock });
  lifecycle.add('chat model', model.close);
  return model;
}

function createConsult(
  model: ChatModel,
  toolContext: InvestigationParts['toolContext'],
): InvestigationParts['consult'] {
  return (agent, task, board, signal) => {
    const round = task.round - 1;
    const hypotheses = board.hypotheses.filter((one) => one.round === round);
    const tally = tallyVotes(
      hypotheses,
      board.votes.filter((vote) => vote.round === round),
    );
    return consultModel({ agent, task, board, tally, model, context: toolContext(signal) });
  };
}
