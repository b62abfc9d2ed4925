/**
 * A question to telemetry as a shape instead of a statement: what is counted or measured, of what, split how. Whoever asks, a
 * person's words or a model, can say no more than this, and clickhouse/compile-telemetry-query.ts makes SQL of it.
 */
import { z } from 'zod';
import { timeWindowSchema } from './time-window.ts';

export const TELEMETRY_SOURCES = ['requests', 'spans', 'logs', 'metrics'] as const;
export type TelemetrySource = (typeof TELEMETRY_SOURCES)[number];

export const MEASURES = [
  'count',
  'rate',
  'errors',
  'errorRatio',
  'average',
  'p50',
  'p90',
  'p95',
  'p99',
  'min',
  'max',
] as const;
export type Measure = (typeof MEASURES)[number];

/** What each source can be measured by. */
const MEASURES_OF: Readonly<Record<TelemetrySource, readonly Measure[]>> = {
  requests: MEASURES,
  spans: MEASURES,
  logs: ['count', 'rate'],
  metrics: ['average', 'min', 'max', 'p50', 'p90', 'p95', 'p99', 'rate'],
};

/** Names of fields; `attribute.KEY` and `resource.KEY` come on top. */
const FIELDS_OF: Readonly<Record<TelemetrySource, readonly string[]>> = {
  requests: ['service', 'operation', 'pod', 'version', 'kind', 'status', 'statusMessage', 'durationMs'],
  spans: ['service', 'operation', 'pod', 'version', 'kind', 'status', 'statusMessage', 'durationMs'],
  logs: ['service', 'pod', 'version', 'severity', 'message'],
  metrics: ['service', 'metric', 'pod', 'series'],
};

const ATTRIBUTE = /^(attribute|resource)\.[^\s'"`\\]{1,200}$/;

const field = z
  .string()
  .min(1)
  .max(220)
  .describe(
    'service, operation, pod, version, kind, status (ok, error), statusMessage, durationMs; logs: service, pod, version, severity (trace, debug, info, warn, error, fatal), message; metrics: service, metric, pod, series (its attributes); any of them: attribute.KEY, resource.KEY.',
  );

const conditionSchema = z
  .strictObject({
    field,
    /** oneOf takes a list of texts, the others one value; atLeast and below are for durationMs, and atLeast for severity. */
    is: z.enum(['equal', 'unequal', 'oneOf', 'contains', 'atLeast', 'below']),
    value: z.union([z.string().max(500), z.number(), z.array(z.string().max(500)).min(1).max(100)]),
  })
  .refine(isComparable, {
    error:
      'atLeast and below compare durationMs with a number, atLeast also severity with trace, debug, info, warn, error or fatal',
  });
export type Condition = z.infer<typeof conditionSchema>;

const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

function isComparable({ field, is, value }: { field: string; is: string; value: string | number | string[] }): boolean {
  if ((is === 'oneOf') !== Array.isArray(value)) return false;
  if (field === 'durationMs') return is !== 'contains' && is !== 'oneOf' && typeof value === 'number';
  if (is === 'atLeast') return field === 'severity' && SEVERITIES.includes(String(value));
  return is !== 'below';
}

/** What is asked, without when. */
export const telemetryQueryShape = {
  from: z
    .enum(TELEMETRY_SOURCES)
    .describe('requests: work that comes into services (durations in ms); spans: all spans; logs: lines; metrics.'),
  measures: z.array(z.enum(MEASURES)).min(1).max(6).describe('The first one orders the rows.'),
  metric: z.string().min(1).max(256).optional().describe('Exact name; for metrics, and needed there.'),
  where: z.array(conditionSchema).max(10).default([]),
  by: z.array(field).max(2).default([]).describe('One row for each value of these.'),
  stepSeconds: z.int().min(1).max(86_400).optional().describe('Also split by steps of time, from the window start.'),
  order: z.enum(['most', 'least']).default('most'),
  limit: z.int().min(1).max(500).default(20).describe('Groups, the first by order.'),
};

export const telemetryQuerySchema = z
  .strictObject({ ...telemetryQueryShape, window: timeWindowSchema })
  .superRefine(({ from, measures, metric, where, by }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    for (const measure of measures) {
      if (!MEASURES_OF[from].includes(measure))
        refuse('measures', `${from} have ${MEASURES_OF[from].join(', ')}, not ${measure}`);
    }
    for (const [path, name] of [
      ...where.map((one) => ['where', one.field] as const),
      ...by.map((one) => ['by', one] as const),
    ]) {
      // A series of a metric knows its own attributes, and no others of its resource.
      const isOfSeries = from !== 'metrics' || name.startsWith('attribute.');
      const isKnown = FIELDS_OF[from].includes(name) || (ATTRIBUTE.test(name) && isOfSeries);
      if (!isKnown)
        refuse(path, `${from} have ${FIELDS_OF[from].join(', ')}, attribute.KEY, resource.KEY, not ${name}`);
      if (path === 'by' && name === 'durationMs') refuse(path, 'durationMs is compared, not split by');
    }
    if ((metric === undefined) === (from === 'metrics')) refuse('metric', 'metrics need it, and nothing else takes it');
  });
export type TelemetryQuery = z.output<typeof telemetryQuerySchema>;
