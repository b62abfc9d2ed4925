/** The course of requests, errors and durations of services over time, in steps of one length. */
import { z } from 'zod';
import type { ServiceStepRow } from '../../clickhouse/read-services.ts';
import { durationMs, type TimeWindow } from '../../domain/time-window.ts';
import { InputError } from '../../platform/errors.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, rounded, serviceInput, windowInput } from '../tool-shapes.ts';

const MAX_STEPS = 1_500;

const seriesSchema = z.object({
  service: z.string(),
  /** One number a step; the i-th step starts at window.startMs + i * stepSeconds * 1000. */
  requests: z.array(z.number()),
  errors: z.array(z.number()),
  /** null in steps without requests. */
  p50Ms: z.array(z.number().nullable()),
  p95Ms: z.array(z.number().nullable()),
});
type Series = z.infer<typeof seriesSchema>;

export const getServiceTimeline = defineTool({
  name: 'get_service_timeline',
  title: 'Service timeline',
  description:
    'Requests, errors, p50 and p95 duration of services step by step through a window, as arrays aligned to the steps, the busiest service first. A step of 0 requests is silence or a hole in coverage.',
  input: z.object({
    window: windowInput,
    stepSeconds: z.int().min(1).max(86_400),
    service: serviceInput.optional(),
  }),
  output: z.object({
    stepSeconds: z.int(),
    steps: z.int(),
    series: z.array(seriesSchema),
    totalServices: z.int().nonnegative(),
    truncated: z.boolean(),
  }),
  effect: 'read',
  limits: { maxRows: 30_000, timeoutMs: 20_000, maxTokens: 3_500 },
  run: async ({ window, stepSeconds, service }, context, limits) => {
    const steps = Math.ceil(durationMs(window) / (stepSeconds * 1000));
    if (steps > MAX_STEPS) {
      throw new InputError(
        `${steps} steps are too many (at most ${MAX_STEPS}): choose a longer step or a shorter window.`,
      );
    }
    const reading = await context.telemetry.services.readTimeline(
      { window, stepSeconds, service },
      { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal },
    );
    const totalServices = reading.rows[0]?.totalServices ?? 0;
    const series = toSeries(completeServices(reading.rows), window, stepSeconds, steps);
    const cut = cutRows(series, limits, totalServices);
    return {
      output: { stepSeconds, steps, series: cut.rows, totalServices, truncated: cut.truncated },
      queries: [reading.query],
      window,
      summary: `Requests, errors and durations of ${service ?? `${totalServices} services`} every ${stepSeconds} s, ${describeWindow(window)}.`,
    };
  },
});

/** Where the rows were limited, the last service may lack steps: it is left out rather than shown falling silent. */
function completeServices(rows: readonly ServiceStepRow[]): readonly ServiceStepRow[] {
  const last = rows.at(-1);
  if (last === undefined || last.totalRows === rows.length) return rows;
  return rows.filter(({ service }) => service !== last.service);
}

function toSeries(rows: readonly ServiceStepRow[], window: TimeWindow, stepSeconds: number, steps: number): Series[] {
  const byService = new Map<string, Series>();
  for (const row of rows) {
    const series = byService.get(row.service) ?? emptySeries(row.service, steps);
    byService.set(row.service, series);
    const index = Math.round((row.atMs - window.startMs) / (stepSeconds * 1000));
    series.requests[index] = row.requests;
    series.errors[index] = row.errors;
    series.p50Ms[index] = rounded(row.p50Ms);
    series.p95Ms[index] = rounded(row.p95Ms);
  }
  return [...byService.values()];
}

function emptySeries(service: string, steps: number): Series {
  const zeros = () => Array<number>(steps).fill(0);
  const nulls = () => Array<number | null>(steps).fill(null);
  return { service, requests: zeros(), errors: zeros(), p50Ms: nulls(), p95Ms: nulls() };
}
