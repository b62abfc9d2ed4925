/**
 * What was missing to see the cause, and the Collector or SDK change that gives it. Pure: facts about what services tell of
 * themselves in, gaps about those that matter out. Component and setting names are those of the OpenTelemetry Collector
 * (contrib distribution) and of the SDK specification's environment variables.
 */
import { z } from 'zod';
import type { SignalGap } from './investigation.ts';
import type { Signal } from './signal.ts';

const count = z.number().nonnegative();
const share = z.number().min(0).max(1);

export const serviceInstrumentationSchema = z.object({
  service: z.string(),
  spans: count,
  servingSpans: count,
  callingSpans: count,
  /** Serving spans whose parent never arrived, of `parentedSpans`. */
  orphanSpans: count,
  parentedSpans: count,
  logs: count,
  linkedLogs: count,
  points: count,
  /** Names of its resource metrics. */
  metrics: z.array(z.string()),
  versionedShare: share,
  instanceShare: share,
});
export type ServiceInstrumentation = z.infer<typeof serviceInstrumentationSchema>;

export interface InstrumentationFacts {
  readonly services: readonly ServiceInstrumentation[];
  /** Called, but silent. */
  readonly peers: readonly { readonly caller: string; readonly peer: string }[];
  /** Whether anybody told of a change, or one could be inferred. */
  readonly changesKnown: boolean;
  /** What shows it. */
  readonly evidenceIds: readonly string[];
}

interface Rule {
  readonly signal: Signal;
  readonly what: string;
  readonly remedy: string;
  /** Whether the service lacks it. */
  lacks(facts: ServiceInstrumentation, callsStore: boolean): boolean;
}

const LEAST_LINKED_SHARE = 0.1;
const MOST_ORPHANS_SHARE = 0.2;
const MOST_ANONYMOUS_SHARE = 0.5;
const has = ({ metrics }: ServiceInstrumentation, pattern: RegExp) => metrics.some((name) => pattern.test(name));

/** In the order in which they help: what hides a cause first, what only blurs it last. */
const RULES: readonly Rule[] = [
  {
    signal: 'traces',
    what: 'no spans: neither its time nor its failures can be told from those of its callers',
    remedy:
      'Start it with an OpenTelemetry SDK or agent and set OTEL_TRACES_EXPORTER=otlp, OTEL_EXPORTER_OTLP_ENDPOINT to the Collector.',
    lacks: ({ spans }) => spans === 0,
  },
  {
    signal: 'traces',
    what: 'spans lose their parents: what its callers waited for cannot be followed into it',
    remedy:
      'Set OTEL_PROPAGATORS=tracecontext,baggage on both sides, let proxies pass the traceparent header on, and sample by trace (OTEL_TRACES_SAMPLER=parentbased_traceidratio, or the tail_sampling processor).',
    lacks: ({ orphanSpans, parentedSpans }) => parentedSpans >= 20 && orphanSpans > MOST_ORPHANS_SHARE * parentedSpans,
  },
  {
    signal: 'traces',
    what: 'no span of kind SERVER or CONSUMER: where requests enter it is not known',
    remedy: 'Add the instrumentation of its HTTP, RPC or messaging framework, which sets the span kind.',
    lacks: ({ spans, servingSpans }) => spans > 0 && servingSpans === 0,
  },
  {
    signal: 'logs',
    what: 'no log lines',
    remedy:
      'Set OTEL_LOGS_EXPORTER=otlp with the log bridge of the SDK, or collect its files with the filelog receiver of the Collector.',
    lacks: ({ logs }) => logs === 0,
  },
  {
    signal: 'logs',
    what: 'log lines do not name their trace: they cannot be tied to the requests that failed',
    remedy:
      'Use the SDK log bridge, or write trace_id and span_id into each line and lift them with the trace parser of the filelog receiver.',
    lacks: ({ spans, logs, linkedLogs }) => spans > 0 && logs > 0 && linkedLogs < LEAST_LINKED_SHARE * logs,
  },
  {
    signal: 'metrics',
    what: 'no CPU or memory metrics: whether it ran short of either cannot be said',
    remedy:
      'Add the kubeletstats receiver (Kubernetes), docker_stats or hostmetrics (process scraper) to the Collector.',
    lacks: (facts) => facts.spans + facts.logs > 0 && !has(facts, /cpu|memory|heap/),
  },
  {
    signal: 'metrics',
    what: 'CPU and memory without their limits: how much was left is not known',
    remedy:
      'Enable k8s.container.cpu_limit_utilization and k8s.container.memory_limit_utilization in the kubeletstats receiver, or add the k8s_cluster receiver.',
    lacks: (facts) => has(facts, /cpu|memory/) && !has(facts, /limit|utilization|working_set|available/),
  },
  {
    signal: 'metrics',
    what: 'no connection pool metrics although it asks a database: waiting for a connection looks like its own slowness',
    remedy:
      'Enable the pool metrics of its database client instrumentation (db.client.connection.count, db.client.connection.pending_requests).',
    lacks: (facts, callsStore) => callsStore && !has(facts, /pool|connection/),
  },
  {
    signal: 'changes',
    what: 'no service.version: its deploys cannot be inferred',
    remedy:
      'Set OTEL_RESOURCE_ATTRIBUTES=service.version=... in its deployment, or announce deploys with POST /v1/changes.',
    lacks: ({ spans, versionedShare }) => spans > 0 && versionedShare < MOST_ANONYMOUS_SHARE,
  },
  {
    signal: 'traces',
    what: 'no pod or instance: one bad replica looks like a little trouble of all',
    remedy: 'Add the k8sattributes processor to the Collector, or set service.instance.id as a resource attribute.',
    lacks: ({ spans, instanceShare }) => spans > 0 && instanceShare < MOST_ANONYMOUS_SHARE,
  },
];

