/** One question to metrics, traces or log patterns, answered by the tool that the agents use. */
import { z } from 'zod';
import { telemetryQueryShape } from '../../domain/telemetry-query.ts';
import { defineMcpTool, READS } from '../catalogue.ts';
import { readCursor } from '../page-place.ts';
import { pageRows } from '../page-rows.ts';
import { ABOUTS, baselineBefore, inputFor, QUESTIONS, rowsOf } from '../telemetry-questions.ts';
import { cursorShape, isoSpan, readSpan, rowsShape, serviceInput, spanShape } from '../tool-input.ts';

const ABOUT = `figures: any count, rate, error ratio, duration or metric value, filtered and split as the argument figures says. services: requests, errors, percentiles of each. timeline: the same step by step, as arrays. dependencies: who calls whom, how well. operations: what changed by span name (rate, errors, self time). errors: where they begin, and why. traces: slowest, newest or with most errors. attributes: values (customer, region, version ...) over-represented among failing or slow requests. metrics: names. series: one metric over time. metric_shifts: metrics furthest from normal. log_patterns: kinds of log lines that appeared, burst or vanished. usual: expected values at the end of the span. coverage: which signals exist when.`;

export const queryTelemetry = defineMcpTool({
  name: 'query_telemetry',
  title: 'Query telemetry',
  description:
    'Asks metrics, traces and log patterns of a span of time one question, compared with normal time where that makes sense; what stands out comes first. The answer names its evidence, which anybody can verify.',
  input: z.strictObject({
    about: z.enum(ABOUTS).describe(ABOUT),
    ...spanShape,
    baselineSince: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .describe('Normal time to compare with; left out: right before.'),
    baselineUntil: z.string().min(1).max(40).optional(),
    service: serviceInput.optional(),
    metric: z.string().min(1).max(256).optional().describe('Exact name, for series and metric_shifts.'),
    operation: z.string().min(1).max(512).optional().describe('Span name, for traces and attributes.'),
    pod: z.string().min(1).max(256).optional(),
    split: z.enum(['failing', 'slow']).optional().describe('For attributes.'),
    sort: z.enum(['slowest', 'newest', 'most-errors']).optional().describe('For traces.'),
    figures: z.strictObject(telemetryQueryShape).optional().describe('For figures, and needed there.'),
    stepSeconds: z.int().min(1).max(86_400).optional().describe('For timeline, series and coverage.'),
    ...cursorShape,
  }),
  output: z.looseObject({ window: z.string(), baseline: z.string().optional(), evidenceId: z.string(), ...rowsShape }),
  example: { about: 'operations', service: 'checkout', since: '30m' },
  hints: READS,
  run: async ({ cursor, ...question }, { backend, signal, nowMs }) => {
    const { about, since, until, baselineSince, baselineUntil, ...given } = question;
    const place = cursor === undefined ? undefined : readCursor(question, cursor);
    const window = place?.windows[0] ?? readSpan({ since, until }, nowMs());
    const baseline =
      place?.windows[1] ??
      (baselineSince === undefined
        ? baselineBefore(window)
        : readSpan({ since: baselineSince, until: baselineUntil ?? isoOfStart(window) }, nowMs(), 'baseline'));
    const input = inputFor(about, given, window, baseline);
    const { output, evidence } = await backend.runTool(QUESTIONS[about].tool.name, input, signal);
    const { rows, total, facts } = rowsOf(about, output);
    return pageRows({
      ...{ rows, total, question, offset: place?.offset ?? 0, windows: [window, baseline] },
      facts: {
        window: isoSpan(window),
        ...(QUESTIONS[about].usesBaseline ? { baseline: isoSpan(baseline) } : {}),
        evidenceId: evidence.evidenceId,
        ...facts,
      },
    });
  },
});

const isoOfStart = ({ startMs }: { startMs: number }): string => new Date(startMs).toISOString();
