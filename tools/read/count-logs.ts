/** How many log lines services wrote over time. */
import { z } from 'zod';
import { countSteps, stepSecondsInput } from '../steps.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutReading, cutShape, serviceInput, windowInput } from '../tool-shapes.ts';

const serviceSchema = z.object({
  service: z.string(),
  lines: z.number(),
  /** Severity ERROR or worse. */
  errorLines: z.number(),
  /** Steps without lines are left out. */
  steps: z.array(z.object({ atMs: z.number(), lines: z.number(), errorLines: z.number() })),
});

export const countLogs = defineTool({
  name: 'count_logs',
  title: 'Count logs',
  description:
    'Log lines and error lines of each service, step by step through a window; the most talkative service first.',
  input: z.object({ window: windowInput, stepSeconds: stepSecondsInput, service: serviceInput.optional() }),
  output: z.object({ services: z.array(serviceSchema), stepSeconds: z.int(), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 500, timeoutMs: 20_000, maxTokens: 60_000 },
  run: async ({ window, stepSeconds, service }, context, limits) => {
    countSteps(window, stepSeconds);
    const reading = await context.telemetry.logs.count(
      { window, stepSeconds, service },
      { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const { rows, ...cut } = cutReading(reading.rows, limits, (row) => ({
      ...row,
      steps: row.steps.map(([atMs, lines, errorLines]) => ({ atMs, lines, errorLines })),
    }));
    return {
      output: { services: rows, stepSeconds, ...cut },
      queries: [reading.query],
      window,
      summary: `Log lines of ${service ?? `${cut.totalRows} services`} every ${stepSeconds} s, ${describeWindow(window)}.`,
    };
  },
});
