/** What the host process serves: the part of the runtime that its HTTP API needs. */

import type { ChangeList, HostStatus, ToolAnswer, Verification } from '../../api/api-shapes.ts';
import type { Approval, Decision } from '../../domain/approval.ts';
import type { Caller, Identity } from '../../domain/identity.ts';
import type { Incident } from '../../domain/incident.ts';
import type { Investigation, Progress } from '../../domain/investigation.ts';
import type { TimeWindow } from '../../domain/time-window.ts';
import type { Trace } from '../../domain/trace.ts';
import type { Runtime } from '../../runtime/open-runtime.ts';

/** Structurally Pick<Runtime, ...>, listChanges, readTrace and runTool, so that tests can serve something smaller. */
export interface HostRuntime {
  /** People who are known by a token of their own; empty: the host's token has every role. */
  readonly identities: readonly Identity[];
  readonly archive: Pick<Runtime['archive'], 'find' | 'findAll' | 'page'>;
  readonly audit: Runtime['audit'];
  readonly anomalies: Pick<Runtime['anomalies'], 'list'>;
  readonly noise: Omit<Runtime['noise'], 'refine'>;
  readonly explainAnomaly: Runtime['explainAnomaly'];
  /** `version` answers when the engine does. */
  readonly database: Pick<Runtime['database'], 'version'>;
  readonly intake: Runtime['intake'];
  receiveOtlp(request: Request): Promise<Response>;
  receiveChanges(request: Request): Promise<Response>;
  openIncident(incident: Incident): Promise<{ incident: Incident; investigationId: string }>;
  /** By incident id or investigation id. */
  findInvestigation(id: string, signal?: AbortSignal): Promise<Investigation | undefined>;
  listIncidents(limit: number, signal?: AbortSignal): Promise<Incident[]>;
  listPendingApprovals(signal?: AbortSignal): Promise<Approval[]>;
  decide(
    approvalId: string,
    decision: Omit<Decision, 'decidedAtMs'>,
    caller: Caller,
    signal?: AbortSignal,
  ): Promise<Investigation>;
  /** Recorded and inferred changes, the newest first. */
  listChanges(question: ChangesQuestion, signal: AbortSignal): Promise<ChangeList>;
  /** What carries this trace id; without spans, records and exemplars when nothing does. */
  readTrace(traceId: string, signal: AbortSignal): Promise<Trace>;
  /** One tool that people and models may call, on unchecked input; what it answers is kept as evidence. */
  runTool(name: string, input: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolAnswer>;
  readonly ask: Runtime['ask'];
  /** What the listener hears before the promise resolves is what happened so far; then it hears what happens. */
  watch(investigationId: string, listener: (progress: Progress) => void): Promise<() => Promise<void>>;
  verify(id: string, signal?: AbortSignal): Promise<Verification[]>;
  readonly listWorkers: Runtime['listWorkers'];
  scanNow(signal?: AbortSignal): Promise<Incident[]>;
  resumeInterrupted(): Promise<void>;
  status(): Promise<Pick<HostStatus, 'rows' | 'newest' | 'ingest'> & Omit<HostStatus['clickhouse'], 'database'>>;
  close(): Promise<void>;
}

export interface ChangesQuestion {
  readonly window: TimeWindow;
  readonly service?: string | undefined;
  readonly limit: number;
}
