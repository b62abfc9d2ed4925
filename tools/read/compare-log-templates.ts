/** Kinds of log lines that appeared, burst or vanished in a window. */
import { z } from 'zod';
import { minSeverityInput, severityNumber } from '../severity.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const templateSchema = z.object({
  service: z.string(),
  /** OTLP's number, 1..24; 0 when the source tells none. */
  severityNumber: z.number(),
  severityText: z.string(),
  /** The body with `<*>` in place of what varies. */
  template: z.string(),
  /** unobserved: one of the windows has no logs at all. */
  status: z.enum(['appeared', 'burst', 'vanished', 'steady', 'unobserved']),
  /** Signed, about a z-score: more or less than expected, both by observed minutes and by traces. */
  significance: z.number().nullable(),
  windowCount: z.number(),
  baselineCount: z.number(),
  /** By minutes in which the service wrote anything. */
  windowPerMinute: z.number().nullable(),
  baselinePerMinute: z.number().nullable(),
  /** windowPerMinute / baselinePerMinute. */
  ratio: z.number().nullable(),
  /** By distinct traces with lines of the service. */
  windowPerTrace: z.number().nullable(),
  baselinePerTrace: z.number().nullable(),
  windowTraces: z.number(),
  firstSeenMs: z.number().nullable(),
  lastSeenMs: z.number().nullable(),
  sampleBody: z.string(),
  sampleTraceId: z.string(),
});

export const compareLogTemplates = defineTool({
  name: 'compare_log_templates',
  title: 'Compare log templates',
  description:
    'Log lines grouped by service, severity and template (the body with its variable parts masked), counted in a window and in a baseline: which appeared, burst or vanished, the most significant change first, each with a sample line.',
  input: z.object({
    window: windowInput,
    baseline: baselineInput,
    service: serviceInput.optional(),
    minSeverity: minSeverityInput.optional(),
    limit: z.int().min(1).max(1_000).default(20),
  }),
  output: z.object({ templates: z.array(templateSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 1_000, timeoutMs: 30_000, maxTokens: 120_000 },
  run: async ({ window, baseline, service, minSeverity, limit }, context, limits) => {
    const reading = await context.telemetry.logs.compareTemplates(
      { window, baseline, service, minSeverityNumber: severityNumber(minSeverity) },
      { maxRows: Math.min(limit, limits.maxRows), timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => row);
    return {
      output: { templates: rows, ...cut },
      queries: [reading.query],
      window,
      baseline,
      summary: `${cut.totalRows} log templates of ${service ?? 'all services'}, ${describeWindow(window)} against ${describeWindow(baseline)}.`,
    };
  },
});
