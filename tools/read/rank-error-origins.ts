/** Where failures began: services and dependencies whose share of failed work rose, failures passed on by others left out. */
import { z } from 'zod';
import type { FailureCount } from '../../clickhouse/read-shifts.ts';
import { judgeRise } from '../../domain/statistics/shift.ts';
import { addCount, judgeOnsets, rankedShape, rankingInput, splitAt, toShiftQuestion } from '../onset-grid.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape } from '../tool-shapes.ts';

const errorOrigin = z.object({
  ...rankedShape,
  windowFailures: z.number(),
  windowUnits: z.number(),
  normalFailures: z.number(),
  normalUnits: z.number(),
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
      return [{ service, ...origin }];
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

function countByBin(rows: readonly FailureCount[]): { units: Map<number, number>; failures: Map<number, number> } {
  const units = new Map<number, number>();
  const failures = new Map<number, number>();
  for (const row of rows) {
    addCount(units, row.bin, row.units);
    addCount(failures, row.bin, row.failures);
  }
  return { units, failures };
}
