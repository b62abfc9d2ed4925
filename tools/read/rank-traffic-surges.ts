/** Whether more came in than ever in normal time: requests from outside by the service that takes them. */
import { z } from 'zod';
import type { TrafficSeries } from '../../clickhouse/read-traffic.ts';
import { median, quantile } from '../../domain/statistics/robust-scale.ts';
import { type RankingInput, rankedShape, rankingInput, toShiftQuestion } from '../onset-grid.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape, rounded } from '../tool-shapes.ts';

const surge = z.object({
  ...rankedShape,
  /** Requests a minute: the median of normal time, its 99th percentile, and the median since the onset. */
  normalMedian: z.number(),
  normalHigh: z.number(),
  windowMedian: z.number(),
});
type Surge = z.infer<typeof surge>;

export const rankTrafficSurges = defineTool({
  name: 'rank_traffic_surges',
  title: 'Rank traffic surges',
  description:
    'Services that take requests from outside and got far more of them than in any normal minute, and since when.',
  input: rankingInput,
  output: z.object({ surges: z.array(surge), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 5_000, timeoutMs: 20_000, maxTokens: 2_000 },
  run: async (input, context, limits) => {
    const { rows, query } = await context.telemetry.traffic.readTraffic(toShiftQuestion(input), {
      ...limits,
      signal: context.signal,
    });
    const surges = rows.flatMap((series) => judgeSurge(series, input));
    const { rows: kept, ...cut } = cutRows(
      surges.sort((left, right) => right.strength - left.strength),
      limits,
    );
    return {
      output: { surges: kept, ...cut },
      queries: [query],
      window: input.window,
      summary: `requests from outside by minute, ${describeWindow(input.window)}`,
    };
  },
});

/** Minutes of past below which nothing is known about how traffic varies. */
const LEAST_HISTORY = 10;
/** Fewer requests a minute than this are no load, however many times over they grew. */
const LEAST_REQUESTS = 30;
/** Ratio to the 99th percentile of normal minutes that counts in full. */
const FULL_RATIO = 3;

function judgeSurge({ service, normal, course }: TrafficSeries, { onsets }: RankingInput): Surge[] {
  if (normal.length < LEAST_HISTORY) return [];
  const normalHigh = quantile(normal, 0.99);
  const lastOnsetMs = onsets.firstMs + (onsets.count - 1) * onsets.stepSeconds * 1000;
  const firstHigh = course.findIndex(([atMs, requests]) => atMs <= lastOnsetMs && atLeast(requests) > normalHigh);
  if (firstHigh < 0) return [];
  const since = course.slice(firstHigh);
  const windowMedian = median(since.map(([, requests]) => requests));
  const ratio = atLeast(windowMedian) / Math.max(normalHigh, 1);
  const strength = Math.min(1, Math.max(0, Math.log(ratio) / Math.log(FULL_RATIO)));
  if (windowMedian < LEAST_REQUESTS || strength <= 0) return [];
  return [
    {
      service,
      strength,
      onsetMs: onsetWithin(course, firstHigh, onsets),
      normalMedian: rounded(median(normal)),
      normalHigh: rounded(normalHigh),
      windowMedian: rounded(windowMedian),
    },
  ];
}

/** Three standard errors of a count below it: a burst of few is chance. */
function atLeast(requests: number): number {
  return requests - 3 * Math.sqrt(requests);
}

/** A surge that begins within a minute shows there first as a part of it. */
function onsetWithin(course: TrafficSeries['course'], firstHigh: number, { firstMs }: RankingInput['onsets']): number {
  const [atMs = firstMs] = course[firstHigh] ?? [];
  return Math.max(firstMs, atMs);
}
