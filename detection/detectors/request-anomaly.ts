/** Says what a deviation of calls is, in figures and in a sentence: what was seen, what is normal, since when. Pure. */

import { type Anomaly, anomalyIdOf } from '../../domain/anomaly.ts';
import type { SeriesName } from '../../domain/series-name.ts';
import { formatClock } from '../../domain/time-window.ts';
import { addDurations, type CallCounts, errorShare, quantileMs } from './request-baseline.ts';
import { type GroupDeviation, type RequestAspect, type RequestGroup, STEP_MS } from './request-group.ts';

/** Whose calls they are: into the service, or from it to a peer. */
export interface GroupName {
  readonly service: string;
  /** Empty: calls into the service. */
  readonly peer: string;
}

interface Figures {
  readonly what: string;
  readonly unit: string;
  readonly observed: number;
  readonly expected: number;
  readonly range: [number, number];
}

/** Standard errors of normal time that the range shows: what is beyond is rarer than one step in a thousand. */
const RANGE_ERRORS = 3.3;
const KINDS = { errors: 'errors', latency: 'duration', traffic: 'requests' } as const;
const FIGURES: Readonly<Record<RequestAspect, (group: RequestGroup, deviation: GroupDeviation) => Figures>> = {
  errors: errorFigures,
  latency: durationFigures,
  traffic: trafficFigures,
};

/** @param endMs end of the newest step */
export function describeRequests(
  { service, peer }: GroupName,
  group: RequestGroup,
  deviation: GroupDeviation,
  endMs: number,
): Anomaly {
  const { aspect, operation = '', sinceMs } = deviation;
  const series: SeriesName = {
    kind: KINDS[aspect],
    service,
    name: peer || operation,
    detail: peer === '' ? 'Server' : 'Client',
  };
  const { what, unit, observed, expected, range } = FIGURES[aspect](group, deviation);
  const subject = `${what}${whereOf(peer, operation)}`;
  const [low, high] = range.map((value) => show(value, unit));
  const since = formatClock(sinceMs);
  return {
    anomalyId: anomalyIdOf(series, 'requests', sinceMs),
    signal: 'traces',
    service,
    series,
    subject,
    aspect,
    detector: 'requests',
    window: { startMs: endMs - STEP_MS, endMs },
    sinceMs,
    observed,
    expected,
    range,
    deviation: deviation.deviation,
    unit,
    hurtsUsers: peer === '' && aspect !== 'traffic',
    sentence: `${service}: ${subject} ${show(observed, unit)} since ${since} UTC, normally ${show(expected, unit)} (${low} to ${high}).`,
    correlated: [],
  };
}

function whereOf(peer: string, operation: string): string {
  if (peer !== '') return ` of calls to ${peer}`;
  return operation === '' ? '' : ` of ${operation}`;
}

interface RecentCalls {
  readonly operation: string;
  readonly calls: number;
  readonly errors: number;
  readonly durations: number[];
}

/** Of the steps in which it shows, by operation; of the one operation, if it is one's. */
function recentCalls({ steps }: RequestGroup, { length, operation }: GroupDeviation): RecentCalls[] {
  const all = steps.slice(-length).flatMap(({ calls }) => [...calls]);
  const asked = all.filter(([name]) => operation === undefined || name === operation);
  return [...Map.groupBy(asked, ([name]) => name)].map(([name, its]) => ({ operation: name, ...sumOf(its) }));
}

function sumOf(steps: readonly (readonly [string, CallCounts])[]): Omit<RecentCalls, 'operation'> {
  const durations: number[] = [];
  let [calls, errors] = [0, 0];
  for (const [, counts] of steps) {
    calls += counts.calls;
    errors += counts.errors;
    addDurations(durations, counts);
  }
  return { calls, errors, durations };
}

/** What would be normal for just this mix of operations. */
function errorFigures(group: RequestGroup, deviation: GroupDeviation): Figures {
  let [calls, errors, usual] = [0, 0, 0];
  for (const recent of recentCalls(group, deviation)) {
    calls += recent.calls;
    errors += recent.errors;
    const baseline = group.operations.get(recent.operation)?.baseline;
    usual += baseline ? recent.calls * Math.min(errorShare(baseline), baseline.errors / baseline.calls) : 0;
  }
  const expected = usual / Math.max(1, calls);
  const reach = RANGE_ERRORS * standardError(expected + 1 / Math.max(1, calls), calls);
  const range: [number, number] = [Math.max(0, expected - reach), Math.min(1, expected + reach)];
  return { what: 'error rate', unit: '1', observed: errors / Math.max(1, calls), expected, range };
}

function durationFigures(group: RequestGroup, deviation: GroupDeviation): Figures {
  const share = deviation.measure === 'slow' ? 0.95 : 0.5;
  const [seen, usual]: [number[], number[]] = [[], []];
  let calls = 0;
  for (const recent of recentCalls(group, deviation)) {
    const baseline = group.operations.get(recent.operation)?.baseline;
    if (!baseline || baseline.calls === 0) continue;
    calls += recent.calls;
    const weight = recent.calls / baseline.calls;
    addDurations(seen, numbered(recent.durations));
    addDurations(usual, numbered(baseline.durations.map((count) => count * weight)));
  }
  const reach = RANGE_ERRORS * standardError(share, calls);
  return {
    what: deviation.measure === 'slow' ? 'p95 duration' : 'median duration',
    unit: 'ms',
    observed: quantileMs(seen, share),
    expected: quantileMs(usual, share),
    range: [quantileMs(usual, Math.max(0, share - reach)), quantileMs(usual, Math.min(0.999, share + reach))],
  };
}

function trafficFigures(group: RequestGroup, { length }: GroupDeviation): Figures {
  const steps = group.steps.slice(-length);
  const meanOf = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const expected = (measure: 'more' | 'fewer') => meanOf(steps.map(({ all }) => all[measure]?.expected ?? 0));
  const variance = meanOf(steps.map(({ all }) => all.more?.variance ?? 0)) / Math.max(1, steps.length);
  const reach = RANGE_ERRORS * Math.sqrt(variance);
  const perSecond = 1_000 / STEP_MS;
  const [low, high] = [expected('fewer'), expected('more')];
  return {
    what: 'request rate',
    unit: '1/s',
    observed: meanOf(steps.map(({ all }) => all.more?.count ?? 0)) * perSecond,
    expected: meanOf(group.traffic.recent) * perSecond,
    range: [Math.max(0, low - reach) * perSecond, (high + reach) * perSecond],
  };
}

function numbered(counts: readonly number[]): Pick<CallCounts, 'buckets' | 'counts'> {
  return { buckets: counts.map((_, bucket) => bucket), counts };
}

function standardError(share: number, trials: number): number {
  const bounded = Math.min(1, share);
  return Math.sqrt((bounded * (1 - bounded)) / Math.max(1, trials));
}

function show(value: number, unit: string): string {
  if (unit === '1') return `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`;
  if (unit !== 'ms') return `${value.toFixed(value < 10 ? 1 : 0)}/s`;
  if (value >= 1_000) return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}
