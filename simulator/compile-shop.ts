/**
 * From the topology as written to the topology as run: names resolved to objects, the attributes that never change made
 * once, and how often, how long and for how many users each operation runs.
 */
import { InvariantError } from '../platform/errors.ts';
import type { KeyValue } from './otlp-json.ts';
import type {
  CallModel,
  DependencyModel,
  Failure,
  OperationModel,
  Protocol,
  Runtime,
  ServiceModel,
  ShopModel,
} from './shop-model.ts';
import { clientAttributes, type SpanNaming, serverAttributes, spanNaming } from './span-attributes.ts';

export interface Operation {
  readonly index: number;
  readonly service: Service;
  readonly name: string;
  readonly naming: SpanNaming;
  readonly selfUs: number;
  readonly sigma: number;
  /** Its own time is never longer. */
  readonly mostUs: number;
  readonly steps: Call[][];
  readonly info: string;
  readonly infoShare: number;
  readonly failure: Failure;
  readonly rejected: OperationModel['rejected'];
  readonly server: readonly KeyValue[];
  readonly client: readonly KeyValue[];
  /** Expected runs in one user request. */
  visitsPerRequest: number;
  /** Share of user requests that cannot succeed without it. */
  requiredShare: number;
  /** With everything that it waits for, at medians. */
  typicalUs: number;
}

export interface Call {
  readonly target: Operation;
  readonly probability: number;
  readonly optional: boolean;
  readonly retries: number;
  readonly timeoutUs: number;
  /** Made only when this cache had nothing. */
  readonly cache: Service | undefined;
}

/** A service or a dependency. */
export interface Service {
  readonly index: number;
  readonly name: string;
  /** Undefined for a dependency. */
  readonly runtime: Runtime | undefined;
  readonly protocol: Protocol;
  /** Carries the messages of a consumer. */
  queue: Service | undefined;
  readonly host: string;
  readonly port: number;
  readonly pods: number;
  readonly version: string;
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly operations: Operation[];
}

export interface Shop {
  readonly services: readonly Service[];
  readonly operations: readonly Operation[];
  /** Entry operations with cumulative weights that end at 1. */
  readonly entries: readonly { readonly operation: Operation; readonly upTo: number }[];
  find(name: string): Service;
}

const NO_FAILURE: Failure = { exception: 'InternalError', message: 'internal error {id}' };

export function isDependency(service: Service): boolean {
  return service.runtime === undefined;
}

export function compileShop(model: ShopModel): Shop {
  const count = model.services.length;
  const services = [
    ...model.services.map((service, index) => fromService(service, index)),
    ...model.dependencies.map((dependency, index) => fromDependency(dependency, count + index)),
  ];
  const byName = new Map(services.map((service) => [service.name, service]));
  for (const { name, queue } of model.services)
    if (queue !== undefined) need(byName.get(name), name).queue = need(byName.get(queue), queue);
  const operations: Operation[] = [];
  const links: { operation: Operation; steps: OperationModel['steps'] }[] = [];
  for (const written of [...model.services, ...model.dependencies]) {
    const service = need(byName.get(written.name), written.name);
    for (const operation of written.operations) {
      const compiled = compileOperation(service, operation, operations.length);
      operations.push(compiled);
      service.operations.push(compiled);
      links.push({ operation: compiled, steps: operation.steps });
    }
  }
  const byPath = new Map(operations.map((operation) => [`${operation.service.name}/${operation.name}`, operation]));
  for (const { operation, steps = [] } of links) {
    for (const step of steps) operation.steps.push(step.map((call) => compileCall(call, byPath, byName)));
  }
  const entries = compileEntries(model, byPath);
  measureExpectations(operations, entries);
  return { services, operations, entries, find: (name) => need(byName.get(name), name) };
}

function need<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new InvariantError(`The shop's topology names ${name}, which it does not define.`);
  return value;
}

function fromService(model: ServiceModel, index: number): Service {
  const { name, runtime, protocol, pods, version, cpu } = model;
  const memoryBytes = model.memoryMiB * 2 ** 20;
  return {
    index,
    name,
    runtime,
    protocol,
    queue: undefined,
    host: name,
    port: 8080,
    pods,
    version,
    cpu,
    memoryBytes,
    operations: [],
  };
}

function fromDependency(model: DependencyModel, index: number): Service {
  const { name, system, port, cpu } = model;
  const memoryBytes = model.memoryMiB * 2 ** 20;
  const host = model.host ?? name;
  return {
    index,
    name,
    runtime: undefined,
    protocol: system,
    queue: undefined,
    host,
    port,
    pods: 1,
    version: '',
    cpu,
    memoryBytes,
    operations: [],
  };
}

