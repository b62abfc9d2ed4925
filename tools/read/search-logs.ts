/** Single log lines by what they say, who wrote them and which trace they belong to. */
import { z } from 'zod';
import { minSeverityInput, severityNumber } from '../severity.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const lineSchema = z.object({
  atMs: z.number(),
  service: z.string(),
  pod: z.string(),
  severityNumber: z.number(),
  severityText: z.string(),
  /** Cut to 1000 characters. */
  body: z.string(),
  traceId: z.string(),
  spanId: z.string(),
});

export const searchLogs = defineTool({
  name: 'search_logs',
  title: 'Search logs',
  description:
    'Log lines of a window by time, optionally only those of a service, severity, trace or template, or whose body contains a text in any case.',
  input: z.object({
    window: windowInput,
    service: serviceInput.optional(),
    minSeverity: minSeverityInput.optional(),
    text: z.string().min(1).max(500).optional().describe('Part of the body, in any case, taken literally.'),
    traceId: z.string().min(1).max(64).optional(),
    template: z.string().min(1).max(1_000).optional().describe('A whole template with <*> for its variable parts.'),
    limit: z.int().min(1).max(200).default(20),
    newestFirst: z.boolean().default(true),
  }),
  output: z.object({ lines: z.array(lineSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 200, timeoutMs: 20_000, maxTokens: 30_000 },
  run: async ({ limit, minSeverity, newestFirst, ...filters }, context, limits) => {
    const question = { ...filters, minSeverityNumber: severityNumber(minSeverity) };
    const bounds = { maxRows: Math.min(limit, limits.maxRows), timeoutMs: limits.timeoutMs, signal: context.signal };
    const lines = await context.telemetry.logs.search({ ...question, newestFirst }, bounds);
    const matching = await context.telemetry.logs.countMatching(question, bounds);
    const { rows, ...cut } = cutRows(lines.rows, limits, matching.rows[0]?.lines ?? 0);
    return {
      output: { lines: rows, ...cut },
      queries: [lines.query, matching.query],
      window: question.window,
      summary: `${cut.totalRows} matching log lines, the ${newestFirst ? 'newest' : 'oldest'} first, ${describeWindow(question.window)}.`,
    };
  },
});
