/** The answers to ROUTES: one handler for each, given what read-call.ts checked. */
import type { z } from 'zod';
import type { RouteName } from '../../api/api-client.ts';
import type { changesQuerySchema, InvestigationSummary, ROUTES } from '../../api/api-shapes.ts';
import type { Caller } from '../../domain/identity.ts';
import type { Investigation } from '../../domain/investigation.ts';
import { parseInstantMs, type TimeWindow } from '../../domain/time-window.ts';
import { errorMessage, InputError } from '../../platform/errors.ts';
import type { Host } from './host.ts';
import type { HostRuntime } from './host-runtime.ts';
import { createManualIncident } from './manual-incident.ts';
import { formatCursor, type ListPlace, parseCursor } from './page-cursor.ts';

type Routes = typeof ROUTES;
type OutputOf<Schema, Otherwise> = Schema extends z.ZodType ? z.output<Schema> : Otherwise;
type PartOf<Route, Part extends string> = Route extends { [P in Part]: infer Schema } ? Schema : undefined;

/** `signal` is aborted when the caller hangs up: for reads. What has an effect goes on without its caller. */
export interface ApiCall<Query, Input> {
  readonly caller: Caller;
  /** Empty where the path has none. */
  readonly id: string;
  readonly query: Query;
  readonly input: Input;
  readonly signal: AbortSignal;
}

export type ApiHandlers = {
  readonly [Name in RouteName]: (
    call: ApiCall<OutputOf<PartOf<Routes[Name], 'query'>, object>, OutputOf<PartOf<Routes[Name], 'input'>, undefined>>,
  ) => Promise<z.input<Routes[Name]['output']>>;
};

export function createHandlers(host: Host): ApiHandlers {
  const { archive, audit } = lateParts(host);
  return {
    status: () => describeHost(host),
    listIncidents: async ({ query, signal }) => {
      const { documents: incidents, ...rest } = await archive().page('incident', pageOf(query), signal);
      return { incidents, ...nextOf(rest) };
    },
    openIncident: async ({ input }) => {
      const opened = await host.runtime().openIncident(createManualIncident(input, host.clock.nowMs()));
      return { incident: opened.incident, investigationId: opened.investigationId };
    },
    getIncident: async ({ id, signal }) =>
      (await archive().find('incident', id, signal)) ?? refuseUnknown('incident', id),
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
    listAudit: async ({ query: { fromSequence, limit }, signal }) => {
      const entries = await audit().list(fromSequence, limit, signal);
      const last = entries.at(-1);
      const goesOn = fromSequence !== undefined && last !== undefined && entries.length >= limit;
      return { entries, ...(goesOn ? { nextSequence: last.sequence + 1 } : {}) };
    },
    verifyAudit: ({ signal }) => audit().verify(signal),
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

function windowOf({ since, until }: z.output<typeof changesQuerySchema>, nowMs: number): TimeWindow {
  const window = { startMs: readInstant('since', since, nowMs), endMs: readInstant('until', until, nowMs) };
  if (window.startMs < window.endMs) return window;
  throw new InputError(`since: ${since} is not before until, ${until}.`);
}

function readInstant(name: string, text: string, nowMs: number): number {
  try {
    return parseInstantMs(text, nowMs);
  } catch (error) {
    throw new InputError(`${name}: ${errorMessage(error)}`, { cause: error });
  }
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

async function describeHost(host: Host): Promise<z.input<Routes['status']['output']>> {
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