function compileOperation(service: Service, model: OperationModel, index: number): Operation {
  const naming = spanNaming(service, model);
  return {
    index,
    service,
    name: model.name,
    naming,
    selfUs: model.selfMs * 1000,
    sigma: model.sigma ?? 0.4,
    mostUs: (model.mostMs ?? Number.POSITIVE_INFINITY) * 1000,
    steps: [],
    info: model.info ?? '',
    infoShare: model.infoShare ?? 0,
    failure: model.failure ?? NO_FAILURE,
    rejected: model.rejected,
    server: serverAttributes(service, naming),
    client: clientAttributes(service, model, naming),
    visitsPerRequest: 0,
    requiredShare: 0,
    typicalUs: 0,
  };
}

function compileCall(
  model: CallModel,
  byPath: ReadonlyMap<string, Operation>,
  byName: ReadonlyMap<string, Service>,
): Call {
  const { onMissOf } = model;
  return {
    target: need(byPath.get(model.to), model.to),
    probability: model.probability ?? 1,
    optional: model.optional ?? false,
    retries: model.retries ?? 1,
    timeoutUs: (model.timeoutMs ?? 2_000) * 1000,
    cache: onMissOf === undefined ? undefined : need(byName.get(onMissOf), onMissOf),
  };
}

function compileEntries(model: ShopModel, byPath: ReadonlyMap<string, Operation>): Shop['entries'] {
  const total = model.entries.reduce((sum, entry) => sum + entry.weight, 0);
  let upTo = 0;
  return model.entries.map((entry) => {
    upTo += entry.weight / total;
    const path = `${model.entryService}/${entry.operation}`;
    return { operation: need(byPath.get(path), path), upTo };
  });
}

function measureExpectations(operations: readonly Operation[], entries: Shop['entries']): void {
  for (const operation of operations) operation.typicalUs = typicalUs(operation);
  let before = 0;
  for (const { operation, upTo } of entries) {
    const weight = upTo - before;
    before = upTo;
    countVisits(operation, weight);
    for (const [required, share] of requiredBy(operation)) required.requiredShare += weight * share;
  }
}

function typicalUs(operation: Operation): number {
  let sumUs = operation.selfUs;
  for (const step of operation.steps) {
    const waits = step.filter((call) => call.target.service.protocol !== 'consumer');
    sumUs += Math.max(0, ...waits.map((call) => call.probability * typicalUs(call.target)));
  }
  return sumUs;
}

/** Expected runs of each service's operations in one run of `operation`, its own included. */
export function visitsFrom(operation: Operation): Map<Service, number> {
  const visits = new Map([[operation.service, 1]]);
  for (const call of operation.steps.flat()) {
    for (const [service, count] of visitsFrom(call.target)) {
      visits.set(service, (visits.get(service) ?? 0) + call.probability * count);
    }
  }
  return visits;
}

function countVisits(operation: Operation, visits: number): void {
  operation.visitsPerRequest += visits;
  const carrier = operation.service.queue?.operations[0];
  if (carrier) carrier.visitsPerRequest += visits;
  for (const call of operation.steps.flat()) countVisits(call.target, visits * call.probability);
}

/** Operations without which `operation` fails, with the share of its runs that need them. */
function requiredBy(operation: Operation): Map<Operation, number> {
  const shares = new Map([[operation, 1]]);
  for (const call of operation.steps.flat()) {
    if (call.optional || call.target.service.protocol === 'consumer') continue;
    for (const [below, share] of requiredBy(call.target)) {
      const needed = share * call.probability;
      shares.set(below, 1 - (1 - (shares.get(below) ?? 0)) * (1 - needed));
    }
  }
  return shares;
}

/** Services that own one of `operations` or wait for it, directly or through others; sorted, without the victim. */
export function blastRadiusOf(shop: Shop, operations: readonly Operation[], victim: string): string[] {
  const hurt = new Set(operations);
  const waitsForHurt = (operation: Operation): boolean =>
    operation.steps.flat().some((call) => call.target.service.protocol !== 'consumer' && hurt.has(call.target));
  for (let before = 0; before !== hurt.size; ) {
    before = hurt.size;
    for (const operation of shop.operations) if (waitsForHurt(operation)) hurt.add(operation);
  }
  const services = new Set([...hurt].map((operation) => operation.service.name));
  services.delete(victim);
  return [...services].sort();
}
