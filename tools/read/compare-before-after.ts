/**
 * Whether a change did anything to its service that it did not do to others at the same time: error ratio, duration, new log
 * lines and resources before and after it, against the median of the services that were not changed (difference in differences,
 * Card and Krueger 1994).
 */
import { z } from 'zod';
import type { ServiceOverviewRow } from '../../clickhouse/read-services.ts';
import { median } from '../../domain/statistics/robust-scale.ts';
import { combineStrengths } from '../../domain/statistics/shift.ts';
import { defineTool, type ToolContext, type ToolLimits } from '../tool.ts';
import { rounded, serviceInput } from '../tool-shapes.ts';

const sides = z.object({ before: z.number(), after: z.number(), peersBefore: z.number(), peersAfter: z.number() });

/** Fewer requests than this on a side say nothing about it. */
const LEAST_REQUESTS = 10;
/** What each measure must gain over its peers to be as clear as it gets. */
const CLEAR = { errorRatio: 0.2, doublings: 2, templates: 3, scales: 30 };
const WARN = 13;

export const compareBeforeAfter = defineTool({
  name: 'compare_before_after',
  title: 'Compare before and after a change',
  description:
    'Error ratio, 95th percentile, new or bursting warnings and metric shifts of a changed service before and after an instant, each against the median of the services that were not changed then; with the strength of what only the changed one shows.',
  input: z.object({
    service: serviceInput,
    atMs: z.int().nonnegative().describe('When it was changed, milliseconds since the Unix epoch.'),
    beforeSeconds: z.int().min(60).max(86_400).default(1_800),
    afterSeconds: z.int().min(60).max(86_400).default(1_800),
    changed: z.array(serviceInput).max(100).default([]).describe('Other services that were changed too: no peers.'),
  }),
  output: z.object({
    /** 0..1; null where nothing of the service was measured on both sides. */
    effect: z.number().min(0).max(1).nullable(),
    /** 0..1. */
    errorRatio: sides.nullable(),
    p95Ms: sides.nullable(),
    /** Kinds of lines of severity WARN and above that appeared or burst; peers: their median. */
    newWarnings: z.object({ own: z.number(), peers: z.number() }),
    /** How far the furthest metric left what it was, in robust scales; peers: their median. */
    metricScales: z.object({ own: z.number(), peers: z.number() }),
    metric: z.string(),
  }),
  effect: 'read',
  limits: { maxRows: 500, timeoutMs: 30_000, maxTokens: 1_000 },
  run: async ({ service, atMs, beforeSeconds, afterSeconds, changed }, context, limits) => {
    const baseline = { startMs: Math.max(0, atMs - beforeSeconds * 1000), endMs: Math.max(1, atMs) };
    const window = { startMs: baseline.endMs, endMs: baseline.endMs + afterSeconds * 1000 };
    const readings = await readSides({ window, baseline }, context, limits);
    const isPeer = (name: string) => name !== service && !changed.includes(name);
    const errorRatio = compareSides(readings.before.rows, readings.after.rows, service, isPeer, errorRatioOf);
    const p95Ms = compareSides(readings.before.rows, readings.after.rows, service, isPeer, ({ p95Ms: value }) => value);
    const warned = readings.templates.rows.filter(({ status }) => status === 'appeared' || status === 'burst');
    const newWarnings = against(countBy(warned.map((row) => row.service)), service, isPeer);
    const furthest = furthestMetrics(readings.metrics.rows);
    const metricScales = against(new Map([...furthest].map(([name, { scales }]) => [name, scales])), service, isPeer);
    const output = { errorRatio, p95Ms, newWarnings, metricScales, metric: furthest.get(service)?.metric ?? '' };
    const isHeard =
      errorRatio !== null || readings.templates.rows.some((row) => row.service === service) || furthest.has(service);
    return {
      output: { effect: isHeard ? rounded(effectOf(output)) : null, ...output },
      queries: [readings.before.query, readings.after.query, readings.templates.query, readings.metrics.query],
      window,
      baseline,
      summary: `${service} before and after its change, against services that were not changed.`,
    };
  },
});

