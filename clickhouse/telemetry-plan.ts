/**
 * A made-up week of a shop, as arithmetic: what trace, log line and point number n is. The generator writes the same sums as
 * SQL, so that whoever measures or tests on its data knows what must be there. Pure.
 */
import { createHash } from 'node:crypto';
import type { TimeWindow } from '../domain/time-window.ts';

export interface TelemetrySize {
  /** At least so many of each; rounded up to whole groups of traces and whole steps of metrics. */
  readonly spans: number;
  readonly logs: number;
  readonly points: number;
}

export interface TelemetryPlan {
  /** Starts at midnight UTC, seven days. */
  readonly window: TimeWindow;
  readonly traces: number;
  readonly spans: number;
  readonly logs: number;
  readonly points: number;
  /** Steps of each series of metrics. */
  readonly steps: number;
}

export const DAYS = 7;
const WEEK_MS = DAYS * 86_400_000;
const LONGEST_TRACE_MS = 3_000;

/** Callers of everything come first. */
export const SERVICES = [
  ...['storefront', 'mobile-api', 'partner-api', 'back-office'],
  ...['cart', 'checkout', 'payment', 'fraud', 'ledger', 'invoice', 'catalogue', 'search', 'pricing', 'promotion'],
  ...['inventory', 'warehouse', 'shipping', 'carrier', 'returns', 'customer', 'session', 'loyalty', 'review', 'media'],
  ...['mail', 'push', 'recommendation', 'tax', 'currency', 'reporting'],
];
export const ENTRANCES = 4;

/** Four traces, one after another, of these many spans: eight on average. */
const TRACE_SIZES = [3, 6, 9, 14] as const;
export const TRACES_IN_GROUP = TRACE_SIZES.length;
/** One trace in so many fails, from its last server span up to its root. */
export const FAILING = { every: 25, at: 7 } as const;
/** What lines say around their two numbers. */
export const LINES = {
  plain: [
    ['served ', ' in ', ' ms'],
    ['cache miss for key product:', ' after ', ' lookups'],
    ['order ', ' accepted from customer ', ''],
    ['connection ', ' to primary opened in ', ' ms'],
    ['message ', ' published to partition ', ''],
    ['session ', ' refreshed, ', ' seconds left'],
    ['reserved item ', ' in warehouse ', ''],
    ['price of ', ' recomputed with ', ' rules'],
  ],
  error: [
    ['request ', ' failed: upstream timed out after ', ' ms'],
    ['could not acquire connection for job ', ': pool exhausted, ', ' waiting'],
    ['payment ', ' declined by provider, code ', ''],
    ['write of order ', ' rejected: lock held by transaction ', ''],
    ['message ', ' dropped after ', ' attempts'],
  ],
} as const;
/** The same as templates; ids are what lines carry, the same in every service. */
export const TEMPLATES = Object.entries(LINES).flatMap(([kind, texts]) =>
  texts.map((parts, index) => ({ id: `${kind}${index}`, text: parts.join('<*>'), isError: kind === 'error' })),
);

/** One line in so many carries no trace id. */
export const BACKGROUND = { every: 5, at: 4 } as const;

export const METRICS = {
  gauge: [
    'process.memory.usage',
    'process.cpu.utilization',
    'db.client.connections.usage',
    'queue.depth',
    'jvm.threads',
  ],
  sum: ['http.server.requests', 'http.server.errors', 'messages.sent', 'bytes.sent'],
  histogram: ['http.server.request.duration'],
  exponential_histogram: ['rpc.client.duration'],
} as const;
export type MetricTable = keyof typeof METRICS;
export const METRIC_TABLES = Object.keys(METRICS) as MetricTable[];
export const PODS = 3;
const SERIES = METRIC_TABLES.reduce((sum, table) => sum + seriesOf(table), 0);

