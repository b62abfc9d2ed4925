/** Which metrics there are in a window. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const metricSchema = z.object({
  metric: z.string(),
  kind: z.enum(['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary']),
  unit: z.string(),
  services: z.number(),
  series: z.number(),
  points: z.number(),
});

export const listMetrics = defineTool({
  name: 'list_metrics',
  title: 'List metrics',
  description:
    'Names, kinds and units of the metrics measured in a window, with how many services, series and points they have; those with most points first.',
  input: z.object({
    window: windowInput,
    service: serviceInput.optional(),
    limit: z.int().min(1).max(1_000).default(100),
  }),
  output: z.object({ metrics: z.array(metricSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 1_000, timeoutMs: 20_000, maxTokens: 30_000 },
  run: async ({ window, service, limit }, context, limits) => {
    const reading = await context.telemetry.metrics.list(
      { window, service },
      { maxRows: Math.min(limit, limits.maxRows), timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => row);
    return {
      output: { metrics: rows, ...cut },
      queries: [reading.query],
      window,
      summary: `${cut.totalRows} metrics of ${service ?? 'all services'}, ${describeWindow(window)}.`,
    };
  },
});
