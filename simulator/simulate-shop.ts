/** The simulator's front door: a seeded shop, run second by second, handed out as batches of OTLP/JSON and changes. */
import type { ChangeInput } from '../domain/change.ts';
import type { World } from './arrival.ts';
import { createFleet, type Fleet, type Pod } from './fleet.ts';
import { measurePods } from './measure-pods.ts';
import type {
  ExportLogsServiceRequest,
  ExportMetricsServiceRequest,
  ExportTraceServiceRequest,
  ResourceMetrics,
} from './otlp-json.ts';
import { disturbancesOf, planSimulation, type SimulationPlan } from './plan-simulation.ts';
import type { RandomStream } from './random-stream.ts';
import { holidayFactor, seasonFactor } from './season.ts';
import { simulateRequest } from './simulate-request.ts';
import type { SimulationOptions } from './simulation-options.ts';
import { arrivalsOf, type UserRequest } from './user-request.ts';
import { weatherOf } from './weather.ts';

export interface SimulatedBatch {
  /** Holds the requests that arrived in [startMs, endMs), whole, and the metrics intervals that ended in (startMs, endMs]. */
  readonly startMs: number;
  readonly endMs: number;
  /** Bodies for /v1/traces, /v1/logs and /v1/metrics; undefined: nothing to send. */
  readonly traces: ExportTraceServiceRequest | undefined;
  readonly logs: ExportLogsServiceRequest | undefined;
  readonly metrics: ExportMetricsServiceRequest | undefined;
  readonly changes: readonly ChangeInput[];
  readonly spanCount: number;
  readonly logCount: number;
  readonly pointCount: number;
}

const SECOND_MS = 1_000;
const SCOPE = { name: 'shop.instrumentation', version: '1.0.0' };

/**
 * Batches in order of time. The same options give the same batches; requests and their luck belong to the seed and the
 * clock, so that another window, batch size or fault leaves what it does not touch as it is. Throws InputError at the first
 * step when the options are not valid.
 */
export function* simulateShop(options: SimulationOptions): Generator<SimulatedBatch, void, undefined> {
  yield* simulatePlan(planSimulation(options));
}

/** The same for what is planned already. */
export function* simulatePlan(plan: SimulationPlan): Generator<SimulatedBatch, void, undefined> {
  const { startMs, endMs, batchSeconds, metricsSeconds } = plan.options;
  const disturbances = disturbancesOf(plan);
  const rollouts = disturbances.flatMap((disturbance) => disturbance.rollouts);
  const fleet = createFleet(plan.shop, plan.root, startMs, rollouts, (...life) =>
    Math.min(...disturbances.map(({ lifeEnd }) => lifeEnd?.(...life) ?? Number.POSITIVE_INFINITY)),
  );
  const world = { fleet, disturbances, weather: [], intervalUs: metricsSeconds * 1_000_000 };
  const lengthMs = Math.max(1, Math.round(batchSeconds * 1000));
  for (let fromMs = startMs; fromMs < endMs; fromMs += lengthMs) {
    const toMs = Math.min(fromMs + lengthMs, endMs);
    simulateRequests(plan, world, fromMs, toMs);
    const metrics = measureIntervals(plan, world, fromMs, toMs);
    const changes = disturbances
      .flatMap((disturbance) => disturbance.changes)
      // What was done before the beginning is told at the beginning.
      .filter(({ atMs }) => (fromMs === startMs || atMs >= fromMs) && atMs < toMs)
      .sort((left, right) => left.atMs - right.atMs);
    yield collect(
      fleet,
      metrics,
      changes.map(({ input }) => input),
      fromMs,
      toMs,
    );
  }
}

function simulateRequests({ options, shop, root }: SimulationPlan, world: World, fromMs: number, toMs: number): void {
  const firstMs = Math.floor(fromMs / SECOND_MS) * SECOND_MS;
  for (let secondMs = firstMs; secondMs < toMs; secondMs += SECOND_MS) {
    world.fleet.advance(secondMs);
    const load = loadAt(options, secondMs);
    const weather = shop.services.map((service) => weatherOf(service, root, secondMs, load));
    const mean = options.requestsPerSecond * load;
    const usual = arrivalsOf(shop.entries, root, secondMs, mean);
    for (const request of [...usual, ...surplusOf(world, root, secondMs, mean)]) {
      const isInside = request.atUs >= fromMs * 1000 && request.atUs < toMs * 1000;
      if (isInside) simulateRequest({ ...world, weather }, request);
    }
  }
}

function loadAt({ holidays = [] }: SimulationPlan['options'], atMs: number): number {
  return seasonFactor(atMs) * holidayFactor(holidays, atMs);
}

/** Users who come only because of a disturbance; those who come anyhow stay as they are. */
function surplusOf({ disturbances }: World, root: RandomStream, secondMs: number, mean: number): UserRequest[] {
  return disturbances.flatMap(({ onArrivals }) => {
    const surge = onArrivals?.(secondMs);
    return surge ? [...arrivalsOf(surge.entries, root.fork('surplus'), secondMs, mean * surge.share)] : [];
  });
}

function measureIntervals(
  { options, root }: SimulationPlan,
  world: World,
  fromMs: number,
  toMs: number,
): ResourceMetrics[] {
  const metrics: ResourceMetrics[] = [];
  const lengthMs = options.metricsSeconds * 1000;
  const first = Math.floor(fromMs / lengthMs);
  for (let number = first; (number + 1) * lengthMs <= toMs; number++) {
    const middleMs = (number + 0.5) * lengthMs;
    const { requestsPerSecond } = options;
    const interval = { number, lengthMs, requestsPerSecond, load: loadAt(options, middleMs) };
    for (const resource of measurePods(world.fleet.pods(), root, interval, world.disturbances)) metrics.push(resource);
  }
  return metrics;
}

function collect(
  fleet: Fleet,
  resourceMetrics: ResourceMetrics[],
  changes: ChangeInput[],
  startMs: number,
  endMs: number,
): SimulatedBatch {
  const pods = fleet.pods();
  const resourceSpans = pods.filter(({ spans }) => spans.length > 0).map(takeSpans);
  const resourceLogs = pods.filter(({ logs }) => logs.length > 0).map(takeLogs);
  fleet.sweep();
  return {
    startMs,
    endMs,
    traces: resourceSpans.length > 0 ? { resourceSpans } : undefined,
    logs: resourceLogs.length > 0 ? { resourceLogs } : undefined,
    metrics: resourceMetrics.length > 0 ? { resourceMetrics } : undefined,
    changes,
    spanCount: sum(resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.map(({ spans }) => spans.length))),
    logCount: sum(resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.map(({ logRecords }) => logRecords.length))),
    pointCount: countPoints(resourceMetrics),
  };
}

function takeSpans(pod: Pod): ExportTraceServiceRequest['resourceSpans'][number] {
  const { spans } = pod;
  pod.spans = [];
  return { resource: pod.resource, scopeSpans: [{ scope: SCOPE, spans }] };
}

function takeLogs(pod: Pod): ExportLogsServiceRequest['resourceLogs'][number] {
  const logRecords = pod.logs;
  pod.logs = [];
  return { resource: pod.resource, scopeLogs: [{ scope: SCOPE, logRecords }] };
}

function countPoints(resourceMetrics: readonly ResourceMetrics[]): number {
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return sum(metrics.map(({ gauge, sum: total, histogram }) => (gauge ?? total ?? histogram)?.dataPoints.length ?? 0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
