/**
 * What a real shop has beside its customers, and what looks abnormal without being so: a nightly report and an hourly sync that load
 * a database for minutes, a service that is asked every few minutes and fails now and then, clients that wait half a minute for
 * news, containers that are killed and begin to count anew.
 */
import type { Service, Shop } from './compile-shop.ts';
import type { Disturbance, Visit } from './disturbance.ts';
import type { RandomStream } from './random-stream.ts';
import type { OperationModel, ServiceModel, ShopModel } from './shop-model.ts';
import { call } from './shop-model.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const REPORTING: ServiceModel = {
  name: 'reporting',
  runtime: 'python',
  protocol: 'http',
  pods: 1,
  version: '2.3.0',
  cpu: 0.2,
  memoryMiB: 1024,
  operations: [
    {
      name: 'POST /reports/nightly',
      selfMs: 900,
      sigma: 0.6,
      steps: [[call('orders-db/SELECT orders')], [call('orders-db/SELECT shipments')], [call('users-db/SELECT users')]],
      info: 'Report part {n} written: {n} rows',
      infoShare: 1,
    },
    {
      name: 'POST /sync/stock',
      selfMs: 150,
      steps: [[call('catalog-db/SELECT stock')], [call('catalog-db/SELECT prices')]],
      info: 'Stock of warehouse {n} compared',
      infoShare: 0.5,
    },
  ],
};

/** A request every few minutes. */
const BACKOFFICE: ServiceModel = {
  name: 'backoffice',
  runtime: 'nodejs',
  protocol: 'http',
  pods: 1,
  version: '1.0.7',
  cpu: 0.05,
  memoryMiB: 256,
  operations: [
    {
      name: 'GET /customers/{id}',
      selfMs: 40,
      sigma: 0.9,
      steps: [[call('users-db/SELECT profiles')]],
      failure: { exception: 'TypeError', message: "Cannot read properties of undefined (reading 'address')" },
    },
  ],
};

const PUSH: ServiceModel = {
  name: 'push',
  runtime: 'go',
  protocol: 'http',
  pods: 2,
  version: '4.1.0',
  cpu: 0.1,
  memoryMiB: 256,
  operations: [{ name: 'GET /news', selfMs: 27_000, sigma: 0.08, mostMs: 30_000 }],
};

function route(name: string, to: string): OperationModel {
  return { name, selfMs: 2, steps: [[{ to, retries: 0, timeoutMs: 60_000 }]] };
}

const ROUTES: readonly (OperationModel & { readonly weight: number })[] = [
  { ...route('GET /news', 'push/GET /news'), weight: 0.03 },
  { ...route('GET /backoffice/customers/{id}', 'backoffice/GET /customers/{id}'), weight: 0.0015 },
  // Asked for by jobs alone.
  { ...route('POST /jobs/report', 'reporting/POST /reports/nightly'), weight: 0 },
  { ...route('POST /jobs/sync', 'reporting/POST /sync/stock'), weight: 0 },
];

export function withOrdinaryLife(shop: ShopModel): ShopModel {
  const services = shop.services.map((service) =>
    service.name === shop.entryService ? { ...service, operations: [...service.operations, ...ROUTES] } : service,
  );
  const entries = ROUTES.map(({ name, weight }) => ({ operation: name, weight }));
  return {
    ...shop,
    services: [...services, REPORTING, BACKOFFICE, PUSH],
    entries: [...shop.entries, ...entries],
  };
}

interface Job {
  readonly operation: string;
  /** What it makes slower, and by how much. */
  readonly loads: string;
  readonly slowness: number;
  /** Requests for each of a customer's. */
  readonly share: number;
  isOn(atMs: number): boolean;
}

const JOBS: readonly Job[] = [
  {
    operation: 'POST /jobs/report',
    loads: 'orders-db',
    slowness: 1.7,
    share: 0.6,
    isOn: (atMs) => Math.floor((atMs % DAY_MS) / MINUTE_MS) >= 120 && atMs % DAY_MS < 2 * HOUR_MS + 12 * MINUTE_MS,
  },
  {
    operation: 'POST /jobs/sync',
    loads: 'catalog-db',
    slowness: 1.3,
    share: 0.2,
    isOn: (atMs) => atMs % HOUR_MS >= 30 * MINUTE_MS && atMs % HOUR_MS < 33 * MINUTE_MS,
  },
];

/** Of the few requests to the back office, so many fail. */
const BACKOFFICE_FAILS = 0.04;

/** Of the pods of services that have more than one, so many are killed on a day. */
const KILLED_SHARE = 0.04;
/** A pod that lives longer is killed by nothing. */
const MOST_DAYS = 60;

/** Belongs to the seed and the clock: a pod that starts later dies at the same moment. */
function endOfLife({ runtime, pods, index }: Service, slot: number, startedMs: number, stream: RandomStream): number {
  if (runtime === undefined || pods < 2) return Number.POSITIVE_INFINITY;
  const place = stream.fork(index).fork(slot);
  const first = Math.floor(startedMs / DAY_MS);
  for (let day = first; day < first + MOST_DAYS; day++) {
    const draws = place.fork(day);
    const isKilled = draws.next() < KILLED_SHARE;
    const atMs = Math.round((day + draws.next()) * DAY_MS);
    if (isKilled && atMs > startedMs) return atMs;
  }
  return Number.POSITIVE_INFINITY;
}

export function planOrdinaryLife(shop: Shop, stream: RandomStream): Disturbance[] {
  const entryOf = (name: string) => {
    const entry = shop.entries.find(({ operation }) => operation.name === name);
    return entry ? [{ operation: entry.operation, upTo: 1 }] : [];
  };
  const jobs = JOBS.map(({ operation, loads, slowness, share, isOn }): Disturbance => {
    const entries = entryOf(operation);
    return {
      rollouts: [],
      changes: [],
      onArrivals: (atMs) => (isOn(atMs) ? { share, entries } : undefined),
      onVisit: ({ operation: visited, atMs }: Visit) =>
        visited.service.name === loads && isOn(atMs) ? { selfFactor: slowness, addedMs: 0, failShare: 0 } : undefined,
    };
  });
  const failing: Disturbance = {
    rollouts: [],
    changes: [],
    onVisit: ({ operation }: Visit) =>
      operation.service.name === BACKOFFICE.name
        ? { selfFactor: 1, addedMs: 0, failShare: BACKOFFICE_FAILS }
        : undefined,
  };
  const killed: Disturbance = {
    rollouts: [],
    changes: [],
    lifeEnd: (service, slot, startedMs) => endOfLife(service, slot, startedMs, stream),
  };
  return [...jobs, failing, killed];
}
