/** The metrics of one pod in one interval: container, runtime, server, pool; or those of a database's exporter. */
import { isDependency } from './compile-shop.ts';
import type { PoolPressure, Pressure } from './disturbance.ts';
import type { Pod } from './fleet.ts';
import {
  type HistogramPoint,
  type KeyValue,
  type Metric,
  type NumberPoint,
  nanosOf,
  TEMPORALITY,
  textAttribute,
} from './otlp-json.ts';
import type { RandomStream } from './random-stream.ts';
import { DURATION_BOUNDS_S, type Durations, type Tally } from './tally.ts';

const POOL_SIZE = 20;
const NO_POOL_PRESSURE: PoolPressure = { takenShare: 0, pending: 0, timeoutShare: 0 };
/** That a cache holds. */
const KEYS = 180_000;
const NONE: readonly KeyValue[] = [];

/** What one pod is like in one interval. */
export interface Condition {
  readonly pod: Pod;
  readonly tally: Tally;
  /** 1: as busy as at season factor 1. */
  readonly load: number;
  readonly cpu: number;
  readonly memory: number;
  readonly garbageFactor: number;
  readonly pressure: Pressure;
  readonly noise: RandomStream;
  readonly startUs: number;
  readonly endUs: number;
}

export function metricsOf(condition: Condition): Metric[] {
  const { pod, cpu, memory } = condition;
  const metrics = [
    gauge(condition, 'container.cpu.utilization', '1', cpu),
    gauge(condition, 'container.memory.usage', 'By', Math.round(memory * pod.service.memoryBytes)),
    gauge(condition, 'container.memory.utilization', '1', memory),
    gauge(condition, 'k8s.container.restarts', '{restart}', pod.restarts),
  ];
  metrics.push(...(isDependency(pod.service) ? dependencyMetrics(condition) : serviceMetrics(condition)));
  return metrics;
}

function point(condition: Condition, value: number, attributes: readonly KeyValue[] = NONE): NumberPoint {
  return { attributes, timeUnixNano: nanosOf(condition.endUs), asDouble: value };
}

function gauge(condition: Condition, name: string, unit: string, value: number): Metric {
  return { name, unit, gauge: { dataPoints: [point(condition, value)] } };
}

/** Little's law: how many are inside at a time. */
function concurrency(busyUs: number, condition: Condition): number {
  return busyUs / (condition.endUs - condition.startUs);
}

function serviceMetrics(condition: Condition): Metric[] {
  const { pod, tally } = condition;
  const metrics = runtimeMetrics(condition);
  metrics.push(
    gauge(condition, 'http.server.active_requests', '{request}', Math.round(concurrency(tally.busyUs, condition))),
  );
  metrics.push(counter(condition, 'http.server.request.count', '{request}', pod.requestCount));
  if (tally.poolUs > 0) metrics.push(...poolMetrics(condition));
  const http = [...tally.durations.values()].filter(({ operation }) => operation.service.protocol === 'http');
  const rpc = [...tally.durations.values()].filter(({ operation }) => operation.service.protocol === 'grpc');
  if (http.length > 0) metrics.push(durationHistogram(condition, 'http.server.request.duration', http));
  if (rpc.length > 0) metrics.push(durationHistogram(condition, 'rpc.server.call.duration', rpc));
  if (pod.service.queue)
    metrics.push(gauge(condition, 'messaging.client.consumed.active', '{message}', tally.requests));
  return metrics;
}

/** @param count since the process started */
function counter(
  condition: Condition,
  name: string,
  unit: string,
  count: number,
  attributes: readonly KeyValue[] = NONE,
): Metric {
  const dataPoints = [wholePoint(condition, count, attributes)];
  return { name, unit, sum: { dataPoints, aggregationTemporality: TEMPORALITY.cumulative, isMonotonic: true } };
}

/** An UpDownCounter: a level that the SDK exports as a sum. */
function upDown(
  condition: Condition,
  name: string,
  unit: string,
  values: readonly (readonly [number, readonly KeyValue[]])[],
): Metric {
  const dataPoints = values.map(([value, attributes]) => wholePoint(condition, value, attributes));
  return { name, unit, sum: { dataPoints, aggregationTemporality: TEMPORALITY.cumulative, isMonotonic: false } };
}

function wholePoint({ pod, endUs }: Condition, value: number, attributes: readonly KeyValue[]): NumberPoint {
  const startTimeUnixNano = nanosOf(pod.startedMs * 1000);
  return { attributes, startTimeUnixNano, timeUnixNano: nanosOf(endUs), asInt: String(value) };
}

const POOL = textAttribute('db.client.connection.pool.name', 'default');
const USED = [POOL, textAttribute('db.client.connection.state', 'used')];
const IDLE = [POOL, textAttribute('db.client.connection.state', 'idle')];

function poolMetrics(condition: Condition): Metric[] {
  const { pod, tally, pressure } = condition;
  const wanted = concurrency(tally.poolUs, condition) + 1.2 * condition.load + condition.noise.next();
  const { takenShare, pending, timeoutShare } = pressure.pool ?? NO_POOL_PRESSURE;
  const used = Math.min(POOL_SIZE, Math.round(wanted + takenShare * Math.max(0, POOL_SIZE - wanted)));
  const queued = pending > 0 ? pending * (0.7 + 0.6 * condition.noise.next()) : 0;
  const waiting = Math.max(Math.round(queued), Math.round(wanted - POOL_SIZE), 0);
  pod.poolTimeoutCount += Math.round(timeoutShare * tally.requests);
  return [
    upDown(condition, 'db.client.connection.count', '{connection}', [
      [used, USED],
      [POOL_SIZE - used, IDLE],
    ]),
    upDown(condition, 'db.client.connection.max', '{connection}', [[POOL_SIZE, [POOL]]]),
    upDown(condition, 'db.client.connection.pending_requests', '{request}', [[waiting, [POOL]]]),
    counter(condition, 'db.client.connection.timeouts', '{timeout}', pod.poolTimeoutCount, [POOL]),
  ];
}

