/** Traces of a window by what they touch, whether they failed and how long they took. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const traceSchema = z.object({
  traceId: z.string(),
  rootService: z.string(),
  rootOperation: z.string(),
  startMs: z.number(),
  /** Of the root span (of the first span where the root is missing). */
  durationMs: z.number(),
  spans: z.number(),
  errors: z.number(),
  services: z.array(z.string()),
});

export const findTraces = defineTool({
  name: 'find_traces',
  title: 'Find traces',
  description:
    'Traces that start in a window, optionally only those touching a service or operation, with an error, or of a minimal duration; sorted by duration, time or errors.',
  input: z.object({
    window: windowInput,
    service: serviceInput.optional(),
    operation: z.string().min(1).optional().describe('Span name that the trace contains.'),
    errorsOnly: z.boolean().optional(),
    minDurationMs: z.number().nonnegative().optional(),
    sort: z.enum(['slowest', 'newest', 'most-errors']).default('slowest'),
    limit: z.int().min(1).max(100).default(20),
  }),
  output: z.object({ traces: z.array(traceSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 100, timeoutMs: 20_000, maxTokens: 3_500 },
  run: async (input, context, limits) => {
    const reading = await context.telemetry.traces.findTraces(input, {
      maxRows: limits.maxRows,
      timeoutMs: limits.timeoutMs,
      signal: context.signal,
    });
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => ({ ...row, services: [...row.services] }));
    return {
      output: { traces: rows, ...cut },
      queries: [reading.query],
      window: input.window,
      summary: `${cut.totalRows} traces${input.service ? ` through ${input.service}` : ''}, ${input.sort} first, ${describeWindow(input.window)}.`,
    };
  },
});
