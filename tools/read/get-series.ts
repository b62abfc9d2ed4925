/** The course of one metric, series by series, with what normal time makes one expect. */
import { z } from 'zod';
import { countSteps, readableStepSeconds, stepSecondsInput } from '../steps.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const SHORTEST_STEP_SECONDS = 10;

const seriesSchema = z.object({
  service: z.string(),
  pod: z.string(),
  metric: z.string(),
  /** value: a level. rate: growth of a counter per second. mean, countRate: of a distribution. */
  statistic: z.enum(['value', 'rate', 'mean', 'countRate']),
  attributes: z.record(z.string(), z.string()),
  unit: z.string(),
  /** Median of the baseline; null without baseline points, as the range is. */
  expected: z.number().nullable(),
  /** 5 % and 95 % quantiles of the baseline. */
  expectedLow: z.number().nullable(),
  expectedHigh: z.number().nullable(),
  baselinePoints: z.number(),
  /** Start of each step that has points; others were not observed. */
  points: z.array(z.object({ atMs: z.number(), value: z.number() })),
});

export const getSeries = defineTool({
  name: 'get_series',
  title: 'Metric series',
  description:
    'The values of one metric over a window, step by step for each series, with the value and range to expect from a baseline; the series furthest from theirs first.',
  input: z.object({
    metric: z.string().min(1).describe('Exact metric name.'),
    window: windowInput,
    baseline: baselineInput.optional(),
    service: serviceInput.optional(),
    pod: z.string().min(1).optional().describe('k8s.pod.name, or service.instance.id.'),
    stepSeconds: stepSecondsInput.optional(),
    limit: z.int().min(1).max(100).default(10),
  }),
  output: z.object({ series: z.array(seriesSchema), stepSeconds: z.int(), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 100, timeoutMs: 20_000, maxTokens: 60_000 },
  run: async ({ limit, stepSeconds: asked, ...question }, context, limits) => {
    const { window, baseline } = question;
    const stepSeconds = asked ?? readableStepSeconds(window, SHORTEST_STEP_SECONDS);
    countSteps(window, stepSeconds);
    const reading = await context.telemetry.metrics.readSeries(
      { ...question, stepSeconds },
      { maxRows: Math.min(limit, limits.maxRows), timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, ({ windowPoints: _, points, attributes, ...row }) => ({
      ...row,
      attributes: { ...attributes },
      points: points.map(([atMs, value]) => ({ atMs, value })),
    }));
    return {
      output: { series: rows, stepSeconds, ...cut },
      queries: [reading.query],
      window,
      baseline,
      summary: `${cut.totalRows} series of ${question.metric} every ${stepSeconds} s, ${describeWindow(window)}${baseline ? ` against ${describeWindow(baseline)}` : ''}.`,
    };
  },
});
