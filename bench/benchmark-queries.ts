/**
 * The questions that the query benchmark asks, through the readers that the product itself asks with; and whether what they
 * answered is what telemetry-plan.ts put there.
 */
import type { Database } from '../clickhouse/database.ts';
import { readErrorsByTemplate } from '../clickhouse/read-errors-by-template.ts';
import { createRedReader } from '../clickhouse/read-red.ts';
import { readTrace } from '../clickhouse/read-trace.ts';
import {
  countCalls,
  countCallsOfWeek,
  countErrorLines,
  DAYS,
  SERVICES,
  seriesOf,
  spansOfTrace,
  TEMPLATES,
  type TelemetryPlan,
  traceIdOf,
  traceOfPoint,
} from '../clickhouse/telemetry-plan.ts';
import type { ExecutedQuery } from '../domain/evidence.ts';
import type { TimeWindow } from '../domain/time-window.ts';

export interface BenchmarkQuery {
  readonly name: string;
  /** Its 95th percentile is to be below. */
  readonly markMs: number;
  /** @param place in [0, 1): which trace, hour, day or service; another one for each repetition */
  ask(place: number, signal: AbortSignal): Promise<BenchmarkAnswer>;
}

export interface BenchmarkAnswer {
  readonly rows: number;
  readonly queries: readonly ExecutedQuery[];
  /** Whether it says what the plan says. */
  isRight(): boolean;
}

const HOUR_MS = 3_600_000;
const HOURS = DAYS * 24;
const TIMEOUT_MS = 30_000;

export function benchmarkQueries(database: Database, plan: TelemetryPlan): readonly BenchmarkQuery[] {
  return [
    { name: 'trace by id: spans, logs, exemplars', markMs: 100, ask: askTrace(database, plan) },
    { name: 'RED of all services, one hour', markMs: 150, ask: askHour(database, plan) },
    { name: 'errors of 24 h by template', markMs: 150, ask: askErrors(database, plan) },
    { name: "one service's week of RED by minute", markMs: 200, ask: askWeek(database, plan) },
  ];
}

/** One that a metric keeps as its exemplar. */
function askTrace(database: Database, plan: TelemetryPlan): BenchmarkQuery['ask'] {
  const points = plan.steps * seriesOf('histogram');
  return async (place, signal) => {
    const trace = traceOfPoint(plan, 'histogram', Math.floor(place * points));
    const question = { traceId: traceIdOf(trace), maxSpans: 2_000, maxLogs: 200, maxExemplars: 100 };
    const { spans, totalSpans, totalLogs, totalExemplars, queries } = await readTrace(database, question, {
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    const planned = spansOfTrace(plan, trace).map(({ service, failed }) => `${service} ${failed}`);
    const isRight = () => {
      const told = spans.map(({ service, status }) => `${service} ${status === 'Error'}`);
      return totalExemplars > 0 && planned.toSorted().join() === told.toSorted().join();
    };
    return { rows: totalSpans + totalLogs + totalExemplars, queries, isRight };
  };
}

function askHour(database: Database, plan: TelemetryPlan): BenchmarkQuery['ask'] {
  const red = createRedReader(database);
  return async (place, signal) => {
    const window = hoursFrom(plan, Math.floor(place * HOURS), 1);
    const { rows, query } = await red.byService({ window }, { maxRows: 100, timeoutMs: TIMEOUT_MS, signal });
    const isRight = () => {
      const planned = countCalls(plan, window);
      const told = rows.filter(({ service, calls, errors }) => {
        const expected = planned.get(service);
        return expected?.calls === calls && expected.errors === errors;
      });
      return told.length === planned.size && rows.length === planned.size;
    };
    return { rows: rows.length, queries: [query], isRight };
  };
}

function askErrors(database: Database, plan: TelemetryPlan): BenchmarkQuery['ask'] {
  return async (place, signal) => {
    const window = hoursFrom(plan, Math.floor(place * (HOURS - 24)), 24);
    const bounds = { maxRows: 1_000, timeoutMs: TIMEOUT_MS, signal };
    const { rows, query } = await readErrorsByTemplate(database, { window }, bounds);
    const isRight = () => {
      const isMined = rows.every(({ template }) => TEMPLATES.some(({ text, isError }) => isError && text === template));
      return isMined && rows.reduce((sum, { lines }) => sum + lines, 0) === countErrorLines(plan, window);
    };
    return { rows: rows.length, queries: [query], isRight };
  };
}

function askWeek(database: Database, plan: TelemetryPlan): BenchmarkQuery['ask'] {
  const red = createRedReader(database);
  return async (place, signal) => {
    const service = SERVICES[Math.floor(place * SERVICES.length)] ?? '';
    // Traces of the last second end after midnight.
    const window = { startMs: plan.window.startMs, endMs: plan.window.endMs + 60_000 };
    const bounds = { maxRows: DAYS * 1_440 + 1, timeoutMs: TIMEOUT_MS, signal };
    const { rows, query } = await red.byMinute({ service, window }, bounds);
    const isRight = () => rows.reduce((sum, { calls }) => sum + calls, 0) === countCallsOfWeek(plan, service);
    return { rows: rows.length, queries: [query], isRight };
  };
}

function hoursFrom({ window }: TelemetryPlan, first: number, hours: number): TimeWindow {
  const startMs = window.startMs + first * HOUR_MS;
  return { startMs, endMs: startMs + hours * HOUR_MS };
}
