/**
 * Names of everything Inquest keeps in Redis. The version stands for the shapes behind them: another version is another set of
 * keys. The braces are a hash tag: what belongs to one investigation is on one node of a cluster.
 */
const PREFIX = 'inquest:v1';

export interface BoardKeys {
  /** Hash: task id to the task's JSON. */
  readonly tasks: string;
  /** List: task ids as they were posted. */
  readonly taskOrder: string;
  /** Hash: `<task id>:token`, `:holder`, `:expires` (ms), `:done`, `:failure`. */
  readonly claims: string;
  /** Lists of JSON, each with a set of the ids that are in it. */
  readonly findings: string;
  readonly findingIds: string;
  readonly evidence: string;
  readonly evidenceIds: string;
  readonly gaps: string;
  readonly gapIds: string;
  /** Hashes by round: the hypotheses as one JSON list; how many they are. */
  readonly hypotheses: string;
  readonly hypothesisCounts: string;
  /** Hash: [agent, hypothesis, round] to the vote's JSON; list: those keys as they were first cast. */
  readonly votes: string;
  readonly voteOrder: string;
}

export function boardKeys(investigationId: string): BoardKeys {
  const key = (name: string) => `${PREFIX}:{${investigationId}}:${name}`;
  return {
    tasks: key('tasks'),
    taskOrder: key('task-order'),
    claims: key('claims'),
    findings: key('findings'),
    findingIds: key('finding-ids'),
    evidence: key('evidence'),
    evidenceIds: key('evidence-ids'),
    gaps: key('gaps'),
    gapIds: key('gap-ids'),
    hypotheses: key('hypotheses'),
    hypothesisCounts: key('hypothesis-counts'),
    votes: key('votes'),
    voteOrder: key('vote-order'),
  };
}

export const progressChannel = (investigationId: string): string => `${PREFIX}:{${investigationId}}:progress`;

/** On the lock nodes, which need not be the store's. */
export const taskLock = (investigationId: string, taskId: string): string =>
  `${PREFIX}:lock:{${investigationId}}:task:${taskId}`;
export const shardLockKey = (shard: string): string => `${PREFIX}:lock:{shard:${shard}}`;
