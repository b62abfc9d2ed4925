/** The pods that run the shop: who they are as OTel resources, how rollouts replace them, and what each holds until its next export. */
import { InvariantError } from '../platform/errors.ts';
import { isDependency, type Service, type Shop } from './compile-shop.ts';
import { type LogRecord, type Resource, type Span, textAttribute } from './otlp-json.ts';
import type { RandomStream } from './random-stream.ts';
import { createTally, type Tally } from './tally.ts';

export interface Pod {
  readonly service: Service;
  /** Position among the service's pods; a successor takes it over. */
  readonly slot: number;
  readonly name: string;
  readonly node: string;
  readonly version: string;
  readonly startedMs: number;
  /** Until then a pod that just started is slow. */
  readonly warmAtMs: number;
  /** Factor on own time: no two machines are alike. */
  readonly speed: number;
  readonly resource: Resource;
  spans: Span[];
  logs: LogRecord[];
  /** By number of the metrics interval. */
  readonly tallies: Map<number, Tally>;
  /** Since the pod started: what cumulative sums report. */
  requestCount: number;
  retired: boolean;
}

/** Replaces the pods of a service one after another by pods of a new version. */
export interface Rollout {
  readonly service: Service;
  readonly version: string;
  readonly atMs: number;
}

/** Pods start anew this long after each other. */
const ROLLOUT_STEP_MS = 12_000;

const WARM_UP_MS = 25_000;
export const NODES = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e'];
const NAMESPACE = 'shop';

export interface Fleet {
  /** The pod that serves a call; @param draw in [0, 1). */
  pick(service: Service, draw: number): Pod;
  /** Starts and stops pods up to that moment. */
  advance(atMs: number): void;
  /** Running pods, and stopped ones that still hold something. */
  pods(): readonly Pod[];
  /** Forgets stopped pods. */
  sweep(): void;
}

export function createFleet(shop: Shop, root: RandomStream, startMs: number, rollouts: readonly Rollout[]): Fleet {
  const running = shop.services.map((service) =>
    Array.from({ length: service.pods }, (_, slot) => createPod(service, slot, service.version, startMs, 0, root)),
  );
  let stopped: Pod[] = [];
  let pending = rollouts
    .flatMap(({ service, version, atMs }) =>
      Array.from({ length: service.pods }, (_, slot) => ({
        service,
        version,
        slot,
        atMs: atMs + slot * ROLLOUT_STEP_MS,
      })),
    )
    .sort((left, right) => left.atMs - right.atMs);

  function replace(service: Service, slot: number, version: string, atMs: number): void {
    const pods = running[service.index];
    const old = pods?.[slot];
    if (!pods || !old) return;
    old.retired = true;
    stopped.push(old);
    pods[slot] = createPod(service, slot, version, atMs, atMs + WARM_UP_MS, root);
  }

  return {
    pick(service, draw) {
      const pods = running[service.index] ?? [];
      const pod = pods[Math.floor(draw * pods.length)];
      if (!pod) throw new InvariantError(`No pod of ${service.name} runs.`);
      return pod;
    },
    advance(atMs) {
      while (pending[0] && pending[0].atMs <= atMs) {
        const { service, slot, version, atMs: sinceMs } = pending[0];
        replace(service, slot, version, sinceMs);
        pending = pending.slice(1);
      }
    },
    pods: () => [...running.flat(), ...stopped],
    sweep: () => {
      stopped = stopped.filter((pod) => pod.tallies.size > 0);
    },
  };
}

const POD_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

function podSuffix(stream: RandomStream, length: number): string {
  return Array.from({ length }, () => POD_ALPHABET[stream.below(POD_ALPHABET.length)]).join('');
}

function createPod(
  service: Service,
  slot: number,
  version: string,
  startedMs: number,
  warmAtMs: number,
  root: RandomStream,
): Pod {
  const place = root.fork('pod').fork(service.index).fork(slot);
  const identity = place.fork(version);
  const replicaSet = podSuffix(root.fork('replica-set').fork(service.index).fork(version), 9);
  const name = isDependency(service)
    ? `${service.name}-${slot}`
    : `${service.name}-${replicaSet}-${podSuffix(identity, 5)}`;
  const node = NODES[place.below(NODES.length)] ?? '';
  const speed = Math.exp(0.04 * place.normal());
  const resource = describeResource(service, name, node, version, identity.id128());
  return {
    service,
    slot,
    name,
    node,
    version,
    startedMs,
    warmAtMs,
    speed,
    resource,
    spans: [],
    logs: [],
    tallies: new Map(),
    requestCount: 0,
    retired: false,
  };
}

function describeResource(service: Service, pod: string, node: string, version: string, instanceHex: string): Resource {
  const workload = isDependency(service) ? 'k8s.statefulset.name' : 'k8s.deployment.name';
  const attributes = [
    textAttribute('service.name', service.name),
    textAttribute('service.namespace', NAMESPACE),
    textAttribute('service.instance.id', instanceHex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')),
    textAttribute('deployment.environment.name', 'production'),
    textAttribute('k8s.namespace.name', NAMESPACE),
    textAttribute(workload, service.name),
    textAttribute('k8s.pod.name', pod),
    textAttribute('k8s.node.name', node),
  ];
  if (version !== '') attributes.push(textAttribute('service.version', version));
  if (service.runtime) {
    const language = { jvm: 'java', nodejs: 'nodejs', go: 'go', python: 'python' }[service.runtime];
    attributes.push(
      textAttribute('telemetry.sdk.name', 'opentelemetry'),
      textAttribute('telemetry.sdk.language', language),
    );
  }
  return { attributes };
}

/** The pod's tally of the interval that holds `atUs`. */
export function tallyOf(pod: Pod, atUs: number, intervalUs: number): Tally {
  const interval = Math.floor(atUs / intervalUs);
  let tally = pod.tallies.get(interval);
  if (!tally) {
    tally = createTally();
    pod.tallies.set(interval, tally);
  }
  return tally;
}
