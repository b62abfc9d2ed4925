/**
 * Whose resources ran short: CPU, memory and the like of each pod against its own past, on a scale calibrated by how far such
 * resources of all services wander in normal time. A resource blames the one who owns it, whoever suffers.
 */
import { z } from 'zod';
import type { PressureSeries } from '../../clickhouse/read-pressure.ts';
import { median, quantile } from '../../domain/statistics/robust-scale.ts';
import { type RankingInput, rankedShape, rankingInput, toShiftQuestion } from '../onset-grid.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape, rounded } from '../tool-shapes.ts';

const resourceSchema = z.enum(['cpu', 'memory', 'disk', 'pool', 'node']);
type Resource = z.infer<typeof resourceSchema>;

const pressure = z.object({
  ...rankedShape,
  resource: resourceSchema,
  pod: z.string(),
  metric: z.string(),
  unit: z.string(),
  normalMedian: z.number(),
  normalHigh: z.number(),
  windowHigh: z.number(),
});
type Pressure = z.infer<typeof pressure>;

/** First match wins. Names as the semantic conventions and common exporters write them. */
const RESOURCES: readonly (readonly [Resource, string])[] = [
  ['node', '^(k8s\\.node|system|host)\\..*(cpu|memory)'],
  ['cpu', 'cpu[._](usage|utilization|used|percent)'],
  ['memory', 'memory[._](utilization|used_percent)|memory\\.usage\\.limit_ratio|heap[._]utilization'],
  ['disk', '(filesystem|disk)[._]utilization'],
  ['pool', '(pool|connections?|threads?)[._](utilization|usage_ratio)'],
];
const ALL_RESOURCES = RESOURCES.map(([, pattern]) => `(?:${pattern})`).join('|');

export const rankResourcePressure = defineTool({
  name: 'rank_resource_pressure',
  title: 'Rank resource pressure',
  description: 'Pods whose CPU, memory, disk or pools are used far beyond their own past, and since when.',
  input: rankingInput,
  output: z.object({ pressures: z.array(pressure), unobserved: z.array(z.string()), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 20_000, timeoutMs: 30_000, maxTokens: 3_000 },
  run: async (input, context, limits) => {
    const { rows, query } = await context.telemetry.pressure.readPressure(
      { ...toShiftQuestion(input), names: ALL_RESOURCES },
      { ...limits, signal: context.signal },
    );
    const observed = rows.filter(({ normal }) => normal.length >= LEAST_HISTORY);
    const byMetric = [...Map.groupBy(observed, ({ metric, unit }) => `${metric} ${unit}`).values()];
    const ranked = byMetric.flatMap((series) => judgeMetric(series, input));
    const { rows: kept, ...cut } = cutRows(
      ranked.sort((left, right) => right.strength - left.strength),
      limits,
    );
    const seen = new Set(observed.map(({ service }) => service));
    const unobserved = [...new Set(rows.map(({ service }) => service))]
      .filter((service) => !seen.has(service))
      .slice(0, 50);
    return {
      output: { pressures: kept, unobserved, ...cut },
      queries: [query],
      window: input.window,
      summary: `resource gauges by pod and minute, ${describeWindow(input.window)}`,
    };
  },
});

/** Minutes of past below which nothing is known about a series. */
const LEAST_HISTORY = 10;
/** What a resource alone can be worth: busy is common, and not always the cause. */
const FULL_STRENGTH = 0.7;
/** Growth beyond the pooled 99th percentile that counts in full: 10^1.5, about thirty times. */
const FULL_GROWTH_LOG10 = 1.5;
/** Idle resources grow many times over without meaning: medians below this share of the typical one are lifted to it. */
const LEAST_MEDIAN_SHARE = 0.05;

/** One metric of all services together, so that each is judged by how far all of them wander. */
function judgeMetric(series: readonly PressureSeries[], { onsets }: RankingInput): Pressure[] {
  const medians = series.map(({ normal }) => median(normal));
  const typical = median(medians.filter((value) => value > 0));
  const floor = Number.isFinite(typical) ? typical * LEAST_MEDIAN_SHARE : 1e-9;
  const wandering = series.flatMap(({ normal }, index) =>
    normal.map((value) => value / Math.max(medians[index] ?? 0, floor)),
  );
  const usual = Math.max(quantile(wandering, 0.99), 1e-9);
  const lastOnsetMs = onsets.firstMs + (onsets.count - 1) * onsets.stepSeconds * 1000;
  return series.flatMap((one, index): Pressure[] => {
    const normalMedian = Math.max(medians[index] ?? 0, floor);
    const normalHigh = quantile(one.normal, 0.99);
    const windowHigh = one.course.reduce((high, [, value]) => Math.max(high, value), 0);
    const growth = Math.log10(Math.max(windowHigh / normalMedian / usual, 1e-9)) / FULL_GROWTH_LOG10;
    const strength = FULL_STRENGTH * clamp(Math.max(growth, lostHeadroom(one, normalHigh)));
    const resource = RESOURCES.find(([, pattern]) => new RegExp(pattern).test(one.metric))?.[0];
    if (strength <= 0 || !resource) return [];
    const firstHigh = one.course.find(([, value]) => value > (normalHigh + windowHigh) / 2)?.[0] ?? onsets.firstMs;
    return [
      {
        service: one.service,
        strength: resource === 'node' ? strength / 2 : strength,
        onsetMs: Math.min(firstHigh, lastOnsetMs),
        resource,
        pod: one.pod,
        metric: one.metric,
        unit: one.unit,
        normalMedian: rounded(medians[index] ?? 0),
        normalHigh: rounded(normalHigh),
        windowHigh: rounded(windowHigh),
      },
    ];
  });
}

/**
 * Of what was free at the worst of normal times, the share that is gone: for ratios of a limit only. Saturation is the end of
 * headroom, so only its last half counts.
 */
function lostHeadroom({ unit, metric, course }: PressureSeries, normalHigh: number): number {
  if (unit !== '1' || !metric.includes('utilization') || normalHigh >= 0.95) return 0;
  const high = quantile(
    course.map(([, value]) => value),
    0.75,
  );
  return 2 * ((high - normalHigh) / (1 - normalHigh)) - 1;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