function runtimeMetrics(condition: Condition): Metric[] {
  const { pod, cpu, memory, noise, garbageFactor } = condition;
  const heap = Math.round(0.7 * memory * pod.service.memoryBytes);
  const garbageMs = (2 + 18 * cpu) * garbageFactor * Math.exp(0.3 * noise.normal());
  switch (pod.service.runtime) {
    case 'jvm':
      return [
        gauge(condition, 'jvm.memory.used', 'By', heap),
        gauge(condition, 'jvm.gc.pause', 'ms', garbageMs),
        gauge(condition, 'jvm.thread.count', '{thread}', 42 + Math.round(40 * cpu + 2 * noise.normal())),
      ];
    case 'nodejs':
      return [
        gauge(condition, 'v8js.memory.heap.used', 'By', heap),
        gauge(condition, 'nodejs.eventloop.delay.p99', 'ms', 1 + garbageMs * 0.6),
        gauge(condition, 'nodejs.eventloop.utilization', '1', Math.min(1, cpu * 0.9)),
      ];
    case 'go':
      return [
        gauge(condition, 'go.memory.used', 'By', heap),
        gauge(condition, 'go.goroutine.count', '{goroutine}', 60 + Math.round(120 * cpu + 4 * noise.normal())),
        gauge(condition, 'process.runtime.go.gc.pause', 'ms', garbageMs * 0.1),
      ];
    default:
      return [gauge(condition, 'process.runtime.cpython.gc.pause', 'ms', garbageMs * 0.5)];
  }
}

function dependencyMetrics(condition: Condition): Metric[] {
  const { tally, load, noise, pod } = condition;
  const busy = concurrency(tally.busyUs, condition);
  switch (pod.service.protocol) {
    case 'postgresql':
      return [
        gauge(condition, 'postgresql.backends', '1', 18 + Math.round(busy + 3 * load + noise.next())),
        gauge(condition, 'postgresql.commits', '1', tally.requests),
      ];
    case 'redis':
      return [
        gauge(condition, 'redis.clients.connected', '{client}', 24 + Math.round(busy + 2 * load + noise.next())),
        gauge(
          condition,
          'redis.commands',
          '{ops}/s',
          tally.requests / ((condition.endUs - condition.startUs) / 1_000_000),
        ),
        ...keyspaceMetrics(condition),
      ];
    case 'rabbitmq':
      return [
        gauge(
          condition,
          'rabbitmq.message.current',
          '{message}',
          Math.round(busy + tally.requests * 0.1 + noise.next()),
        ),
      ];
    case 'elasticsearch':
      return [
        gauge(
          condition,
          'elasticsearch.node.thread_pool.tasks.queued',
          '{task}',
          Math.round(busy * 0.3 + noise.next()),
        ),
      ];
    default:
      return [
        gauge(condition, 'mongodb.connection.count', '{connection}', 12 + Math.round(busy + 2 * load + noise.next())),
      ];
  }
}

/** What Redis counts of its own lookups and keys since it started. Writes are no lookups. */
function keyspaceMetrics(condition: Condition): Metric[] {
  const { tally, noise, pressure, pod } = condition;
  const reads = [...tally.durations.values()].filter(({ operation }) => operation.name.includes('GET'));
  const lookups = reads.reduce((sum, { count }) => sum + count, 0);
  pod.missCount += tally.misses;
  pod.hitCount += Math.max(0, lookups - tally.misses);
  const keys = Math.round(KEYS * (pressure.keyShare ?? 1) * (1 + 0.01 * noise.next()));
  return [
    counter(condition, 'redis.keyspace.hits', '{hit}', pod.hitCount),
    counter(condition, 'redis.keyspace.misses', '{miss}', pod.missCount),
    gauge(condition, 'redis.db.keys', '{key}', keys),
  ];
}

function durationHistogram(condition: Condition, name: string, durations: readonly Durations[]): Metric {
  const dataPoints = durations.map((entry) => histogramPoint(condition, entry));
  return { name, unit: 's', histogram: { dataPoints, aggregationTemporality: TEMPORALITY.delta } };
}

function histogramPoint({ startUs, endUs }: Condition, durations: Durations): HistogramPoint {
  const { naming, service } = durations.operation;
  const isHttp = service.protocol === 'http';
  const attributes = isHttp
    ? [textAttribute('http.request.method', naming.method), textAttribute('http.route', naming.route)]
    : [textAttribute('rpc.system', 'grpc'), textAttribute('rpc.method', naming.server)];
  const key = isHttp ? 'http.response.status_code' : 'rpc.grpc.status_code';
  attributes.push({ key, value: { intValue: String(durations.code) } });
  return {
    attributes,
    startTimeUnixNano: nanosOf(startUs),
    timeUnixNano: nanosOf(endUs),
    count: String(durations.count),
    sum: durations.sumUs / 1_000_000,
    min: durations.minUs / 1_000_000,
    max: durations.maxUs / 1_000_000,
    bucketCounts: durations.buckets.map(String),
    explicitBounds: DURATION_BOUNDS_S,
  };
}
