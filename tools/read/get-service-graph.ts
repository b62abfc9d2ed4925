/** Who calls whom, how often, how fast on both sides, and how that compares with a baseline. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const edgeNumbersSchema = z.object({
  calls: z.number(),
  callsPerMinute: z.number().nullable(),
  /** In the traces that have this edge. */
  callsPerTrace: z.number().nullable(),
  /** Calls whose answering span failed; where nobody answers, whose outgoing span failed. */
  errors: z.number(),
  /** Calls whose outgoing span failed. */
  clientErrors: z.number(),
  clientP50Ms: z.number().nullable(),
  clientP95Ms: z.number().nullable(),
  serverP50Ms: z.number().nullable(),
  serverP95Ms: z.number().nullable(),
  /** Outgoing minus answering span, call by call. */
  gapP50Ms: z.number().nullable(),
  gapP95Ms: z.number().nullable(),
});

const edgeSchema = z.object({
  caller: z.string(),
  callee: z.string(),
  kind: z.enum(['call', 'message', 'external', 'unanswered']),
  window: edgeNumbersSchema,
  baseline: edgeNumbersSchema.optional(),
  /** 0..1: the largest relative change of rate, errors, gap or callee's time, discounted for few calls; only with a baseline. */
  changeScore: z.number().optional(),
});

export const getServiceGraph = defineTool({
  name: 'get_service_graph',
  title: 'Service graph',
  description:
    'Calls between services and to external peers (databases, queues, foreign APIs): counts, errors, caller-side and callee-side durations and the gap between them, optionally beside a baseline and then those that changed most first. An unanswered edge is a call to an instrumented service that left no span there.',
  input: z.object({ window: windowInput, baseline: baselineInput.optional(), service: serviceInput.optional() }),
  output: z.object({ edges: z.array(edgeSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 500, timeoutMs: 30_000, maxTokens: 3_500 },
  run: async ({ window, baseline, service }, context, limits) => {
    const reading = await context.telemetry.services.readGraph(
      { window, baseline, service },
      { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, ({ baseline: normal, changeScore, ...edge }) =>
      baseline ? { ...edge, baseline: normal, changeScore } : edge,
    );
    return {
      output: { edges: rows, ...cut },
      queries: [reading.query],
      window,
      baseline,
      summary: `${cut.totalRows} edges of the service graph${service ? ` at ${service}` : ''}, ${describeWindow(window)}.`,
    };
  },
});