const NOTHING: Omit<ServiceInstrumentation, 'service'> = {
  spans: 0,
  servingSpans: 0,
  callingSpans: 0,
  orphanSpans: 0,
  parentedSpans: 0,
  logs: 0,
  linkedLogs: 0,
  points: 0,
  metrics: [],
  versionedShare: 0,
  instanceShare: 0,
};

/** Receivers that ask a dependency itself, by what the dependency is called. */
const RECEIVERS: readonly (readonly [RegExp, string])[] = [
  [/postgres|pgsql/i, 'postgresql'],
  [/mysql|mariadb/i, 'mysql'],
  [/mongo/i, 'mongodb'],
  [/redis|valkey/i, 'redis'],
  [/kafka/i, 'kafkametrics'],
  [/rabbit/i, 'rabbitmq'],
  [/memcache/i, 'memcached'],
  [/elastic|opensearch/i, 'elasticsearch'],
  [/nginx/i, 'nginx'],
];

/**
 * The gaps of the services that matter, the most helpful first, at most `limit`. The same gap of several services is one entry:
 * `service` names the only one, or is empty and `what` names them.
 * @param matter suspects first, then those around them
 */
export function findInstrumentationGaps(
  facts: InstrumentationFacts,
  matter: readonly string[],
  limit: number,
): SignalGap[] {
  if (facts.services.length === 0) return [{ ...NO_TELEMETRY, evidenceIds: [...facts.evidenceIds] }];
  const known = new Map(facts.services.map((one) => [one.service, one]));
  const silent = new Set(facts.peers.map(({ peer }) => peer).filter((peer) => !known.has(peer)));
  const stores = new Set(
    [...matter, ...facts.peers.map(({ peer }) => peer)].filter((one) => isStore(one, known.get(one))),
  );
  // A database tells of itself in metrics: its spans are those of its callers.
  const own = matter.filter((service) => known.has(service) && !stores.has(service));
  const storeCallers = new Set(facts.peers.filter(({ peer }) => stores.has(peer)).map(({ caller }) => caller));
  const gaps = [
    ...matter.filter((service) => silent.has(service)).map(describeSilentPeer),
    ...RULES.flatMap((rule) => gatherGap(rule, own, known, storeCallers)),
    ...(facts.changesKnown ? [] : [NO_CHANGES]),
  ];
  return gaps.slice(0, limit).map((gap) => ({ ...gap, evidenceIds: [...facts.evidenceIds] }));
}

const NO_TELEMETRY: SignalGap = {
  signal: 'traces',
  service: '',
  what: 'no telemetry at all in the window',
  remedy: 'Point the otlphttp exporter of a Collector, or OTEL_EXPORTER_OTLP_ENDPOINT of an SDK, at this host.',
};

const NO_CHANGES: SignalGap = {
  signal: 'changes',
  service: '',
  what: 'nobody told of any deploy, commit, flag or configuration change',
  remedy: 'Let the pipeline send each change to POST /v1/changes.',
};

/** A database, cache or queue, by its own metrics or by its name. */
function isStore(service: string, facts: ServiceInstrumentation | undefined): boolean {
  return RECEIVERS.some(([pattern]) => pattern.test(service) || facts?.metrics.some((name) => pattern.test(name)));
}

function describeSilentPeer(service: string): SignalGap {
  const receiver = RECEIVERS.find(([pattern]) => pattern.test(service))?.[1];
  return {
    signal: 'metrics',
    service,
    what: 'sends no telemetry of its own: it is seen only through its callers, which cannot tell it from the way to it',
    remedy: receiver
      ? `Add the ${receiver} receiver to the Collector.`
      : 'If it is yours, instrument it; if it is a provider, watch it with the httpcheck receiver of the Collector.',
  };
}

function gatherGap(
  { signal, what, remedy, lacks }: Rule,
  services: readonly string[],
  known: ReadonlyMap<string, ServiceInstrumentation>,
  storeCallers: ReadonlySet<string>,
): SignalGap[] {
  const lacking = services.filter((service) =>
    lacks(known.get(service) ?? { service, ...NOTHING }, storeCallers.has(service)),
  );
  const [only] = lacking;
  if (only === undefined) return [];
  if (lacking.length === 1) return [{ signal, service: only, what, remedy }];
  return [{ signal, service: '', what: `${nameSome(lacking)}: ${what}`, remedy }];
}

function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, 3);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(' and ');
}
