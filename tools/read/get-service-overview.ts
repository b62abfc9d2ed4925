/** What each service did in a window: traffic, errors, durations, pods and versions. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { cutReading, cutShape, windowInput } from '../tool-shapes.ts';

const serviceSchema = z.object({
  service: z.string(),
  /** Entry spans: Server, Consumer, and roots that are no outgoing call. */
  requests: z.number(),
  requestsPerSecond: z.number().nullable(),
  errors: z.number(),
  /** 0..1; null without requests. */
  errorRatio: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  spans: z.number(),
  pods: z.number(),
  versions: z.array(z.string()),
});

export const getServiceOverview = defineTool({
  name: 'get_service_overview',
  title: 'Service overview',
  description:
    'Requests, errors, duration percentiles, pods and versions of every service in a window, the busiest first. Requests are entry spans; rates go by the minutes in which telemetry arrived.',
  input: z.object({ window: windowInput }),
  output: z.object({ services: z.array(serviceSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 300, timeoutMs: 15_000, maxTokens: 3_500 },
  run: async ({ window }, context, limits) => {
    const reading = await context.telemetry.services.readOverview(
      { window },
      { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => ({
      ...row,
      versions: [...row.versions],
      errorRatio: row.requests > 0 ? row.errors / row.requests : null,
    }));
    return {
      output: { services: rows, ...cut },
      queries: [reading.query],
      window,
      summary: `Requests, errors and durations of ${cut.totalRows} services, ${describeWindow(window)}.`,
    };
  },
});
