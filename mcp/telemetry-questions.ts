/** What query_telemetry can be asked about, and which tool answers it with which of its arguments. */
import { durationMs, type TimeWindow } from '../domain/time-window.ts';
import { InputError } from '../platform/errors.ts';
import { compareAttributes } from '../tools/read/compare-attributes.ts';
import { compareLogTemplates } from '../tools/read/compare-log-templates.ts';
import { compareMetrics } from '../tools/read/compare-metrics.ts';
import { compareOperations } from '../tools/read/compare-operations.ts';
import { findErrorOrigins } from '../tools/read/find-error-origins.ts';
import { findTraces } from '../tools/read/find-traces.ts';
import { getBaseline } from '../tools/read/get-baseline.ts';
import { getCoverage } from '../tools/read/get-coverage.ts';
import { getFigures } from '../tools/read/get-figures.ts';
import { getSeries } from '../tools/read/get-series.ts';
import { getServiceGraph } from '../tools/read/get-service-graph.ts';
import { getServiceOverview } from '../tools/read/get-service-overview.ts';
import { getServiceTimeline } from '../tools/read/get-service-timeline.ts';
import { listMetrics } from '../tools/read/list-metrics.ts';
import { readableStepSeconds } from '../tools/steps.ts';
import { isoOf, isoSpan } from './tool-input.ts';

/** As many of the arguments as were given. */
export interface TelemetryArguments {
  readonly service?: string | undefined;
  readonly metric?: string | undefined;
  readonly operation?: string | undefined;
  readonly pod?: string | undefined;
  readonly split?: 'failing' | 'slow' | undefined;
  readonly sort?: 'slowest' | 'newest' | 'most-errors' | undefined;
  readonly stepSeconds?: number | undefined;
  readonly figures?: Readonly<Record<string, unknown>> | undefined;
}

interface Asked extends TelemetryArguments {
  readonly window: TimeWindow;
  readonly baseline: TimeWindow;
}

