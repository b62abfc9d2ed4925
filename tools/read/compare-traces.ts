/** Abnormal against normal traces of a window: what goes with the abnormal ones, and what no longer happens. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, serviceInput, windowInput } from '../tool-shapes.ts';

const coverageSchema = z.object({
  service: z.string(),
  operation: z.string(),
  abnormalCovered: z.number(),
  normalCovered: z.number(),
  /** 0..1: how far the operation goes with abnormal traces. */
  ochiai: z.number(),
});

const missingSchema = z.object({
  entryService: z.string(),
  entryOperation: z.string(),
  service: z.string(),
  operation: z.string(),
  /** Share of the entry operation's traces that contain the operation, 0..1: in the baseline and in the window. */
  expectedShare: z.number(),
  observedShare: z.number(),
  baselineTraces: z.number(),
  windowTraces: z.number(),
  zScore: z.number(),
});

export const compareTraces = defineTool({
  name: 'compare_traces',
  title: 'Compare abnormal with normal traces',
  description:
    "Operations by how far they occur in abnormal traces (with an error, or slower than the baseline's 99th percentile of their entry operation) and not in normal ones, and operations that used to follow an entry operation and are missing now.",
  input: z.object({ window: windowInput, baseline: baselineInput, service: serviceInput.optional() }),
  output: z.object({
    /** Of those traces that were read: long windows are sampled. */
    abnormalTraces: z.number(),
    normalTraces: z.number(),
    coverage: z.array(coverageSchema),
    totalCoverage: z.int().nonnegative(),
    missing: z.array(missingSchema),
    totalMissing: z.int().nonnegative(),
    truncated: z.boolean(),
  }),
  effect: 'read',
  limits: { maxRows: 200, timeoutMs: 30_000, maxTokens: 3_500 },
  run: async (question, context, limits) => {
    const bounds = { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal };
    const [coverage, missing] = await Promise.all([
      context.telemetry.traces.readCoverage(question, bounds),
      context.telemetry.traces.findMissingOperations(question, bounds),
    ]);
    const half = { ...limits, maxTokens: limits.maxTokens / 2 };
    const covered = cutReading(coverage.rows, half, ({ abnormalTraces: _, normalTraces: __, ...row }) => row);
    const lost = cutReading(missing.rows, half, (row) => row);
    const { abnormalTraces = 0, normalTraces = 0 } = coverage.rows[0] ?? {};
    return {
      output: {
        abnormalTraces,
        normalTraces,
        coverage: covered.rows,
        totalCoverage: covered.totalRows,
        missing: lost.rows,
        totalMissing: lost.totalRows,
        truncated: covered.truncated || lost.truncated,
      },
      queries: [coverage.query, missing.query],
      window: question.window,
      baseline: question.baseline,
      summary: `${abnormalTraces} abnormal against ${normalTraces} normal traces, ${describeWindow(question.window)}.`,
    };
  },
});
