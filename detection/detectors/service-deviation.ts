/**
 * A first, simple detector: failing and slow requests of one service in its last minute against its own recent past. Pure: a
 * pulse in, anomalies out. The bar comes from the past itself (extreme values), never from a setting.
 */
import type { Anomaly } from '../../domain/anomaly.ts';
import { tailThreshold } from '../../domain/statistics/extreme-value.ts';
import { median, quantile } from '../../domain/statistics/robust-scale.ts';
import { poissonTail, proportionDeviation } from '../../domain/statistics/tail.ts';
import { contentId } from '../../platform/ids.ts';

export interface ServiceStep {
  /** Start of the step. */
  readonly atMs: number;
  readonly requests: number;
  readonly errors: number;
  /** Requests slower than 95 % of those to the same operation usually are. */
  readonly slow: number;
  readonly p95Ms: number;
}

export interface ServicePulse {
  readonly service: string;
  readonly stepSeconds: number;
  /** In time order; steps without requests are left out. */
  readonly steps: readonly ServiceStep[];
}

/** Steps judged together: half a minute shows a burst, a minute what a quiet service needs to show anything. */
const RUN_LENGTHS = [3, 6];
/** Of the past, the newest part is left out, so that a trouble of some minutes does not become its own normal. */
const GUARD_SHARE = 0.2;
/** Runs of the past below which nothing is known. */
const LEAST_PAST = 20;
/** Accepted chance that normal time passes the bar in one run of one measure. */
const RISK = 1e-6;

/** A score is in standard errors: whatever the past was, less than one of them is nothing. */
const LEAST_BAR = 1;

interface Run {
  readonly startMs: number;
  readonly endMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly slow: number;
  readonly p95Ms: number;
}

interface Measure {
  readonly subject: string;
  readonly unit: string;
  /** Requests that show it. */
  count(run: Run): number;
  /** What a person reads. */
  value(run: Run): number;
}

const MEASURES: readonly Measure[] = [
  {
    subject: 'error rate',
    unit: '1',
    count: ({ errors }) => errors,
    value: ({ errors, requests }) => errors / Math.max(1, requests),
  },
  { subject: 'p95 duration', unit: 'ms', count: ({ slow }) => slow, value: ({ p95Ms }) => p95Ms },
];

/** At most one anomaly for each measure, of the run length that shows it best; none when the past is too short. */
export function detectServiceDeviations(pulse: ServicePulse): Anomaly[] {
  return MEASURES.flatMap((measure) => {
    const anomalies = RUN_LENGTHS.flatMap((length) => judge(pulse, toRuns(pulse, length), measure) ?? []);
    return anomalies.sort((left, right) => right.deviation - left.deviation).slice(0, 1);
  });
}

/** Every run of consecutive observed steps, overlapping. */
function toRuns({ steps, stepSeconds }: ServicePulse, length: number): Run[] {
  return steps.slice(length - 1).map((last, index) => {
    const run = steps.slice(index, index + length);
    const sum = (member: 'requests' | 'errors' | 'slow') => run.reduce((total, step) => total + step[member], 0);
    return {
      startMs: run[0]?.atMs ?? last.atMs,
      endMs: last.atMs + stepSeconds * 1000,
      requests: sum('requests'),
      errors: sum('errors'),
      slow: sum('slow'),
      p95Ms: median(run.map(({ p95Ms }) => p95Ms)),
    };
  });
}

function judge({ service }: ServicePulse, runs: readonly Run[], measure: Measure): Anomaly | undefined {
  const newest = runs.at(-1);
  const past = runs.slice(0, Math.floor(runs.length * (1 - GUARD_SHARE)));
  if (!newest || past.length < LEAST_PAST) return undefined;
  const pastCount = past.reduce((sum, run) => sum + measure.count(run), 0);
  const pastRequests = past.reduce((sum, run) => sum + run.requests, 0);
  const score = (run: Run) => proportionDeviation(measure.count(run), run.requests, pastCount, pastRequests);
  const bar = Math.max(LEAST_BAR, tailThreshold(past.map(score), RISK));
  const deviation = score(newest);
  if (!(deviation > bar) || chanceOf(newest, measure, pastCount, pastRequests) > RISK) return undefined;
  const values = past.map(measure.value);
  const [expected, low, high] = [median(values), quantile(values, 0.01), quantile(values, 0.99)];
  const observed = measure.value(newest);
  const window = { startMs: newest.startMs, endMs: newest.endMs };
  return {
    anomalyId: contentId('anom', { service, subject: measure.subject, window }),
    signal: 'traces',
    service,
    subject: measure.subject,
    detector: 'service-deviation',
    window,
    sinceMs: firstOfStreak(runs, (run) => score(run) > bar),
    observed,
    expected,
    range: [low, high],
    deviation: deviation / bar,
    unit: measure.unit,
    sentence: `${service}: ${measure.subject} ${show(observed, measure.unit)} where ${show(expected, measure.unit)} is normal (up to ${show(high, measure.unit)}).`,
  };
}

/** That so many or more come together by chance alone: where the past is short or clean, its extremes say too little. */
function chanceOf(run: Run, measure: Measure, pastCount: number, pastRequests: number): number {
  return poissonTail(measure.count(run), (run.requests * (pastCount + 1)) / (pastRequests + 2));
}

/** Start of the unbroken streak of deviating runs that ends with the newest. */
function firstOfStreak(runs: readonly Run[], deviates: (run: Run) => boolean): number {
  let since = runs.at(-1)?.startMs ?? 0;
  for (const run of [...runs].reverse()) {
    if (!deviates(run)) break;
    since = run.startMs;
  }
  return since;
}

function show(value: number, unit: string): string {
  return unit === 'ms' ? `${value.toPrecision(3)} ms` : `${(value * 100).toFixed(2)} %`;
}
