/** What Inquest offers to an IDE: few tools, each of them deep. */
import { QUOTATION_RULE } from '../domain/quote-telemetry.ts';
import type { Catalogue } from './catalogue.ts';
import { PROMPTS } from './prompts.ts';
import { RESOURCES } from './resources.ts';
import { ask } from './tools/ask.ts';
import { getInvestigation } from './tools/get-investigation.ts';
import { getTrace } from './tools/get-trace.ts';
import { investigate } from './tools/investigate.ts';
import { listAnomalies } from './tools/list-anomalies.ts';
import { listChanges } from './tools/list-changes.ts';
import { listIncidents } from './tools/list-incidents.ts';
import { overview } from './tools/overview.ts';
import { propose } from './tools/propose.ts';
import { queryTelemetry } from './tools/query-telemetry.ts';
import { requestDecision } from './tools/request-decision.ts';
import { searchLogs } from './tools/search-logs.ts';

const INSTRUCTIONS = [
  'Inquest finds out why production broke. Begin with overview; investigate finds root causes with agents that gather evidence and vote; the other tools answer single questions from the same telemetry.',
  'Times are UTC. Answers stay under 4,000 tokens: pass nextCursor back as cursor, with the same arguments, for more.',
  'Cite evidence ids (ev_...). An abstention is an answer. No tool acts: request_decision asks the person, and only their answer decides.',
  QUOTATION_RULE,
].join('\n');

export function createInquestCatalogue(): Catalogue {
  return {
    instructions: INSTRUCTIONS,
    tools: [
      overview,
      investigate,
      getInvestigation,
      listIncidents,
      listAnomalies,
      queryTelemetry,
      searchLogs,
      getTrace,
      listChanges,
      ask,
      propose,
      requestDecision,
    ],
    prompts: PROMPTS,
    resources: RESOURCES,
  };
}
