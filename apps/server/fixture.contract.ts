/** A host in memory for tests: the real app and context store, the real receivers, archives that are maps. */

import type { HostState } from '../../api/host-lock.ts';
import { createMemoryContextStore } from '../../context-store/memory-context-store.ts';
import type { Approval } from '../../domain/approval.ts';
import { type AuditEntry, GENESIS, sealAuditEntry } from '../../domain/audit.ts';
import { createEvidence } from '../../domain/evidence.ts';
import { decisionNameOf, type Identity, leastRole, mayDecide } from '../../domain/identity.ts';
import type { Incident } from '../../domain/incident.ts';
import type { Investigation, Progress } from '../../domain/investigation.ts';
import { createChangesReceiver } from '../../ingest/changes-receiver.ts';
import { createOtlpHttpReceiver } from '../../ingest/otlp-http-receiver.ts';
import { createOtlpIntake } from '../../ingest/otlp-intake.ts';
import { systemClock } from '../../platform/clock.ts';
import { loadConfig } from '../../platform/config.ts';
import { InputError, UnavailableError } from '../../platform/errors.ts';
import { silentLogger } from '../../platform/logger.ts';
import { createAnomalyExplainer } from '../../runtime/explain-anomaly.ts';
import { openNoiseDesk } from '../../runtime/noise-desk.ts';
import { createMemoryNoise, type MemoryNoise } from '../../runtime/noise-parts.fixture.ts';
import { createActivity } from './activity.ts';
import { createScanQueue } from './background.ts';
import type { Host } from './host.ts';
import type { ChangesQuestion, HostRuntime } from './host-runtime.ts';
import { createMemoryArchive } from './memory-archive.fixture.ts';

export const TOKEN = 'the-token-of-tests';
export const WINDOW = { startMs: 1_000_000, endMs: 2_000_000 };

/** What the audit log of a memory runtime holds. */
export const AUDIT: readonly AuditEntry[] = sealAll(['incident.opened', 'approval.requested', 'approval.decided']);

function sealAll(kinds: readonly string[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const [atMs, kind] of kinds.entries()) {
    entries.push(sealAuditEntry({ atMs, actor: 'supervisor', kind, subject: 'inc_1', details: {} }, entries.at(-1)));
  }
  return entries;
}

export interface MemoryRuntime extends HostRuntime {
  /** What was asked about changes. */
  readonly questions: ChangesQuestion[];
  /** Telemetry and change rows received so far. */
  readonly stored: { telemetry: number; changes: number };
  /** What the desk for noise keeps. */
  readonly noiseParts: MemoryNoise;
  readonly scans: { count: number; overlapping: number };
  /** As the graph does: archives first, then tells. */
  step(investigationId: string, kind: Progress['kind'], change?: Partial<Investigation>): Promise<void>;
  /** Makes the next calls of a method reject. */
  failWith(error: Error | undefined): void;
}

export interface MemoryOptions {
  readonly maxBodyBytes?: number;
  readonly identities?: readonly Identity[];
}

