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
  /** How often its container was started anew. */
  readonly restarts: number;
  /** Its process is killed then, with all that is under way. Infinity: never. */
  readonly diesAtMs: number;
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
  hitCount: number;
  missCount: number;
  poolTimeoutCount: number;
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

/** From the death of a container until its successor takes requests. */
const DOWN_MS = 14_000;
const BOOT_MS = 1_500;
/** So long callers still try a pod that died. */
const ENDPOINT_LAG_MS = 4_000;

const WARM_UP_MS = 25_000;
export const NODES = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e'];
const NAMESPACE = 'shop';

export interface Fleet {
  /** The pod that serves a call, undefined when nobody listens where it goes; @param draw in [0, 1). */
  pick(service: Service, draw: number, atMs: number): Pod | undefined;
  /** Starts and stops pods up to that moment. */
  advance(atMs: number): void;
  /** Running pods, and stopped ones that still hold something. */
  pods(): readonly Pod[];
  /** Forgets stopped pods. */
  sweep(): void;
}

/** When a container that started then dies; Infinity: never. */
export type LifeEnd = (service: Service, slot: number, startedMs: number) => number;

export function createFleet(
  shop: Shop,
  root: RandomStream,
  startMs: number,
  rollouts: readonly Rollout[],
  lifeEnd: LifeEnd,
): Fleet {
  const create = (service: Service, slot: number, life: Life): Pod =>
    createPod(service, slot, life, lifeEnd(service, slot, life.startedMs), root);
  const running = shop.services.map((service) =>
    Array.from({ length: service.pods }, (_, slot) =>
      create(service, slot, { version: service.version, startedMs: startMs, warmAtMs: 0, restarts: 0 }),
    ),
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

  function replace(service: Service, slot: number, life: Life): void {
    const pods = running[service.index];
    const old = pods?.[slot];
    if (!pods || !old) return;
    old.retired = true;
    stopped.push(old);
    pods[slot] = create(service, slot, life);
  }

  function restart({ service, slot, version, diesAtMs, restarts }: Pod): void {
    const warmAtMs = diesAtMs + DOWN_MS + WARM_UP_MS;
    replace(service, slot, { version, startedMs: diesAtMs + BOOT_MS, warmAtMs, restarts: restarts + 1 });
  }

  return {
    pick(service, draw, atMs) {
      const pods = running[service.index] ?? [];
      const place = draw * pods.length;
      const pod = pods[Math.floor(place)];
      if (!pod) throw new InvariantError(`No pod of ${service.name} runs.`);
      if (atMs < pod.diesAtMs) return pod;
      if (atMs < pod.diesAtMs + ENDPOINT_LAG_MS) return undefined;
      // Only calls that would have gone to the dead one go elsewhere.
      const others = pods.filter(({ diesAtMs }) => atMs < diesAtMs);
      return others[Math.floor((place % 1) * others.length)];
    },
    advance(atMs) {
      while (pending[0] && pending[0].atMs <= atMs) {
        const { service, slot, version, atMs: sinceMs } = pending[0];
        replace(service, slot, { version, startedMs: sinceMs, warmAtMs: sinceMs + WARM_UP_MS, restarts: 0 });
        pending = pending.slice(1);
      }
      for (const pod of running.flat()) if (pod.diesAtMs + DOWN_MS <= atMs) restart(pod);
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

type Life = Pick<Pod, 'version' | 'startedMs' | 'warmAtMs' | 'restarts'>;

function createPod(service: Service, slot: number, life: Life, diesAtMs: number, root: RandomStream): Pod {
  const { version, restarts } = life;
  const place = root.fork('pod').fork(service.index).fork(slot);
  const identity = place.fork(version);
  const replicaSet = podSuffix(root.fork('replica-set').fork(service.index).fork(version), 9);
  const name = isDependency(service)
    ? `${service.name}-${slot}`
    : `${service.name}-${replicaSet}-${podSuffix(identity, 5)}`;
  const node = NODES[place.below(NODES.length)] ?? '';
  const speed = Math.exp(0.04 * place.normal());
  // A container that is started anew keeps the pod's name; its process is another instance.
  const instance = restarts === 0 ? identity : identity.fork(restarts);
  const resource = describeResource(service, name, node, version, instance.id128());
  return {
    service,
    slot,
    name,
    node,
    ...life,
    diesAtMs,
    speed,
    resource,
    spans: [],
    logs: [],
    tallies: new Map(),
    requestCount: 0,
    hitCount: 0,
    missCount: 0,
    poolTimeoutCount: 0,
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
