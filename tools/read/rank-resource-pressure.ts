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

const resourceSchema = z.enum(['cpu', 'memory', 'disk', 'pool', 'node', 'restarts', 'cache']);
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
  ['cpu', 'cpu([._]limit)?[._](usage|utilization|used|percent)'],
  ['memory', 'memory([._]limit)?[._](utilization|used_percent)|memory\\.usage\\.limit_ratio|heap[._]utilization'],
  ['disk', '(filesystem|disk)[._]utilization'],
  ['pool', '(pool|connections?|threads?)[._](utilization|usage_ratio)'],
];
/** Levels that mean something only as a share of a limit beside them: what is used, of what, and for which resource. */
const SHARES: readonly {
  readonly resource: Resource;
  readonly used: RegExp;
  readonly limit: RegExp;
  /** The limit does not hold what is used: both together are the whole. */
  readonly isRest?: true;
}[] = [
  {
    resource: 'pool',
    used: /connections?[._](usage|count|active|used|pending_requests|pending)$/,
    limit: /connections?[._](max|limit)$/,
  },
  { resource: 'memory', used: /memory[._](usage|working_set|rss)$/, limit: /memory[._](limit|limit_bytes|max)$/ },
  // A cache that misses is short of what it should hold.
  { resource: 'cache', used: /[._]miss(es)?$/, limit: /[._]hits?$/, isRest: true },
];
/** How often a container was started anew, as its platform counts. */
const RESTARTS = '(container|pod)[._](restarts?|restart[._]count)$|container_status_restarts';
/** States of a level that are the opposite of pressure. */
const SPARE = /^(idle|free|available|cached|buffered|inactive|slab_reclaimable|wait)$/;
const SHARE_NAMES =
  'connections?[._](usage|count|active|used|pending_requests|pending|max|limit)$|memory[._](usage|working_set|rss|limit|limit_bytes|max)$|(cache|keyspace|get)[._](hits?|miss(es)?)$';
const ALL_RESOURCES = [...RESOURCES.map(([, pattern]) => pattern), SHARE_NAMES, RESTARTS]
  .map((pattern) => `(?:${pattern})`)
  .join('|');

