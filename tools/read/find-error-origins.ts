/** Where errors begin: failing spans none of whose children failed, in a window and a baseline. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, cutShape, windowInput } from '../tool-shapes.ts';

const originSchema = z.object({
  service: z.string(),
  operation: z.string(),
  /** Exception type, else the masked status message, else `error.type`; empty when the span says nothing. */
  reason: z.string(),
  /** One message of the group. */
  message: z.string(),
  windowCount: z.number(),
  baselineCount: z.number(),
  windowPerMinute: z.number().nullable(),
  baselinePerMinute: z.number().nullable(),
  windowTraces: z.number(),
  /** Of all failing traces of the window, 0..1. */
  failingTraceShare: z.number().nullable(),
  sampleTraceId: z.string(),
});

export const findErrorOrigins = defineTool({
  name: 'find_error_origins',
  title: 'Find error origins',
  description:
    'Operations in which errors begin (a failing span, or one with an exception, none of whose children failed), by exception type or masked message, with counts in a window and a baseline; the largest gain per minute first.',
  input: z.object({ window: windowInput, baseline: baselineInput }),
  output: z.object({ origins: z.array(originSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 200, timeoutMs: 20_000, maxTokens: 3_500 },
  run: async ({ window, baseline }, context, limits) => {
    const reading = await context.telemetry.traces.findErrorOrigins(
      { window, baseline },
      { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => row);
    return {
      output: { origins: rows, ...cut },
      queries: [reading.query],
      window,
      baseline,
      summary: `${cut.totalRows} error origins, ${describeWindow(window)} against ${describeWindow(baseline)}.`,
    };
  },
});
