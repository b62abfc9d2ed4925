/** Where failures began: services and dependencies whose share of failed work rose, failures passed on by others left out. */
import { z } from 'zod';
import type { FailureCount } from '../../clickhouse/read-shifts.ts';
import { dominantReason } from '../../domain/failure-reason.ts';
import { causeTypeSchema } from '../../domain/finding.ts';
import { judgeRise } from '../../domain/statistics/shift.ts';
import {
  addCount,
  judgeOnsets,
  type RankingInput,
  rankedShape,
  rankingInput,
  splitAt,
  toShiftQuestion,
} from '../onset-grid.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape } from '../tool-shapes.ts';

const errorOrigin = z.object({
  ...rankedShape,
  windowFailures: z.number(),
  windowUnits: z.number(),
  normalFailures: z.number(),
  normalUnits: z.number(),
  /** What most of the failures speak of; `errors` when they say nothing in particular. */
  reason: causeTypeSchema,
  /** It sends no telemetry of its own. */
  isPeer: z.boolean(),
  /** And its host is none of ours. */
  isOutside: z.boolean(),
});

export const rankErrorOrigins = defineTool({
  name: 'rank_error_origins',
  title: 'Rank error origins',
  description:
    'Services and dependencies in which failures began (a failed span without a failed child) and whose share of failed work ' +
    'rose; a call that failed on its own counts for what it called.',
  input: rankingInput,
  output: z.object({ origins: z.array(errorOrigin), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 200_000, timeoutMs: 30_000, maxTokens: 2_500 },
  run: async (input, context, limits) => {
    const { rows, query } = await context.telemetry.shifts.readFailures(toShiftQuestion(input), {
      ...limits,
      signal: context.signal,
    });
    const origins = [...Map.groupBy(rows, ({ service }) => service)].flatMap(([service, bins]) => {
      const { units, failures } = countByBin(bins);
      const judged = judgeOnsets(input.onsets, (bin) => {
        const [windowUnits, normalUnits] = splitAt(units, bin);
        const [windowFailures, normalFailures] = splitAt(failures, bin);
        const rise = judgeRise(windowFailures, windowUnits, normalFailures, normalUnits);
        return { ...rise, windowFailures, windowUnits, normalFailures, normalUnits };
      });
      if (!judged) return [];
      const { rank: _, ...origin } = judged;
      const reason = dominantReason(sumReasons(bins, judged.onsetMs, input), judged.windowFailures) ?? 'errors';
      const [isPeer, isOutside] = [bins.every((bin) => bin.isPeer), bins.every((bin) => bin.isOutside)];
      return [{ service, ...origin, reason, isPeer, isOutside }];
    });
    const { rows: kept, ...cut } = cutRows(
      origins.sort((left, right) => right.strength - left.strength),
      limits,
    );
    return {
      output: { origins: kept, ...cut },
      queries: [query],
      window: input.window,
      summary: `failed spans without a failed child, by service, ${describeWindow(input.window)}`,
    };
  },
});

/** Failures from the onset on, by what their words speak of. */
function sumReasons(rows: readonly FailureCount[], onsetMs: number, { onsets }: RankingInput): number[] {
  const firstBin = (onsetMs - onsets.firstMs) / (onsets.stepSeconds * 1000);
  const sums: number[] = [];
  for (const { bin, reasons } of rows) {
    if (bin < firstBin) continue;
    for (const [index, count] of reasons.entries()) sums[index] = (sums[index] ?? 0) + count;
  }
  return sums;
}

function countByBin(rows: readonly FailureCount[]): { units: Map<number, number>; failures: Map<number, number> } {
  const units = new Map<number, number>();
  const failures = new Map<number, number>();
  for (const row of rows) {
    addCount(units, row.bin, row.units);
    addCount(failures, row.bin, row.failures);
  }
  return { units, failures };
}