interface Question {
  readonly tool: { readonly name: string };
  /** The members of the tool's output that hold its rows, one after the other. */
  readonly rows: readonly string[];
  /** Which arguments it takes beside the windows; others are refused, so that nothing is silently ignored. */
  readonly takes: readonly (keyof TelemetryArguments)[];
  readonly needs?: keyof TelemetryArguments;
  readonly usesBaseline: boolean;
  /** The tool's input, where it is not made of the arguments that bear the same names. */
  input?(asked: Asked): Readonly<Record<string, unknown>>;
  /** What the tool needs beside the arguments that bear the same names. */
  more?(asked: Asked): Readonly<Record<string, unknown>>;
  /** Makes a row shorter without losing anything. */
  shape?(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

const STEP_SECONDS = 10;
const MAX_RANGES = 10;
const stepOf = ({ stepSeconds, window }: Asked) => ({
  stepSeconds: stepSeconds ?? readableStepSeconds(window, STEP_SECONDS),
});
const LIMIT = { limit: 100 };

export const QUESTIONS = {
  figures: {
    tool: getFigures,
    rows: ['groups'],
    takes: ['figures'],
    needs: 'figures',
    usesBaseline: false,
    input: ({ figures, window }) => ({ ...figures, window }),
  },
  services: { tool: getServiceOverview, rows: ['services'], takes: [], usesBaseline: false },
  timeline: {
    tool: getServiceTimeline,
    rows: ['series'],
    takes: ['service', 'stepSeconds'],
    usesBaseline: false,
    more: stepOf,
  },
  dependencies: { tool: getServiceGraph, rows: ['edges'], takes: ['service'], usesBaseline: true },
  operations: { tool: compareOperations, rows: ['operations'], takes: ['service'], usesBaseline: true },
  errors: { tool: findErrorOrigins, rows: ['origins'], takes: [], usesBaseline: true },
  traces: {
    tool: findTraces,
    rows: ['traces'],
    takes: ['service', 'operation', 'sort'],
    usesBaseline: false,
    more: () => LIMIT,
  },
  attributes: {
    tool: compareAttributes,
    rows: ['attributes'],
    takes: ['service', 'operation', 'split'],
    usesBaseline: true,
    more: ({ split }) => ({ ...LIMIT, split: split ?? 'failing' }),
  },
  metrics: {
    tool: listMetrics,
    rows: ['metrics'],
    takes: ['service'],
    usesBaseline: false,
    more: () => ({ limit: 500 }),
  },
  series: {
    tool: getSeries,
    rows: ['series'],
    takes: ['service', 'metric', 'pod', 'stepSeconds'],
    needs: 'metric',
    usesBaseline: true,
    more: (asked) => ({ ...LIMIT, ...stepOf(asked) }),
    shape: ({ points, ...row }) => ({ ...row, points: asPairs(points) }),
  },
  metric_shifts: {
    tool: compareMetrics,
    rows: ['series'],
    takes: ['service', 'metric'],
    usesBaseline: true,
    more: () => LIMIT,
  },
  log_patterns: {
    tool: compareLogTemplates,
    rows: ['templates'],
    takes: ['service'],
    usesBaseline: true,
    more: () => LIMIT,
  },
  usual: {
    tool: getBaseline,
    rows: ['baselines'],
    takes: ['service'],
    needs: 'service',
    usesBaseline: false,
    more: ({ window }) => ({ limit: 200, atMs: Math.max(window.startMs, window.endMs - 60_000) }),
  },
  coverage: {
    tool: getCoverage,
    rows: ['signals', 'services'],
    takes: ['stepSeconds'],
    usesBaseline: false,
    more: ({ window, stepSeconds }) => ({ stepSeconds: stepSeconds ?? readableStepSeconds(window, 60) }),
    shape: withFewRanges,
  },
} as const satisfies Readonly<Record<string, Question>>;

export type About = keyof typeof QUESTIONS;
export const ABOUTS = Object.keys(QUESTIONS) as [About, ...About[]];

/** What the tool is called with; throws InputError for arguments that the question lacks or does not take. */
export function inputFor(about: About, given: TelemetryArguments, window: TimeWindow, baseline: TimeWindow) {
  const question: Question = QUESTIONS[about];
  const { takes, needs, usesBaseline, input, more } = question;
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const foreign = named.map(([name]) => name).filter((name) => !(takes as readonly string[]).includes(name));
  if (foreign.length > 0) {
    const known = takes.length === 0 ? 'only the span of time' : `the span of time and ${takes.join(', ')}`;
    throw new InputError(`${foreign.join(', ')}: a question about ${about} takes ${known}.`);
  }
  if (needs !== undefined && given[needs] === undefined) {
    throw new InputError(`${needs}: a question about ${about} needs it (about services and metrics list the names).`);
  }
  if (input) return input({ ...given, window, baseline });
  return {
    ...Object.fromEntries(named),
    ...(about === 'usual' ? {} : { window }),
    ...(usesBaseline ? { baseline } : {}),
    ...more?.({ ...given, window, baseline }),
  };
}

/** The rows of what the tool answered, and how many exist. */
export function rowsOf(about: About, output: Readonly<Record<string, unknown>>) {
  const { rows: members, shape = (row) => row }: Question = QUESTIONS[about];
  const found = members.flatMap((member) => (Array.isArray(output[member]) ? output[member] : []));
  const rows = found.map((row) => shape(row as Record<string, unknown>));
  const { totalRows, totalServices, truncated } = output;
  const counted = [totalRows, totalServices].find((count) => typeof count === 'number') ?? 0;
  const said = [...members, 'totalRows', 'totalServices', 'truncated'];
  const facts = Object.fromEntries(Object.entries(output).filter(([name]) => !said.includes(name)));
  return { rows, total: truncated === true ? Math.max(counted, rows.length) : rows.length, facts };
}

/** Normal time where nobody named it: as long as the window, at least an hour, right before it. */
export function baselineBefore(window: TimeWindow): TimeWindow {
  const lengthMs = Math.max(durationMs(window), 3_600_000);
  return { startMs: Math.max(0, window.startMs - lengthMs), endMs: Math.max(1, window.startMs) };
}

/** A signal with many holes has many ranges: the first say enough. */
function withFewRanges({ observedRanges, ...row }: Readonly<Record<string, unknown>>) {
  if (!Array.isArray(observedRanges)) return row;
  const ranges = observedRanges.slice(0, MAX_RANGES).map((range: TimeWindow) => isoSpan(range));
  return { ...row, observedRanges: ranges, totalRanges: observedRanges.length };
}

function asPairs(points: unknown): unknown {
  if (!Array.isArray(points)) return points;
  return points.map(({ atMs, value }: { atMs: number; value: number }) => [isoOf(atMs), value]);
}
