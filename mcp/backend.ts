/** What the MCP server needs of a host: the part of the typed API client that its tools call. */
import type { ApiClient } from '../api/api-client.ts';

type Calls =
  | 'status'
  | 'listIncidents'
  | 'openIncident'
  | 'getIncident'
  | 'listInvestigations'
  | 'getInvestigation'
  | 'watchInvestigation'
  | 'verify'
  | 'listAnomalies'
  | 'getAnomaly'
  | 'listApprovals'
  | 'decide'
  | 'listChanges'
  | 'getTrace'
  | 'runTool';

export interface AskAnswer {
  readonly answer: string;
  readonly evidenceIds: readonly string[];
}

/** An ApiClient is one. What the caller may do is what the API lets them do. */
export interface McpBackend extends Pick<ApiClient, Calls> {
  /** Answers a question in plain language; absent where the host cannot. */
  ask?(input: { readonly question: string }, signal?: AbortSignal): Promise<AskAnswer>;
}
