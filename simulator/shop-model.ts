/** The words a topology is written in: services with operations, what each operation calls, in which order and how likely. */

/** How an operation fails on its own. Messages and log templates may hold {placeholders}: see log-text.ts. */
export interface Failure {
  readonly exception: string;
  readonly message: string;
  /** The status that goes with it; left out: 500. */
  readonly http?: number;
}

export interface CallModel {
  /** `service/Operation`. An operation of kind `consumer` is published to its queue and runs later, on its own. */
  readonly to: string;
  /** Left out: 1. */
  readonly probability?: number;
  /** True: the caller answers without it when it fails. */
  readonly optional?: boolean;
  /** Attempts after the first; left out: 1. */
  readonly retries?: number;
  /** Left out: 2000. */
  readonly timeoutMs?: number;
  /** The cache whose misses this call makes up for: `probability` is the share that it misses in ordinary time. */
  readonly onMissOf?: string;
}

/** Calls of one step start together; the next step waits for all of them. */
export type Step = readonly CallModel[];

export interface OperationModel {
  /** `GET /cart` for http; the method's name for grpc; the statement's summary for a dependency. */
  readonly name: string;
  /** Median of the operation's own time, without what it calls. */
  readonly selfMs: number;
  /** Spread of the lognormal of its own time; left out: 0.4. */
  readonly sigma?: number;
  /** Its own time is never longer: it answers by then, with or without news. */
  readonly mostMs?: number;
  readonly steps?: readonly Step[];
  /** Written at INFO by a share of the requests. */
  readonly info?: string;
  readonly infoShare?: number;
  readonly failure?: Failure;
  /** Share of requests refused for the client's fault (404, 401): normal life, not an error of the service. */
  readonly rejected?: {
    readonly share: number;
    readonly http: number;
    readonly grpc: number;
    readonly message: string;
  };
  /** Dependencies: the statement, or the request path. */
  readonly text?: string;
  readonly collection?: string;
}

export type Runtime = 'jvm' | 'nodejs' | 'go' | 'python';

export interface ServiceModel {
  readonly name: string;
  readonly runtime: Runtime;
  readonly protocol: 'http' | 'grpc' | 'consumer';
  readonly pods: number;
  readonly version: string;
  /** Utilization of a pod's CPU limit at season factor 1. */
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly operations: readonly OperationModel[];
  /** The dependency that carries messages to this consumer. */
  readonly queue?: string;
}

/** What services lean on and what makes no spans of its own: seen in its callers' client spans, its metrics and its logs. */
export interface DependencyModel {
  readonly name: string;
  readonly system: 'postgresql' | 'mongodb' | 'redis' | 'elasticsearch' | 'rabbitmq' | 'external';
  /** Host name of somebody else's service; left out: the dependency's own name. */
  readonly host?: string;
  readonly port: number;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly operations: readonly OperationModel[];
}

/** What users do: an operation of the gateway and its share of all requests. */
interface EntryModel {
  readonly operation: string;
  readonly weight: number;
}

export type Protocol = ServiceModel['protocol'] | DependencyModel['system'];

export interface ShopModel {
  readonly entryService: string;
  readonly entries: readonly EntryModel[];
  readonly services: readonly ServiceModel[];
  readonly dependencies: readonly DependencyModel[];
}

export function call(to: string, more: Omit<CallModel, 'to'> = {}): CallModel {
  return { to, ...more };
}
