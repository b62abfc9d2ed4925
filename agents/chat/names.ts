/** The names that a question may mean: services, operations, metrics and attributes, as telemetry of the time in question tells them. */
import type { TimeWindow } from '../../domain/time-window.ts';
import { durationMs } from '../../domain/time-window.ts';
import { getCoverage } from '../../tools/read/get-coverage.ts';
import { getFigures } from '../../tools/read/get-figures.ts';
import { getServiceGraph } from '../../tools/read/get-service-graph.ts';
import { listMetrics } from '../../tools/read/list-metrics.ts';
import type { ToolContext } from '../../tools/tool.ts';
import { runTool } from '../../tools/tool.ts';

export interface Names {
  /** Those that send telemetry, and what they call that sends none. */
  readonly services: readonly string[];
  readonly operations: readonly { readonly service: string; readonly operation: string }[];
  readonly metrics: readonly { readonly metric: string; readonly unit: string; readonly kind: string }[];
  /** Keys of attributes of requests. */
  readonly attributes: readonly string[];
  /** Their frequent values, where they say who or what a request was for. */
  readonly values: readonly { readonly key: string; readonly value: string }[];
  /** The first and the last telemetry of the days that were looked at; undefined: there is none. */
  readonly extent: TimeWindow | undefined;
}

const DAY_MS = 86_400_000;
const MAX_MS = 8 * DAY_MS;
/** Names are looked up in rows only at the end of the time in question: those of its beginning are mostly the same. */
const RECENT_MS = 300_000;
/** Attributes of how a request was carried (semantic conventions): their values are words such as GET and http. */
const PROTOCOL_KEY =
  /^(?:http|url|net|network|server|client|rpc|db|messaging|user_agent|error|exception|code|thread|peer)\b/;
const SHORTEST_VALUE = 3;
const MAX_OPERATIONS = 500;
/** Names are for matching, not for a reader: none is cut. */
const WHOLE_GRAPH = { ...getServiceGraph, limits: { ...getServiceGraph.limits, maxTokens: 100_000 } };
const MAX_METRICS = 500;

/**
 * Services, metrics and attributes of the window and, unless it is long over, of the day before `nowMs` (a name that was not there
 * then is still a name);
 * operations and calls of the window's last five minutes.
 */
export async function readNames(window: TimeWindow, nowMs: number, context: ToolContext): Promise<Names> {
  // Of a window long ago names of that time are wanted, not those of today.
  const endMs = nowMs - window.endMs <= MAX_MS ? Math.max(window.endMs, nowMs) : window.endMs;
  const startMs = Math.max(0, endMs - MAX_MS, Math.min(window.startMs, endMs - DAY_MS));
  const wide = { startMs, endMs };
  const recent = { startMs: Math.max(window.startMs, window.endMs - RECENT_MS), endMs: window.endMs };
  const stepSeconds = Math.max(60, Math.ceil(durationMs(wide) / 100_000));
  const [coverage, operations, metrics, graph, attributes] = await Promise.all([
    runTool(getCoverage, { window: wide, stepSeconds }, context),
    runTool(
      getFigures,
      { from: 'requests', measures: ['count'], by: ['service', 'operation'], window: recent, limit: MAX_OPERATIONS },
      context,
    ),
    runTool(listMetrics, { window: wide, limit: MAX_METRICS }, context),
    runTool(WHOLE_GRAPH, { window: recent }, context),
    context.telemetry.attributes.list({ window: wide }, { maxRows: 1_000, signal: context.signal }),
  ]);
  const covered = coverage.ok ? coverage.output : undefined;
  const edges = graph.ok ? graph.output.edges : [];
  const services = [...(covered?.services ?? []).map(({ service }) => service), ...edges.map(({ callee }) => callee)];
  const ofSpans = attributes.rows.filter(({ source }) => source === 'span');
  return {
    services: [...new Set(services)].filter((service) => service !== ''),
    operations: (operations.ok ? operations.output.groups : []).map(({ by: [service = '', operation = ''] }) => ({
      service,
      operation,
    })),
    metrics: (metrics.ok ? metrics.output.metrics : []).map(({ metric, unit, kind }) => ({ metric, unit, kind })),
    attributes: [...new Set(ofSpans.map(({ key }) => key))],
    values: ofSpans
      .filter(({ key }) => !PROTOCOL_KEY.test(key))
      .flatMap(({ key, values }) => values.map(([value]) => ({ key, value })))
      .filter(({ value }) => value.length >= SHORTEST_VALUE && !/^[\d.]+$/.test(value)),
    extent: extentOf(covered?.signals ?? []),
  };
}

function extentOf(signals: readonly { readonly firstMs: number; readonly lastMs: number }[]): TimeWindow | undefined {
  if (signals.length === 0) return undefined;
  return {
    startMs: Math.min(...signals.map(({ firstMs }) => firstMs)),
    endMs: Math.max(...signals.map(({ lastMs }) => lastMs)),
  };
}