/** @param endMs the data ends at the midnight (UTC) before */
export function planTelemetry(size: TelemetrySize, endMs: number): TelemetryPlan {
  const midnightMs = Math.floor(endMs / 86_400_000) * 86_400_000;
  const groups = Math.max(1, Math.ceil(size.spans / GROUP.length));
  const steps = Math.max(1, Math.ceil(size.points / SERIES));
  return {
    window: { startMs: midnightMs - WEEK_MS, endMs: midnightMs },
    traces: groups * TRACES_IN_GROUP,
    spans: groups * GROUP.length,
    logs: size.logs,
    points: steps * SERIES,
    steps,
  };
}

/** What stands at one place of a group of traces. Fractions are of the trace's time. */
export interface GroupPlace {
  readonly trace: number;
  /** Of the span in its trace: 0 the root, odd a call, even the server that answers it. */
  readonly index: number;
  readonly parent: number;
  /** The service that does it: 0 the entrance, else the n-th that the trace calls. */
  readonly call: number;
  readonly start: number;
  readonly length: number;
  /** From the last server span to the root. */
  readonly isOnErrorPath: boolean;
  readonly isLastServer: boolean;
}

export const GROUP: readonly GroupPlace[] = TRACE_SIZES.flatMap((size, trace) => {
  const last = size % 2 === 1 ? size - 1 : size - 2;
  const path = new Set<number>();
  for (let at = last; at > 0; at = parentOf(at)) path.add(at);
  path.add(0);
  return Array.from({ length: size }, (_, index) => ({
    ...{ trace, index, parent: parentOf(index), ...placeOf(index) },
    call: index % 2 === 0 ? index / 2 : Math.floor((index + 1) / 4),
    isOnErrorPath: path.has(index),
    isLastServer: index === last,
  }));
});

/** Call j = (index + 1) / 2 is made by the server span of call j / 2: a binary tree of servers. */
function parentOf(index: number): number {
  return index % 2 === 0 ? Math.max(0, index - 1) : 2 * Math.floor((index + 1) / 4);
}

/** Children divide the middle of their parent's time; a server takes nine tenths of the call to it. */
function placeOf(index: number): { start: number; length: number } {
  if (index === 0) return { start: 0, length: 1 };
  const outer = placeOf(parentOf(index));
  if (index % 2 === 0) return { start: outer.start + outer.length * 0.05, length: outer.length * 0.9 };
  const isSecond = ((index + 1) / 2) % 2 === 1 && index > 1;
  return { start: outer.start + outer.length * (isSecond ? 0.5 : 0.05), length: outer.length * 0.45 };
}

export function seriesOf(table: MetricTable): number {
  return SERVICES.length * METRICS[table].length * PODS;
}

/** Microseconds from one trace to the next; a step of metrics takes as long as its share of the week. */
export function traceStepUs({ traces }: TelemetryPlan): number {
  return (WEEK_MS * 1_000) / traces;
}

export function traceIdOf(trace: number): string {
  return createHash('md5').update(String(trace)).digest('hex');
}

/** Start of trace number n, microseconds since the Unix epoch. */
export function traceStartUs(plan: TelemetryPlan, trace: number): number {
  return plan.window.startMs * 1_000 + Math.floor(trace * traceStepUs(plan));
}

/** Of the root: mostly a few hundred milliseconds, at the most two seconds. */
export function traceDurationUs(trace: number): number {
  return 20_000 + Math.floor((((trace * 7919) % 1000) ** 3 * 2) / 1000);
}

export function isFailing(trace: number): boolean {
  return trace % FAILING.every === FAILING.at;
}

/** The service of the n-th call of a trace: six of the others for each entrance, and one group in five reaches the last two. */
export function serviceOf(trace: number, call: number): string {
  const entrance = Math.floor(trace / TRACES_IN_GROUP) % ENTRANCES;
  const shift = Math.floor(trace / (TRACES_IN_GROUP * ENTRANCES)) % 5 === 0 ? 2 : 0;
  const index = call === 0 ? entrance : ENTRANCES + ((entrance * 6 + call - 1 + shift) % (SERVICES.length - ENTRANCES));
  return SERVICES[index] ?? '';
}

