/** Every metric series of a window against its baseline: how far it left normal time, and since when. */
import { z } from 'zod';
import { durationMs, type TimeWindow } from '../../domain/time-window.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { baselineInput, cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const SHORT_WINDOW_MS = 600_000;
const SHORT_BASELINE_MS = 21_600_000;

const number = z.number().nullable();

const comparisonSchema = z.object({
  service: z.string(),
  /** Empty when the resource tells no pod or instance. */
  pod: z.string(),
  metric: z.string(),
  /** value: a level. rate: growth of a counter per second. mean, countRate: of a distribution. */
  statistic: z.enum(['value', 'rate', 'mean', 'countRate']),
  attributes: z.record(z.string(), z.string()),
  unit: z.string(),
  baselinePoints: z.number(),
  windowPoints: z.number(),
  /** Figures are null where there are no points. */
  baselineMedian: number,
  baselineScale: number,
  baselineMin: number,
  baselineMax: number,
  baselineQ01: number,
  baselineQ99: number,
  windowMedian: number,
  windowMean: number,
  windowMin: number,
  windowMax: number,
  /** Distance of the window's median from the baseline's in robust scales, signed, -1000..1000. */
  deviation: number,
  /** The same of the window's maximum or minimum, whichever is further off. */
  extremeDeviation: number,
  /** Share of baseline points at least as far out as that extreme, 0..1. */
  exceedance: number,
  /** First step clearly beyond the baseline's 1..99 % range on that side. */
  firstBeyondMs: number,
});

export const compareMetrics = defineTool({
  name: 'compare_metrics',
  title: 'Compare metrics',
  description:
    'Every metric series (service, pod, metric, attributes) in a window against its baseline: robust deviation of its median and extreme, how rare that extreme is in normal time, and when it first left its range; those furthest off first.',
  input: z.object({
    window: windowInput,
    baseline: baselineInput,
    service: serviceInput.optional(),
    metric: z.string().min(1).optional().describe('Exact metric name.'),
    limit: z.int().min(1).max(1_000).default(20),
  }),
  output: z.object({ series: z.array(comparisonSchema), stepSeconds: z.int(), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 1_000, timeoutMs: 30_000, maxTokens: 120_000 },
  run: async ({ window, baseline, service, metric, limit }, context, limits) => {
    const stepSeconds = comparisonStepSeconds(window, baseline);
    const reading = await context.telemetry.metrics.compare(
      { window, baseline, service, metric, stepSeconds },
      { maxRows: Math.min(limit, limits.maxRows), timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => ({ ...row, attributes: { ...row.attributes } }));
    return {
      output: { series: rows, stepSeconds, ...cut },
      queries: [reading.query],
      window,
      baseline,
      summary: `${cut.totalRows} series of ${metric ?? 'all metrics'} of ${service ?? 'all services'}, ${describeWindow(window)} against ${describeWindow(baseline)}.`,
    };
  },
});

/** A short window needs short steps to have points at all; both windows are cut alike. */
function comparisonStepSeconds(window: TimeWindow, baseline: TimeWindow): number {
  return durationMs(window) <= SHORT_WINDOW_MS && durationMs(baseline) <= SHORT_BASELINE_MS ? 10 : 60;
}
