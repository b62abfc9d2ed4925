/** The answers to ROUTES: one handler for each, given what read-call.ts checked. */
import type { FollowedIncident, HostStatus, InvestigationSummary } from '../../api/api-shapes.ts';
import { mayOperate } from '../../domain/identity.ts';
import type { Incident } from '../../domain/incident.ts';
import type { IncidentCourse } from '../../domain/incident-course.ts';
import type { Investigation } from '../../domain/investigation.ts';
import { InputError } from '../../platform/errors.ts';
import type { ApiHandlers } from './api-calls.ts';
import type { Host } from './host.ts';
import type { HostRuntime } from './host-runtime.ts';
import { createManualIncident } from './manual-incident.ts';
import { createNoiseHandlers } from './noise-handlers.ts';
import { formatCursor, type ListPlace, parseCursor } from './page-cursor.ts';
import { windowOf } from './read-window.ts';

export function createHandlers(host: Host): ApiHandlers {
  const { archive, audit } = lateParts(host);
  return {
    status: () => describeHost(host),
    listWorkers: async ({ signal }) => ({ workers: await host.runtime().listWorkers(signal) }),
    listIncidents: async ({ query, signal }) => {
      const { documents: incidents, ...rest } = await archive().page('incident', pageOf(query), signal);
      const ids = incidents.map(({ incidentId }) => incidentId);
      const courses = await archive().findAll('course', ids, signal);
      return { incidents: incidents.map((incident) => follow(incident, courses)), ...nextOf(rest) };
    },
    openIncident: async ({ input }) => {
      const opened = await host.runtime().openIncident(createManualIncident(input, host.clock.nowMs()));
      return { incident: opened.incident, investigationId: opened.investigationId };
    },
    getIncident: async ({ id, signal }) => {
      const incident = (await archive().find('incident', id, signal)) ?? refuseUnknown('incident', id);
      const course = await archive().find('course', id, signal);
      return { ...incident, ...(course ? { course } : {}) };
    },
    listInvestigations: async ({ query, signal }) => {
      const { documents, ...rest } = await archive().page('investigation', pageOf(query), signal);
      return { investigations: documents.map(summarise), ...nextOf(rest) };
    },
    getInvestigation: async ({ id, signal }) =>
      (await host.runtime().findInvestigation(id, signal)) ?? refuseUnknown('investigation', id),
    getEvidence: async ({ id, signal }) =>
      (await archive().find('evidence', id, signal)) ?? refuseUnknown('evidence', id),
    verify: async ({ id, signal }) => ({ verifications: await host.runtime().verify(id, signal) }),
    listApprovals: async ({ query, signal }) => {
      // What waits is known to the investigations themselves; the archive keeps what was decided.
      if (query.status === 'pending') {
        const pending = await host.runtime().listPendingApprovals(signal);
        return { approvals: pending.slice(0, query.limit) };
      }
      const { documents: approvals, ...rest } = await archive().page('approval', pageOf(query), signal);
      return { approvals, ...nextOf(rest) };
    },
    getApproval: async ({ id, signal }) =>
      (await archive().find('approval', id, signal)) ?? refuseUnknown('approval', id),
    decide: ({ id, input, caller }) => host.runtime().decide(id, input, caller),
    listChanges: ({ query, signal }) =>
      host
        .runtime()
        .listChanges(
          { window: windowOf(query, host.clock.nowMs()), service: query.service, limit: query.limit },
          signal,
        ),
    getTrace: async ({ id, signal }) => {
      const trace = await host.runtime().readTrace(id, signal);
      return trace.startMs === null ? refuseUnknown('trace', id) : trace;
    },
    runTool: ({ id, input, signal }) => host.runtime().runTool(id, input, signal),
    ask: async ({ input, caller, signal }) => {
      const { answer, conversationId } = await host
        .runtime()
        .ask(input, { name: caller.name, mayInvestigate: mayOperate(caller) }, signal);
      return { ...answer, conversationId };
    },
    listAudit: async ({ query: { fromSequence, limit }, signal }) => {
      const entries = await audit().list(fromSequence, limit, signal);
      const last = entries.at(-1);
      const goesOn = fromSequence !== undefined && last !== undefined && entries.length >= limit;
      return { entries, ...(goesOn ? { nextSequence: last.sequence + 1 } : {}) };
    },
    verifyAudit: ({ signal }) => audit().verify(signal),
    ...createNoiseHandlers(host),
    scan: async () => ({ incidents: await host.scan() }),
    shutdown: async () => {
      host.stop();
      return { stopping: true };
    },
  };
}

/** The runtime is there only while the host is ready. */
function lateParts(host: Host): { archive: () => HostRuntime['archive']; audit: () => HostRuntime['audit'] } {
  return { archive: () => host.runtime().archive, audit: () => host.runtime().audit };
}

function pageOf(query: { limit: number; status?: string | undefined; cursor?: string | undefined }) {
  const { limit, status, cursor } = query;
  return { limit, status, after: cursor === undefined ? undefined : parseCursor(cursor) };
}

function nextOf({ next }: { next?: ListPlace }): { nextCursor?: string } {
  return next ? { nextCursor: formatCursor(next) } : {};
}

/** The anomalies of a course are many: a list goes without. */
function follow(incident: Incident, courses: ReadonlyMap<string, IncidentCourse>): FollowedIncident {
  const course = courses.get(incident.incidentId);
  if (!course) return incident;
  const { anomalies: _, ...rest } = course;
  return { ...incident, course: rest };
}

function summarise(investigation: Investigation): InvestigationSummary {
  const { investigationId, incident, status, startedAtMs, finishedAtMs, failure, verdict, approval } = investigation;
  const [first] = verdict?.suspects ?? [];
  return {
    investigationId,
    incidentId: incident.incidentId,
    title: incident.title,
    status,
    startedAtMs,
    ...(finishedAtMs === undefined ? {} : { finishedAtMs }),
    ...(failure === undefined ? {} : { failure }),
    ...(verdict ? { outcome: verdict.outcome, confidence: verdict.confidence } : {}),
    ...(first ? { suspect: { service: first.service, causeType: first.causeType, statement: first.statement } } : {}),
    ...(approval ? { approvalId: approval.approvalId } : {}),
  };
}

async function describeHost(host: Host): Promise<HostStatus> {
  const { engineVersion, restarts, kind, rows, newest, ingest } = await host.runtime().status();
  const { dataDir, clickhouse } = host.config;
  return {
    version: host.version,
    nodeVersion: process.version,
    pid: process.pid,
    startedAtMs: host.startedAtMs,
    dataDir,
    grpcUrl: host.grpcUrl(),
    clickhouse: { kind, database: clickhouse.database, engineVersion, restarts },
    rows,
    newest,
    ingest,
  };
}

const WHERE_LISTED = {
  incident: 'GET /api/incidents lists them ("inquest incidents")',
  investigation: 'GET /api/incidents lists what was investigated ("inquest incidents")',
  evidence: 'investigations list theirs',
  trace: 'no span, log record or exemplar carries this id (or no longer)',
  approval: 'GET /api/approvals lists what waits',
} as const;

export function refuseUnknown(what: keyof typeof WHERE_LISTED, id: string): never {
  throw new InputError(`There is no ${what} ${id}: ${WHERE_LISTED[what]}.`, { code: 'not-found' });
}
