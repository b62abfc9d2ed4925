/**
 * Where time began to be lost: between caller and callee (network, queues in front of the callee), in calls to something that
 * sends no telemetry, or in a service itself. A service's own time excludes the calls it waits for, so callers of a slow
 * service do not look slow themselves.
 */
import { z } from 'zod';
import type { DurationCount } from '../../clickhouse/read-shifts.ts';
import { type SlowdownShift, slowdownShift } from '../../domain/statistics/shift.ts';
import { addCount, judgeOnsets, type RankingInput, rankedShape, rankingInput, toShiftQuestion } from '../onset-grid.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape, rounded } from '../tool-shapes.ts';

const slowdown = z.object({
  ...rankedShape,
  /** edge: on the way to the service. peer: in a dependency without telemetry of its own; outside: at a host that is none of ours. self: in the service. */
  kind: z.enum(['edge', 'peer', 'outside', 'self']),
  /** The caller of the worst edge, or the slow operation. */
  subject: z.string(),
  normalMedianMs: z.number(),
  windowUpperQuartileMs: z.number(),
  slowShare: z.number(),
  normalSlowShare: z.number(),
  windowCalls: z.number(),
});
type Slowdown = z.infer<typeof slowdown>;

export const rankSlowdowns = defineTool({
  name: 'rank_slowdowns',
  title: 'Rank slowdowns',
  description:
    'Services, edges and dependencies where calls began to take longer than normal, each with its own time only: on the way ' +
    'to it, in it, or in a dependency that sends no telemetry.',
  input: rankingInput,
  output: z.object({ slowdowns: z.array(slowdown), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 500_000, timeoutMs: 30_000, maxTokens: 3_500 },
  run: async (input, context, limits) => {
    const { rows, query } = await context.telemetry.shifts.readDurations(toShiftQuestion(input), {
      ...limits,
      signal: context.signal,
    });
    const groups = Map.groupBy(rows, ({ kind, source, target }) => `${kind} ${kind === 'self' ? source : target}`);
    const slowdowns = [...groups.values()].flatMap((group) => judgeGroup(group, input));
    const { rows: kept, ...cut } = cutRows(
      slowdowns.sort((left, right) => right.strength - left.strength),
      limits,
    );
    return {
      output: { slowdowns: kept, ...cut },
      queries: [query],
      window: input.window,
      summary: `time between services, in services and in their dependencies, ${describeWindow(input.window)}`,
    };
  },
});

/** All edges into one service, all callers of one peer, or all operations of one service. */
function judgeGroup(rows: readonly DurationCount[], { onsets }: RankingInput): Slowdown[] {
  const [first] = rows;
  if (!first) return [];
  const { kind } = first;
  const service = kind === 'self' ? first.source : first.target;
  const members = [...Map.groupBy(rows, ({ source, target }) => (kind === 'self' ? target : source))];
  const judged = judgeOnsets(onsets, (bin) => {
    const shifts = members.flatMap(([subject, memberRows]) => {
      const shift = shiftAt(memberRows, bin);
      return shift ? [{ subject, ...shift }] : [];
    });
    const [worst] = [...shifts].sort((left, right) => right.strength - left.strength);
    if (!worst) return undefined;
    // What many callers share is judged by all of them; one slow operation is enough for a service itself.
    return { ...worst, strength: kind === 'self' ? worst.strength : meanStrength(shifts) };
  });
  if (!judged) return [];
  const { windowCount, ...figures } = judged;
  const milliseconds = {
    normalMedianMs: rounded(figures.normalMedianMs),
    windowUpperQuartileMs: rounded(figures.windowUpperQuartileMs),
  };
  return [{ ...figures, ...milliseconds, service, kind, windowCalls: windowCount }];
}

function shiftAt(rows: readonly DurationCount[], firstBin: number): SlowdownShift | undefined {
  const window = new Map<number, number>();
  const normal = new Map<number, number>();
  for (const { bin, bucket, calls } of rows) addCount(bin >= firstBin ? window : normal, bucket, calls);
  return slowdownShift(window, normal);
}

function meanStrength(shifts: readonly SlowdownShift[]): number {
  const calls = shifts.reduce((sum, { windowCount }) => sum + windowCount, 0);
  return shifts.reduce((sum, { strength, windowCount }) => sum + strength * windowCount, 0) / Math.max(1, calls);
}
