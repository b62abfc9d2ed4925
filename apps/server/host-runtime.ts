/** What the host process serves: the part of the runtime that its HTTP API needs. */

import type { HostStatus, Verification } from '../../api/api-shapes.ts';
import type { Approval, Decision } from '../../domain/approval.ts';
import type { Incident } from '../../domain/incident.ts';
import type { Investigation, Progress } from '../../domain/investigation.ts';

/** Structurally Pick<Runtime, ...>, so that tests can serve something smaller. */
export interface HostRuntime {
  receiveOtlp(request: Request): Promise<Response>;
  receiveChanges(request: Request): Promise<Response>;
  openIncident(incident: Incident): Promise<{ incident: Incident; investigationId: string }>;
  /** By incident id or investigation id. */
  findInvestigation(id: string, signal?: AbortSignal): Promise<Investigation | undefined>;
  listIncidents(limit: number, signal?: AbortSignal): Promise<Incident[]>;
  listPendingApprovals(signal?: AbortSignal): Promise<Approval[]>;
  decide(approvalId: string, decision: Omit<Decision, 'decidedAtMs'>, signal?: AbortSignal): Promise<Investigation>;
  /** What the listener hears before the promise resolves is what happened so far; then it hears what happens. */
  watch(investigationId: string, listener: (progress: Progress) => void): Promise<() => Promise<void>>;
  verify(id: string, signal?: AbortSignal): Promise<Verification[]>;
  scanNow(signal?: AbortSignal): Promise<Incident[]>;
  resumeInterrupted(): Promise<void>;
  status(): Promise<Pick<HostStatus, 'rows' | 'newest' | 'ingest'> & Omit<HostStatus['clickhouse'], 'database'>>;
  close(): Promise<void>;
}
