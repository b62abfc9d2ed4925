/** Classes of change: what a diff does to a program's behaviour, as far as its lines tell without being understood. */

/** Things that code has and may lose or gain. */
export type Concept =
  | 'lock'
  | 'release'
  | 'guard'
  | 'error-check'
  | 'validation'
  | 'tolerance'
  | 'timeout'
  | 'retry'
  | 'backoff'
  | 'cache'
  | 'eviction'
  | 'throttle'
  | 'index'
  | 'row-limit'
  | 'pause'
  | 'crash'
  | 'cancellation'
  | 'parallelism'
  | 'acknowledgement'
  | 'transaction'
  | 'credential'
  | 'logging'
  | 'wide-label';

export type ChangeClassName =
  | `${Concept}-removed`
  | `${Concept}-added`
  | `${'timeout' | 'lifetime' | 'pool' | 'backoff' | 'retries' | 'tolerance' | 'concurrency' | 'memory' | 'cpu' | 'log-volume' | 'rate-limit' | 'batch' | 'interval' | 'limit' | 'amount'}-${'lowered' | 'raised'}`
  | 'log-level-lowered'
  | 'call-in-loop'
  | 'unbounded-growth'
  | 'task-per-call'
  | 'relation-used'
  | 'relation-removed'
  | 'table-locked'
  | 'index-created'
  | 'name-changed'
  | 'type-changed'
  | 'endpoint-changed'
  | 'setting-changed'
  | 'switch-flipped'
  | 'condition-changed'
  | 'pattern-changed'
  | 'clock-changed'
  | 'credential-changed'
  | 'error-raised'
  | 'dependency-changed';

export interface ChangeClass {
  readonly name: ChangeClassName;
  /** 0..1: how clearly the diff does that, and how much of it. */
  readonly strength: number;
  /** What it does, in words that stand after "it": `shortens a timeout (5 s to 300 ms)`. */
  readonly does: string;
  readonly path: string;
  /** Names that must turn up in the symptom for this class to explain it: a table, a field. Empty: none. */
  readonly anchors: readonly string[];
}