type Windows = {
  readonly window: { startMs: number; endMs: number };
  readonly baseline: { startMs: number; endMs: number };
};

async function readSides({ window, baseline }: Windows, { telemetry, signal }: ToolContext, limits: ToolLimits) {
  const bounds = { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal };
  const [before, after, templates, metrics] = await Promise.all([
    telemetry.services.readOverview({ window: baseline }, bounds),
    telemetry.services.readOverview({ window }, bounds),
    telemetry.logs.compareTemplates({ window, baseline, minSeverityNumber: WARN }, bounds),
    telemetry.metrics.compare({ window, baseline, stepSeconds: 60 }, bounds),
  ]);
  return { before, after, templates, metrics };
}

function errorRatioOf({ errors, requests }: ServiceOverviewRow): number | null {
  return requests > 0 ? errors / requests : null;
}

function compareSides(
  before: readonly ServiceOverviewRow[],
  after: readonly ServiceOverviewRow[],
  service: string,
  isPeer: (name: string) => boolean,
  measure: (row: ServiceOverviewRow) => number | null,
): z.infer<typeof sides> | null {
  const earlier = new Map(before.map((row) => [row.service, row]));
  const both = after.flatMap((row) => {
    const then = earlier.get(row.service);
    if (!then || Math.min(row.requests, then.requests) < LEAST_REQUESTS) return [];
    const [from, to] = [measure(then), measure(row)];
    return from === null || to === null ? [] : [{ name: row.service, from, to }];
  });
  const own = both.find(({ name }) => name === service);
  if (!own) return null;
  const peers = both.filter(({ name }) => isPeer(name));
  return {
    before: rounded(own.from),
    after: rounded(own.to),
    // Without peers the service is compared with itself as it was.
    peersBefore: rounded(peers.length > 0 ? median(peers.map(({ from }) => from)) : own.from),
    peersAfter: rounded(peers.length > 0 ? median(peers.map(({ to }) => to)) : own.from),
  };
}

function countBy(names: readonly string[]): Map<string, number> {
  return new Map([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}

function against(values: ReadonlyMap<string, number>, service: string, isPeer: (name: string) => boolean) {
  const peers = [...values].filter(([name]) => isPeer(name)).map(([, value]) => value);
  return { own: rounded(values.get(service) ?? 0), peers: rounded(peers.length > 0 ? median(peers) : 0) };
}

function furthestMetrics(
  rows: readonly { readonly service: string; readonly metric: string; readonly deviation: number | null }[],
): Map<string, { metric: string; scales: number }> {
  const furthest = new Map<string, { metric: string; scales: number }>();
  for (const { service, metric, deviation } of rows) {
    const scales = Math.abs(deviation ?? 0);
    if (scales > (furthest.get(service)?.scales ?? -1)) furthest.set(service, { metric, scales });
  }
  return furthest;
}

interface Measures {
  readonly errorRatio: z.infer<typeof sides> | null;
  readonly p95Ms: z.infer<typeof sides> | null;
  readonly newWarnings: { readonly own: number; readonly peers: number };
  readonly metricScales: { readonly own: number; readonly peers: number };
}

/** What the service gained over its peers, each measure up to 1, together as a noisy-or. */
function effectOf({ errorRatio, p95Ms, newWarnings, metricScales }: Measures): number {
  const gained = errorRatio
    ? errorRatio.after - errorRatio.before - (errorRatio.peersAfter - errorRatio.peersBefore)
    : 0;
  const slower = p95Ms ? doublings(p95Ms.before, p95Ms.after) - doublings(p95Ms.peersBefore, p95Ms.peersAfter) : 0;
  return combineStrengths(
    [
      gained / CLEAR.errorRatio,
      slower / CLEAR.doublings,
      (newWarnings.own - newWarnings.peers) / CLEAR.templates,
      (metricScales.own - metricScales.peers) / CLEAR.scales,
    ].map((share) => Math.max(0, Math.min(1, share))),
  );
}

function doublings(before: number, after: number): number {
  return Math.log2(Math.max(after, 0.1) / Math.max(before, 0.1));
}
