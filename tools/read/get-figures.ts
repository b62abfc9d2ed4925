/** Any figure of requests, spans, log lines or metrics, split by any field and by time: the question that no other tool foresaw. */
import { z } from 'zod';
import { telemetryQuerySchema } from '../../domain/telemetry-query.ts';
import { countSteps } from '../steps.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutReading, cutShape } from '../tool-shapes.ts';

const groupSchema = z.object({
  /** Values of `by`, in its order. */
  by: z.array(z.string()),
  /** Start of the step; 0 without steps. */
  atMs: z.number(),
  /** Requests, spans, lines, or points of a metric. */
  items: z.number(),
  unit: z.string(),
  /** One for each measure: durations in ms, ratios 0..1, rates per second, metrics in their unit. */
  figures: z.array(z.number().nullable()),
});

export const getFigures = defineTool({
  name: 'get_figures',
  title: 'Figures',
  description:
    'Counts, rates, error ratios, durations or metric values, filtered and split by service, operation, pod, version, status, any attribute, and steps of time; the most (or least) first.',
  input: telemetryQuerySchema,
  output: z.object({ groups: z.array(groupSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 5_000, timeoutMs: 20_000, maxTokens: 60_000 },
  run: async (query, context, limits) => {
    if (query.stepSeconds !== undefined) countSteps(query.window, query.stepSeconds);
    const reading = await context.telemetry.typed.ask(query, {
      maxRows: limits.maxRows,
      timeoutMs: limits.timeoutMs,
      signal: context.signal,
    });
    const counted = reading.rows.map(({ totalGroups, ...row }) => ({ ...row, totalRows: totalGroups }));
    const { rows, ...cut } = cutReading(counted, limits, ({ groupBy, figures, ...row }) => ({
      by: [...groupBy],
      ...row,
      figures: [...figures],
    }));
    const split = query.by.length > 0 ? ` by ${query.by.join(' and ')}` : '';
    const source = query.metric ?? query.from;
    const truncated = new Set(rows.map(({ by }) => by.join('\n'))).size < cut.totalRows;
    return {
      output: { groups: rows, totalRows: cut.totalRows, truncated },
      queries: [reading.query],
      window: query.window,
      summary: `${query.measures.join(', ')} of ${source}${split}, ${describeWindow(query.window)}.`.slice(0, 500),
    };
  },
});
