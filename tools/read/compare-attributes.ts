/** Which values of any attribute are over-represented among failing or slow requests. */
import { z } from 'zod';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const attributeSchema = z.object({
  source: z.enum(['span', 'resource']),
  key: z.string(),
  value: z.string(),
  affectedCount: z.number(),
  otherCount: z.number(),
  /** Of affected and of other requests, 0..1. */
  affectedShare: z.number(),
  otherShare: z.number(),
  lift: z.number(),
  /** Log odds ratio over its standard error, corrected for small samples. */
  zScore: z.number(),
  /** The key tells how the request ended (status code, error type), so it goes with failing by itself. */
  isOutcome: z.boolean(),
});

export const compareAttributes = defineTool({
  name: 'compare_attributes',
  title: 'Compare attributes',
  description:
    'Values of any span or resource attribute (customer, region, version, pod, route ...) that are over-represented among failing or slow entry spans against the others of the same window; slow means beyond the 95th percentile of the operation in the baseline, or in the window itself without one.',
  input: z.object({
    window: windowInput,
    baseline: baselineInput.optional(),
    service: serviceInput.optional(),
    operation: z.string().min(1).optional().describe('Span name of the entry spans.'),
    split: z.enum(['failing', 'slow']),
    limit: z.int().min(1).max(100).default(30),
  }),
  output: z.object({
    /** Requests compared; null when no value stands out. */
    affectedTotal: z.number().nullable(),
    otherTotal: z.number().nullable(),
    attributes: z.array(attributeSchema),
    ...cutShape,
  }),
  effect: 'read',
  limits: { maxRows: 100, timeoutMs: 30_000, maxTokens: 3_500 },
  run: async (question, context, limits) => {
    const reading = await context.telemetry.traces.compareAttributes(question, {
      maxRows: limits.maxRows,
      timeoutMs: limits.timeoutMs,
      signal: context.signal,
    });
    const { affectedTotal = null, otherTotal = null } = reading.rows[0] ?? {};
    const { rows, ...cut } = cutReading(reading.rows, limits, ({ affectedTotal: _, otherTotal: __, ...row }) => row);
    return {
      output: { affectedTotal, otherTotal, attributes: rows, ...cut },
      queries: [reading.query],
      window: question.window,
      baseline: question.baseline,
      summary: `Attributes of ${question.split} against other requests of ${question.service ?? 'all services'}, ${describeWindow(question.window)}.`,
    };
  },
});
