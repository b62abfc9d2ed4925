/** Every operation in a window against a baseline: how often, how well, how long, and how long by itself. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const numbersSchema = z.object({
  calls: z.number(),
  /** By the minutes in which the service had any span; null when it had none. */
  callsPerMinute: z.number().nullable(),
  /** By the traces that touch the service. */
  callsPerTrace: z.number().nullable(),
  /** 0..1; null without calls. */
  errorRatio: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  /** Duration minus the durations of direct children, never below 0. */
  selfP50Ms: z.number().nullable(),
  selfP95Ms: z.number().nullable(),
});

const operationSchema = z.object({
  service: z.string(),
  operation: z.string(),
  spanKind: z.string(),
  window: numbersSchema,
  baseline: numbersSchema,
  /** 0 (nothing changed) to 1: the largest relative change of rate, error ratio or self time, discounted for few calls. */
  changeScore: z.number(),
});

export const compareOperations = defineTool({
  name: 'compare_operations',
  title: 'Compare operations',
  description:
    'Rate, error ratio, duration and self time of every operation (span name) in a window and in a baseline, those that changed most first.',
  input: z.object({ window: windowInput, baseline: baselineInput, service: serviceInput.optional() }),
  output: z.object({ operations: z.array(operationSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 500, timeoutMs: 30_000, maxTokens: 3_500 },
  run: async ({ window, baseline, service }, context, limits) => {
    const reading = await context.telemetry.services.compareOperations(
      { window, baseline, service },
      { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => row);
    return {
      output: { operations: rows, ...cut },
      queries: [reading.query],
      window,
      baseline,
      summary: `${cut.totalRows} operations of ${service ?? 'all services'}, ${describeWindow(window)} against ${describeWindow(baseline)}.`,
    };
  },
});
