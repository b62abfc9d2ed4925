/**
 * What agents would report about pods and nodes once per interval: how loaded each was, so its CPU and memory, with the unrest
 * of the real thing. Which metrics a pod of its kind has is in pod-metrics.ts.
 */
import type { Service } from './compile-shop.ts';
import type { Disturbance, Pressure } from './disturbance.ts';
import { NODES, type Pod } from './fleet.ts';
import {
  type KeyValue,
  type Metric,
  type NumberPoint,
  nanosOf,
  type ResourceMetrics,
  textAttribute,
} from './otlp-json.ts';
import { type Condition, metricsOf } from './pod-metrics.ts';
import type { RandomStream } from './random-stream.ts';
import { createTally, type Tally } from './tally.ts';

const SCOPE = { name: 'shop.telemetry', version: '1.0.0' };
const NO_PRESSURE: Pressure = {};
const NONE: readonly KeyValue[] = [];
/** Containers of the shop die of nothing else. */
const LAST_TERMINATED = textAttribute('k8s.container.status.last_terminated_reason', 'OOMKilled');

interface Interval {
  readonly number: number;
  readonly lengthMs: number;
  /** Requests per second at season factor 1. */
  readonly requestsPerSecond: number;
  /** Factor on the traffic at the interval's middle. */
  readonly load: number;
}

/** Takes the interval's tallies away from the pods. */
export function measurePods(
  pods: readonly Pod[],
  root: RandomStream,
  interval: Interval,
  disturbances: readonly Disturbance[],
): ResourceMetrics[] {
  const conditions = pods
    .filter((pod) => pod.service.protocol !== 'external' && (!pod.retired || pod.tallies.has(interval.number)))
    .filter((pod) => pod.diesAtMs > (interval.number + 1) * interval.lengthMs)
    .map((pod) => conditionOf(pod, root, interval, disturbances));
  for (const pod of pods)
    for (const number of pod.tallies.keys()) if (number <= interval.number) pod.tallies.delete(number);
  const reports = conditions.map((condition) => report(resourceOf(condition.pod), metricsOf(condition)));
  return [...reports, ...measureNodes(conditions, root, interval)];
}

/** The platform tells why a container was started anew. */
function resourceOf({ resource, restarts }: Pod): readonly KeyValue[] {
  return restarts === 0 ? resource.attributes : resource.attributes.concat(LAST_TERMINATED);
}

function report(attributes: readonly KeyValue[], metrics: readonly Metric[]): ResourceMetrics {
  return { resource: { attributes }, scopeMetrics: [{ scope: SCOPE, metrics }] };
}

function conditionOf(
  pod: Pod,
  root: RandomStream,
  interval: Interval,
  disturbances: readonly Disturbance[],
): Condition {
  const startMs = interval.number * interval.lengthMs;
  const tally = pod.tallies.get(interval.number) ?? createTally();
  pod.requestCount += tally.requests;
  const noise = root.fork('metrics').fork(pod.service.index).fork(pod.slot).fork(interval.number);
  const pressure = pressureOn(pod, startMs, disturbances);
  const load = loadOf(pod.service, tally, interval);
  const cpu =
    pod.service.cpu * (0.15 + 0.85 * load) * pod.speed * Math.exp(0.07 * noise.normal()) + 0.01 * noise.next();
  const floor = (pressure.cpuAtLeast ?? 0) * (1 - 0.03 * noise.next());
  return {
    pod,
    tally,
    load,
    cpu: Math.min(1, Math.max(cpu, floor)),
    memory: memoryUnder(pressure, pod, memoryShare(pod, startMs, noise)),
    garbageFactor: pressure.garbageFactor ?? 1,
    pressure,
    noise,
    startUs: Math.max(startMs, pod.startedMs) * 1000,
    endUs: (startMs + interval.lengthMs) * 1000,
  };
}

function pressureOn(pod: Pod, atMs: number, disturbances: readonly Disturbance[]): Pressure {
  for (const { onPod } of disturbances) {
    const pressure = onPod?.(pod, atMs);
    if (pressure) return pressure;
  }
  return NO_PRESSURE;
}

/** Counted requests against expected ones; where hardly any are expected the shop's own load stands in for their chance. */
function loadOf(service: Service, tally: Tally, interval: Interval): number {
  const visits = service.operations.reduce((sum, operation) => sum + operation.visitsPerRequest, 0);
  const expected = (visits * interval.requestsPerSecond * interval.lengthMs) / 1000 / service.pods;
  const trust = expected / (expected + 30);
  return expected === 0 ? interval.load : (trust * tally.requests) / expected + (1 - trust) * interval.load;
}

/** A leak shows once it holds more than usual; a process that started anew lately holds less. */
function memoryUnder({ memory }: Pressure, { restarts }: Pod, usual: number): number {
  if (memory === undefined) return usual;
  return restarts > 0 ? memory : Math.max(memory, usual);
}

/** A sawtooth between collections over a base that fits the service; each pod in its own rhythm. */
function memoryShare(pod: Pod, atMs: number, noise: RandomStream): number {
  const periodMs = 240_000 + 60_000 * ((pod.service.index * 7 + pod.slot * 3) % 9);
  const tooth = (atMs % periodMs) / periodMs;
  return 0.46 + 0.02 * (pod.service.index % 7) + 0.11 * tooth + 0.006 * noise.normal();
}

/** A node is as busy as its pods, and a little on its own account. */
function measureNodes(conditions: readonly Condition[], root: RandomStream, interval: Interval): ResourceMetrics[] {
  const endUs = (interval.number + 1) * interval.lengthMs * 1000;
  return NODES.map((node, index) => {
    const inside = conditions.filter(({ pod }) => pod.node === node && !pod.retired);
    const mean = inside.reduce((sum, { cpu }) => sum + cpu, 0) / Math.max(1, inside.length);
    const noise = root.fork('nodes').fork(index).fork(interval.number);
    const value = Math.min(1, 0.06 + 0.8 * mean + 0.01 * noise.normal());
    const dataPoint: NumberPoint = { attributes: NONE, timeUnixNano: nanosOf(endUs), asDouble: value };
    return report(
      [textAttribute('k8s.node.name', node), textAttribute('k8s.cluster.name', 'shop-eu')],
      [{ name: 'k8s.node.cpu.utilization', unit: '1', gauge: { dataPoints: [dataPoint] } }],
    );
  });
}