export interface PlannedSpan {
  readonly service: string;
  readonly kind: 'Server' | 'Client';
  readonly startUs: number;
  readonly durationNs: number;
  readonly failed: boolean;
}

/** The spans of trace number n, in the order of their indexes. */
export function spansOfTrace(plan: TelemetryPlan, trace: number): PlannedSpan[] {
  return GROUP.filter((place) => place.trace === trace % TRACES_IN_GROUP).map((place) => ({
    service: serviceOf(trace, place.call),
    kind: place.index % 2 === 0 ? 'Server' : 'Client',
    startUs: traceStartUs(plan, trace) + Math.floor(place.start * traceDurationUs(trace)),
    durationNs: Math.floor(place.length * traceDurationUs(trace)) * 1_000,
    failed: isFailing(trace) && place.isOnErrorPath,
  }));
}

export interface PlannedCalls {
  readonly calls: number;
  readonly errors: number;
}

/** Server spans that start in the window, by service. */
export function countCalls(plan: TelemetryPlan, { startMs, endMs }: TimeWindow): ReadonlyMap<string, PlannedCalls> {
  const counted = new Map<string, { calls: number; errors: number }>();
  const traceAt = (atMs: number) => Math.floor(((atMs - plan.window.startMs) * 1_000) / traceStepUs(plan));
  const first = Math.max(0, traceAt(startMs - LONGEST_TRACE_MS));
  const last = Math.min(plan.traces - 1, traceAt(endMs));
  for (let trace = first; trace <= last; trace++) {
    for (const { service, kind, startUs, failed } of spansOfTrace(plan, trace)) {
      if (kind !== 'Server' || startUs < startMs * 1_000 || startUs >= endMs * 1_000) continue;
      const sum = counted.get(service) ?? { calls: 0, errors: 0 };
      counted.set(service, { calls: sum.calls + 1, errors: sum.errors + Number(failed) });
    }
  }
  return counted;
}

/** Server spans of one service in the whole week: traces repeat after lcm(16 * 5, 25) of them. */
export function countCallsOfWeek(plan: TelemetryPlan, service: string): number {
  const period = 400;
  const callsIn = (from: number, to: number) => {
    let calls = 0;
    for (let trace = from; trace < to; trace++) {
      calls += spansOfTrace(plan, trace).filter((span) => span.kind === 'Server' && span.service === service).length;
    }
    return calls;
  };
  const whole = Math.floor(plan.traces / period);
  return whole * callsIn(0, period) + callsIn(0, plan.traces - whole * period);
}

/** Log lines of failing traces that lie in the window. */
export function countErrorLines(plan: TelemetryPlan, { startMs, endMs }: TimeWindow): number {
  const lineAt = (atMs: number) => Math.floor(((atMs - plan.window.startMs) / WEEK_MS) * plan.logs);
  const first = Math.max(0, lineAt(startMs - LONGEST_TRACE_MS) - 2);
  const last = Math.min(plan.logs - 1, lineAt(endMs) + 2);
  let lines = 0;
  for (let line = first; line <= last; line++) {
    const trace = traceOfLine(plan, line);
    if (!isFailing(trace)) continue;
    const atUs = traceStartUs(plan, trace) + Math.floor(traceDurationUs(trace) / 2);
    if (atUs >= startMs * 1_000 && atUs < endMs * 1_000) lines++;
  }
  return lines;
}

/** The trace that log line number n belongs to; see BACKGROUND for those that do not say so. */
export function traceOfLine({ traces, logs }: TelemetryPlan, line: number): number {
  return Math.floor(line * (traces / logs));
}

/** The trace that point number n of a table of histograms keeps as its exemplar. */
export function traceOfPoint(plan: TelemetryPlan, table: MetricTable, point: number): number {
  return Math.floor(point * (plan.traces / (plan.steps * seriesOf(table))));
}
