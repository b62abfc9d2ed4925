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
  | 'runTool'
  | 'ask';

/** An ApiClient is one. What the caller may do is what the API lets them do. */
export type McpBackend = Pick<ApiClient, Calls>;
