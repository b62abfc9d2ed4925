/** What is usual of a service's series at a time, from the same hour of other days, beside what was observed. */
import { z } from 'zod';
import { BASELINE_KINDS, expectationOf, type SeriesBaseline } from '../../domain/baseline.ts';
import { seriesKey } from '../../domain/series-name.ts';
import { formatInstant } from '../../domain/time-window.ts';
import { defineTool } from '../tool.ts';
import { cutRows, cutShape, roundNumbers, serviceInput } from '../tool-shapes.ts';

const MINUTE_MS = 60_000;

const baselineSchema = z.object({
  kind: z.enum(BASELINE_KINDS),
  name: z.string(),
  detail: z.string(),
  /** hour-of-week: that hour of the same day of other weeks; hour-of-day: of other workdays or weekends; recent: the last hours. */
  basis: z.enum(['hour-of-week', 'hour-of-day', 'recent', 'none']),
  /** Weeks, days or hours that it is made of. */
  times: z.number(),
  expected: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** What at least half of the past days reached in that hour or one beside it; null with fewer than three days. */
  reachedLow: z.number().nullable(),
  reachedHigh: z.number().nullable(),
  /** Null: nothing came in that minute. */
  observed: z.number().nullable(),
});

export const getBaseline = defineTool({
  name: 'get_baseline',
  title: 'Usual values at a time',
  description:
    'What one expects of the series of a service in any minute, past or coming: requests per second, share of errors, durations in ms, metrics, log lines per minute, from the same hour of other days or weeks where there are enough, otherwise from the last hours, beside what was observed.',
  input: z.object({
    service: serviceInput,
    atMs: z.int().nonnegative().describe('Milliseconds since the Unix epoch, UTC.'),
    kind: z.enum(BASELINE_KINDS).optional(),
    name: z.string().optional().describe('Operation, metric or template id; empty: the service as a whole.'),
    limit: z.int().min(1).max(200).default(50),
  }),
  output: z.object({ baselines: z.array(baselineSchema), ...cutShape }),
  effect: 'read',
  limits: { maxRows: 20_000, timeoutMs: 20_000, maxTokens: 20_000 },
  run: async ({ atMs, limit, ...filter }, context, limits) => {
    const bounds = { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal };
    const expected = await context.telemetry.baselines.read({ atMs, ...filter }, bounds);
    const observed = await context.telemetry.baselines.readMinute({ atMs, ...filter }, bounds);
    const values = new Map(observed.rows.map(({ value, ...series }) => [seriesKey(series), value]));
    const shaped = expected.rows.map((baseline) =>
      roundNumbers({ ...describe(baseline), observed: values.get(seriesKey(baseline.series)) ?? null }),
    );
    // What came for the first time has no past, and is no less there.
    const known = new Set(expected.rows.map(({ series }) => seriesKey(series)));
    const unknown = observed.rows
      .filter(({ value: _, ...series }) => !known.has(seriesKey(series)))
      .map(({ value, ...series }) => roundNumbers({ ...describe({ series, ...NO_PAST }), observed: value }));
    const { rows, ...cut } = cutRows([...shaped, ...unknown], { ...limits, maxRows: limit });
    const startMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    return {
      output: { baselines: rows, ...cut },
      queries: [expected.query, observed.query],
      window: { startMs, endMs: startMs + MINUTE_MS },
      summary: `What is usual of ${cut.totalRows} series of ${filter.service} at ${formatInstant(startMs)}.`,
    };
  },
});

const NOTHING = { times: 0, usual: [], lows: [], highs: [] };
const NO_PAST = { ofDays: NOTHING, ofWeeks: NOTHING, ofHours: NOTHING };

function describe(baseline: SeriesBaseline): Omit<z.infer<typeof baselineSchema>, 'observed'> {
  const { series, ofDays, ofWeeks } = baseline;
  const expectation = expectationOf(baseline);
  const past = { 'hour-of-week': ofWeeks, 'hour-of-day': ofDays, recent: undefined, none: undefined }[
    expectation?.basis ?? 'none'
  ];
  return {
    kind: z.enum(BASELINE_KINDS).parse(series.kind),
    name: series.name,
    detail: series.detail,
    basis: expectation?.basis ?? 'none',
    times: expectation?.times ?? 0,
    expected: expectation?.expected ?? null,
    low: expectation?.range[0] ?? null,
    high: expectation?.range[1] ?? null,
    reachedLow: past?.lows[0] ?? null,
    reachedHigh: past?.highs[0] ?? null,
  };
}
