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
  /** When the newest telemetry of the time that was looked at arrived; undefined: there is none. */
  readonly newestMs: number | undefined;
}

const HOUR_MS = 3_600_000;
/** Names are looked up in rows only at the end of the time in question: those of its beginning are mostly the same. */
const RECENT_MS = 900_000;
const MAX_OPERATIONS = 500;
const MAX_METRICS = 500;

/** Of the hour before the end of the window, or of all of it where it is longer; a day at the most. */
export async function readNames(window: TimeWindow, context: ToolContext): Promise<Names> {
  const startMs = Math.max(0, Math.min(window.startMs, window.endMs - HOUR_MS), window.endMs - 24 * HOUR_MS);
  const wide = { startMs, endMs: window.endMs };
  const recent = { startMs: Math.max(startMs, window.endMs - RECENT_MS), endMs: window.endMs };
  const stepSeconds = Math.max(60, Math.ceil(durationMs(wide) / 100_000));
  const [coverage, operations, metrics, graph, attributes] = await Promise.all([
    runTool(getCoverage, { window: wide, stepSeconds }, context),
    runTool(
      getFigures,
      { from: 'requests', measures: ['count'], by: ['service', 'operation'], window: recent, limit: MAX_OPERATIONS },
      context,
    ),
    runTool(listMetrics, { window: wide, limit: MAX_METRICS }, context),
    runTool(getServiceGraph, { window: recent }, context),
    context.telemetry.attributes.list({ window: wide }, { maxRows: 1_000, signal: context.signal }),
  ]);
  const covered = coverage.ok ? coverage.output : undefined;
  const edges = graph.ok ? graph.output.edges : [];
  const services = [...(covered?.services ?? []).map(({ service }) => service), ...edges.map(({ callee }) => callee)];
  const newestMs = Math.max(...(covered?.signals ?? []).map(({ lastMs }) => lastMs));
  return {
    services: [...new Set(services)].filter((service) => service !== ''),
    operations: (operations.ok ? operations.output.groups : []).map(({ by: [service = '', operation = ''] }) => ({
      service,
      operation,
    })),
    metrics: (metrics.ok ? metrics.output.metrics : []).map(({ metric, unit, kind }) => ({ metric, unit, kind })),
    attributes: [...new Set(attributes.rows.filter(({ source }) => source === 'span').map(({ key }) => key))],
    newestMs: Number.isFinite(newestMs) ? newestMs : undefined,
  };
}
