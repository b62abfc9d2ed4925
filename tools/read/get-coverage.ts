/** Which telemetry exists when: what is missing was not observed, and is no silence. */
import { z } from 'zod';
import { countSteps, stepSecondsInput } from '../steps.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutReading, cutShape, windowInput } from '../tool-shapes.ts';

const signalName = z.enum(['metrics', 'logs', 'traces']);
const coverageShape = {
  /** Steps in which anything arrived, of `steps`. */
  observedSteps: z.number(),
  firstMs: z.number(),
  lastMs: z.number(),
  telemetryRows: z.number(),
};

export const getCoverage = defineTool({
  name: 'get_coverage',
  title: 'Telemetry coverage',
  description:
    'Which of metrics, logs and traces exist in which part of a window: unbroken time ranges for each signal, and for each signal and service how many steps have telemetry. What is missing was not observed, which is not the same as silence.',
  input: z.object({ window: windowInput, stepSeconds: stepSecondsInput }),
  output: z.object({
    steps: z.int(),
    signals: z.array(
      z.object({
        signal: signalName,
        ...coverageShape,
        services: z.number(),
        observedRanges: z.array(z.object({ startMs: z.number(), endMs: z.number() })),
      }),
    ),
    /** The signals that nobody sent in the window. */
    unobserved: z.array(signalName),
    services: z.array(z.object({ signal: signalName, service: z.string(), ...coverageShape })),
    ...cutShape,
  }),
  effect: 'read',
  limits: { maxRows: 1_000, timeoutMs: 20_000, maxTokens: 60_000 },
  run: async ({ window, stepSeconds }, context, limits) => {
    const steps = countSteps(window, stepSeconds);
    const bounds = { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal };
    const bySignal = await context.telemetry.coverage.readBySignal({ window, stepSeconds }, bounds);
    const byService = await context.telemetry.coverage.readByService({ window, stepSeconds }, bounds);
    const signals = bySignal.rows.map(({ observedRanges, ...row }) => ({
      ...row,
      observedRanges: observedRanges.map(([startMs, endMs]) => ({ startMs, endMs })),
    }));
    const observed = new Set(signals.map(({ signal }) => signal));
    const { rows, ...cut } = cutReading(byService.rows, limits, (row) => row);
    return {
      output: {
        steps,
        signals,
        unobserved: signalName.options.filter((signal) => !observed.has(signal)),
        services: rows,
        ...cut,
      },
      queries: [bySignal.query, byService.query],
      window,
      summary: `Coverage of metrics, logs and traces in ${steps} steps of ${stepSeconds} s, ${describeWindow(window)}.`,
    };
  },
});