export function createMemoryRuntime(options: MemoryOptions = {}): MemoryRuntime {
  const { maxBodyBytes = 1_000_000 } = options;
  const contextStore = createMemoryContextStore({ clock: systemClock });
  const investigations = new Map<string, Investigation>();
  const stored = { telemetry: 0, changes: 0 };
  const noiseParts = createMemoryNoise(systemClock);
  const scans = { count: 0, overlapping: 0 };
  const questions: ChangesQuestion[] = [];
  let failure: Error | undefined;
  let scanning = 0;
  const receiving = { clock: systemClock, logger: silentLogger, maxBodyBytes };
  const intake = createOtlpIntake({
    ...receiving,
    store: async () => {
      stored.telemetry++;
    },
  });

  const find = (id: string) =>
    [...investigations.values()].find((one) => one.investigationId === id || one.incident.incidentId === id);
  const refuseBroken = () => {
    if (failure) throw failure;
  };
  const approvals = (): Approval[] => [...investigations.values()].flatMap(({ approval }) => approval ?? []);

  return {
    stored,
    scans,
    noiseParts,
    anomalies: noiseParts.parts.anomalies,
    noise: openNoiseDesk(noiseParts.parts),
    explainAnomaly: createAnomalyExplainer(noiseParts.parts),
    intake,
    receiveOtlp: createOtlpHttpReceiver(intake),
    receiveChanges: createChangesReceiver({
      ...receiving,
      writeChanges: async (changes) => {
        stored.changes += changes.length;
      },
    }),
    listWorkers: async () => [],
    openIncident: async (incident) => {
      refuseBroken();
      const investigation = investigationOf(incident);
      investigations.set(investigation.investigationId, investigation);
      return { incident: investigation.incident, investigationId: investigation.investigationId };
    },
    findInvestigation: async (id) => {
      refuseBroken();
      return find(id);
    },
    listIncidents: async (limit) => {
      refuseBroken();
      return [...investigations.values()].slice(0, limit).map(({ incident }) => incident);
    },
    listPendingApprovals: async () => approvals().filter(({ decision }) => !decision),
    identities: options.identities ?? [],
    archive: createMemoryArchive(() => {
      refuseBroken();
      return [...investigations.values()];
    }),
    audit: {
      list: async (from, limit) =>
        from === undefined ? AUDIT.slice(-limit) : AUDIT.filter(({ sequence }) => sequence >= from).slice(0, limit),
      verify: async () => ({ whole: true, entries: AUDIT.length, last: AUDIT.at(-1) ?? GENESIS, problems: [] }),
    },
    database: {
      version: async () => {
        refuseBroken();
        return '1.2.3';
      },
    },
    listChanges: async (question) => {
      refuseBroken();
      questions.push(question);
      return { changes: [], totalRows: 0, truncated: false };
    },
    runTool: async (name, input) => {
      refuseBroken();
      const query = { sql: 'SELECT 1', parameters: {}, rowCount: 0, digest: '0'.repeat(64) };
      const taken = {
        tool: name,
        input,
        queries: [query],
        window: WINDOW,
        takenAtMs: WINDOW.endMs,
        summary: 'nothing',
      };
      return { output: {}, evidence: createEvidence(taken) };
    },
    ask: async ({ question }, { mayInvestigate }) => {
      refuseBroken();
      return {
        answer: {
          ...{ kind: 'answered', by: 'grammar', text: `asked: ${question} (${mayInvestigate})`, understood: '' },
          ...{ tables: [], evidenceIds: [], notes: [], suggestions: [] },
        },
        conversationId: 'talk_1',
      };
    },
    readTrace: async () => {
      refuseBroken();
      const nothing = {
        spans: [],
        totalSpans: 0,
        logs: [],
        totalLogs: 0,
        exemplars: [],
        totalExemplars: 0,
        orphans: 0,
      };
      return { startMs: null, ...nothing, truncated: false };
    },
    questions,
    decide: async (approvalId, decision, caller) => {
      const found = [...investigations.values()].find(({ approval }) => approval?.approvalId === approvalId);
      if (!found?.approval) throw new InputError(`There is no approval ${approvalId}.`, { code: 'not-found' });
      const { tier } = found.approval.remediation;
      if (!mayDecide(caller, tier)) throw new InputError(`That takes a ${leastRole(tier)}.`, { code: 'forbidden' });
      if (found.approval.decision) throw new InputError('That was decided before.', { code: 'conflict' });
      const decidedBy = decisionNameOf(caller, decision.decidedBy);
      const approval = { ...found.approval, decision: { ...decision, decidedBy, decidedAtMs: 2 } };
      const decided: Investigation = { ...found, status: 'finished', approval };
      investigations.set(decided.investigationId, decided);
      return decided;
    },
    watch: (investigationId, listener) => contextStore.subscribe(investigationId, listener),
    verify: async (id) => {
      if (!find(id)) throw new InputError(`There is nothing called ${id}.`, { code: 'not-found' });
      return [];
    },
    scanNow: async () => {
      scanning++;
      if (scanning > 1) scans.overlapping++;
      await new Promise((resolve) => setImmediate(resolve));
      scanning--;
      scans.count++;
      refuseBroken();
      return [];
    },
    resumeInterrupted: async () => {},
    status: async () => {
      refuseBroken();
      return { engineVersion: '1.2.3', restarts: 0, kind: 'embedded', rows: {}, newest: {}, ingest: {} };
    },
    close: () => contextStore.close(),
    step: async (investigationId, kind, change = {}) => {
      const before = find(investigationId);
      if (!before) throw new InputError(`There is no investigation ${investigationId}.`);
      investigations.set(investigationId, { ...before, ...change });
      await contextStore.announce({ investigationId, atMs: 5, actor: 'supervisor', kind, message: `now ${kind}` });
    },
    failWith: (error) => {
      failure = error;
    },
  };
}

function investigationOf(incident: Incident): Investigation {
  const investigationId = incident.incidentId.replace('inc_', 'inv_');
  return {
    investigationId,
    incident: { ...incident, status: 'investigating', investigationId },
    status: 'running',
    startedAtMs: 1,
    rounds: 0,
    tasks: [],
    findings: [],
    evidence: [],
    hypotheses: [],
    votes: [],
    changes: [],
  };
}

export function approvalOf(investigationId: string): Approval {
  return {
    approvalId: 'apr_1',
    incidentId: 'inc_1',
    investigationId,
    remediation: {
      action: 'rollback-deploy',
      service: 'cart',
      parameters: {},
      tier: 'medium',
      rationale: 'roll cart back',
      preconditions: [],
      undo: 'deploy it again',
      evidenceIds: [],
    },
    actionDigest: '0'.repeat(64),
    requestedAtMs: 1,
    expiresAtMs: 10,
  };
}

export interface MemoryHost {
  readonly host: Host;
  readonly runtime: MemoryRuntime;
  readonly stopping: AbortController;
  enter(state: HostState): void;
}

export function createMemoryHost(options: MemoryOptions & { token?: string } = {}): MemoryHost {
  const runtime = createMemoryRuntime(options);
  const stopping = new AbortController();
  let current: HostState = 'ready';
  const host: Host = {
    config: loadConfig({ INQUEST_DATA_DIR: '/nowhere' }),
    clock: systemClock,
    logger: silentLogger,
    activity: createActivity(),
    token: options.token ?? TOKEN,
    version: '0.0.0-test',
    startedAtMs: 1,
    grpcUrl: () => undefined,
    state: () => current,
    runtime: () => {
      if (current !== 'ready') throw new UnavailableError(`The host is ${current}.`);
      return runtime;
    },
    scan: createScanQueue((signal) => runtime.scanNow(signal)),
    stopping: stopping.signal,
    stop: () => stopping.abort(),
  };
  return {
    host,
    runtime,
    stopping,
    enter: (state) => {
      current = state;
    },
  };
}
