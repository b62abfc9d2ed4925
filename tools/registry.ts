/** Every tool, and who may see it: agents of an investigation, the chat agent, and clients of the MCP server. */
import { compareAttributes } from './read/compare-attributes.ts';
import { compareBeforeAfter } from './read/compare-before-after.ts';
import { compareLogTemplates } from './read/compare-log-templates.ts';
import { compareMetrics } from './read/compare-metrics.ts';
import { compareOperations } from './read/compare-operations.ts';
import { compareTraces } from './read/compare-traces.ts';
import { countLogs } from './read/count-logs.ts';
import { findErrorOrigins } from './read/find-error-origins.ts';
import { findTraces } from './read/find-traces.ts';
import { getBaseline } from './read/get-baseline.ts';
import { getCoverage } from './read/get-coverage.ts';
import { getFigures } from './read/get-figures.ts';
import { getInstrumentation } from './read/get-instrumentation.ts';
import { getSeries } from './read/get-series.ts';
import { getServiceGraph } from './read/get-service-graph.ts';
import { getServiceOverview } from './read/get-service-overview.ts';
import { getServiceTimeline } from './read/get-service-timeline.ts';
import { getTrace } from './read/get-trace.ts';
import { listChanges } from './read/list-changes.ts';
import { listMetrics } from './read/list-metrics.ts';
import { rankChangeSuspicion } from './read/rank-change-suspicion.ts';
import { rankCodePathChanges } from './read/rank-code-path-changes.ts';
import { rankErrorOrigins } from './read/rank-error-origins.ts';
import { rankResourcePressure } from './read/rank-resource-pressure.ts';
import { rankSlowdowns } from './read/rank-slowdowns.ts';
import { rankTrafficSurges } from './read/rank-traffic-surges.ts';
import { searchLogs } from './read/search-logs.ts';
import type { Tool } from './tool.ts';

export interface Audiences {
  readonly agents: boolean;
  readonly chat: boolean;
  readonly mcp: boolean;
}

export interface RegisteredTool {
  readonly tool: Tool;
  readonly audiences: Audiences;
}

const EVERYBODY: Audiences = { agents: true, chat: true, mcp: true };
/** Answers that only a program reads: graded for every candidate onset. */
const AGENTS_ONLY: Audiences = { agents: true, chat: false, mcp: false };

export const TOOLS: readonly RegisteredTool[] = [
  { tool: getServiceOverview, audiences: EVERYBODY },
  { tool: getServiceTimeline, audiences: EVERYBODY },
  { tool: getFigures, audiences: EVERYBODY },
  { tool: getServiceGraph, audiences: EVERYBODY },
  { tool: compareOperations, audiences: EVERYBODY },
  { tool: findErrorOrigins, audiences: EVERYBODY },
  { tool: findTraces, audiences: EVERYBODY },
  { tool: getTrace, audiences: EVERYBODY },
  { tool: compareTraces, audiences: EVERYBODY },
  { tool: compareAttributes, audiences: EVERYBODY },
  { tool: compareMetrics, audiences: EVERYBODY },
  { tool: getSeries, audiences: EVERYBODY },
  { tool: listMetrics, audiences: EVERYBODY },
  { tool: getBaseline, audiences: EVERYBODY },
  { tool: compareLogTemplates, audiences: EVERYBODY },
  { tool: searchLogs, audiences: EVERYBODY },
  { tool: countLogs, audiences: EVERYBODY },
  { tool: listChanges, audiences: EVERYBODY },
  { tool: compareBeforeAfter, audiences: EVERYBODY },
  { tool: rankChangeSuspicion, audiences: EVERYBODY },
  { tool: getCoverage, audiences: EVERYBODY },
  { tool: getInstrumentation, audiences: EVERYBODY },
  { tool: rankCodePathChanges, audiences: AGENTS_ONLY },
  { tool: rankErrorOrigins, audiences: AGENTS_ONLY },
  { tool: rankResourcePressure, audiences: AGENTS_ONLY },
  { tool: rankSlowdowns, audiences: AGENTS_ONLY },
  { tool: rankTrafficSurges, audiences: AGENTS_ONLY },
];

export function toolsFor(audience: keyof Audiences): Tool[] {
  return TOOLS.filter(({ audiences }) => audiences[audience]).map(({ tool }) => tool);
}