export const rankResourcePressure = defineTool({
  name: 'rank_resource_pressure',
  title: 'Rank resource pressure',
  description:
    'Pods whose CPU, memory, disk or pools are used far beyond their own past, or that were started anew, and since when.',
  input: rankingInput,
  output: z.object({ pressures: z.array(pressure), unobserved: z.array(z.string()), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 20_000, timeoutMs: 30_000, maxTokens: 3_000 },
  run: async (input, context, limits) => {
    const { rows, query } = await context.telemetry.pressure.readPressure(
      { ...toShiftQuestion(input), names: ALL_RESOURCES },
      { ...limits, signal: context.signal },
    );
    const [restarts, others] = [rows.filter(isRestarts), rows.filter((row) => !isRestarts(row))];
    const levels = toShares(others.filter(({ state }) => !SPARE.test(state)));
    const current = withPastOfService(levels);
    const observed = current.filter(({ normal }) => normal.length >= LEAST_HISTORY);
    const byMetric = [...Map.groupBy(observed, ({ metric, unit }) => `${metric} ${unit}`).values()];
    const ranked = [
      ...byMetric.flatMap((series) => judgeMetric(series, input)),
      ...restarts.flatMap((series) => judgeRestarts(series, input)),
    ];
    const { rows: kept, ...cut } = cutRows(
      ranked.sort((left, right) => right.strength - left.strength),
      limits,
    );
    const seen = new Set(observed.map(({ service }) => service));
    const unobserved = [...new Set(current.map(({ service }) => service))]
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

type Level = PressureSeries & { readonly resource: Resource };

/** Minutes of past below which nothing is known about a series. */
const LEAST_HISTORY = 10;
/** What a resource alone can be worth: busy is common, and not always the cause. */
const FULL_STRENGTH = 0.7;
/** Growth beyond the pooled 99th percentile that counts in full: 10^1.5, about thirty times. */
const FULL_GROWTH_LOG10 = 1.5;
/** Idle resources grow many times over without meaning: medians below this share of the typical one are lifted to it. */
const LEAST_MEDIAN_SHARE = 0.05;

function isRestarts({ metric }: PressureSeries): boolean {
  return new RegExp(RESTARTS).test(metric);
}

/** A container that was started anew since the first candidate: its platform or its own death did that. */
function judgeRestarts(
  { service, pod, metric, unit, normal, course }: PressureSeries,
  input: RankingInput,
): Pressure[] {
  const before = normal.at(-1) ?? course[0]?.[1];
  if (before === undefined) return [];
  const rise = course.find(([, value]) => value > before);
  const windowHigh = course.reduce((high, [, value]) => Math.max(high, value), 0);
  if (!rise) return [];
  const { firstMs, stepSeconds, count } = input.onsets;
  const onsetMs = Math.min(Math.max(firstMs, rise[0]), firstMs + (count - 1) * stepSeconds * 1000);
  const figures = { normalMedian: rounded(before), normalHigh: rounded(before), windowHigh: rounded(windowHigh) };
  return [{ service, strength: FULL_STRENGTH, onsetMs, resource: 'restarts', pod, metric, unit, ...figures }];
}

/** A pod that was started lately has the past of the pods it took over from. Pods that ended before the candidates only lend theirs. */
function withPastOfService(levels: readonly Level[]): Level[] {
  const past = Map.groupBy(levels, ({ service, metric, state }) => `${service}\n${metric}\n${state}`);
  return levels
    .filter(({ course }) => course.length > 0)
    .map((level): Level => {
      if (level.normal.length >= LEAST_HISTORY) return level;
      const kin = past.get(`${level.service}\n${level.metric}\n${level.state}`) ?? [];
      return { ...level, normal: kin.flatMap(({ normal }) => normal) };
    });
}

/** A level that is measured beside its limit becomes a share of it; one that has no limit and is no share is left out. */
function toShares(rows: readonly PressureSeries[]): Level[] {
  const byPod = Map.groupBy(rows, ({ service, pod }) => `${service}\n${pod}`);
  return rows.flatMap((row): Level[] => {
    const named = RESOURCES.find(([, pattern]) => new RegExp(pattern).test(row.metric))?.[0];
    if (named) return row.isCounter ? [] : [{ ...row, resource: named }];
    const share = SHARES.find(({ used }) => used.test(row.metric));
    const siblings = byPod.get(`${row.service}\n${row.pod}`) ?? [];
    const limit = siblings.find(({ metric }) => share?.limit.test(metric));
    if (!share || !limit) return [];
    const level = share.isRest ? shareOfBoth(growthOf(row), growthOf(limit)) : shareOfLimit(row, limit);
    const metric = share.isRest ? `${row.metric} / all` : `${row.metric} / ${limit.metric}`;
    return level ? [{ ...row, ...level, resource: share.resource, metric, unit: '1' }] : [];
  });
}

type Values = Pick<PressureSeries, 'normal' | 'course'>;

function shareOfLimit(row: Values, limit: Values): Values | undefined {
  const most = median([...limit.normal, ...limit.course.map(([, value]) => value)]);
  if (!(most > 0)) return undefined;
  return {
    normal: row.normal.map((value) => value / most),
    course: row.course.map(([atMs, value]) => [atMs, value / most] as const),
  };
}

/** Minute by minute, where both have as many minutes; a minute without any lookup has no share. */
function shareOfBoth(part: Values, rest: Values): Values | undefined {
  if (part.normal.length !== rest.normal.length || part.course.length !== rest.course.length) return undefined;
  const share = (value: number, other: number) => value / (value + other);
  return {
    normal: part.normal.map((value, index) => share(value, rest.normal[index] ?? 0)).filter(Number.isFinite),
    course: part.course
      .map(([atMs, value], index) => [atMs, share(value, rest.course[index]?.[1] ?? 0)] as const)
      .filter(([, value]) => Number.isFinite(value)),
  };
}

/** What a counter grew by from minute to minute; a counter that fell began anew. */
function growthOf({ isCounter, normal, course }: PressureSeries): Values {
  if (!isCounter) return { normal, course };
  const grown = (value: number, before: number | undefined) =>
    before === undefined || value < before ? 0 : value - before;
  return {
    normal: normal.slice(1).map((value, index) => grown(value, normal[index])),
    course: course.map(
      ([atMs, value], index) => [atMs, grown(value, course[index - 1]?.[1] ?? normal.at(-1))] as const,
    ),
  };
}

/** One metric of all services together, so that each is judged by how far all of them wander. */
function judgeMetric(series: readonly Level[], { onsets }: RankingInput): Pressure[] {
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
    const strength =
      one.resource === 'cache'
        ? clamp(lostShare(one, normalHigh))
        : FULL_STRENGTH * clamp(Math.max(growth, lostHeadroom(one, normalHigh)));
    const { resource } = one;
    if (strength <= 0) return [];
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
function lostHeadroom(level: Level, normalHigh: number): number {
  const { unit, metric } = level;
  if (unit !== '1' || !(metric.includes('utilization') || metric.includes(' / ')) || normalHigh >= 0.95) return 0;
  return 2 * lostShare(level, normalHigh) - 1;
}

/** All of it counts for a cache: one that answers less is no busier, it is colder. */
function lostShare({ course }: Level, normalHigh: number): number {
  const high = quantile(
    course.map(([, value]) => value),
    0.75,
  );
  return normalHigh < 1 ? (high - normalHigh) / (1 - normalHigh) : 0;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
