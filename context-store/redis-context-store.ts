/**
 * The context store that many processes share. Every change is one script, so it is whole or not at all; every key ends some
 * time after the last change; what is read is checked. Tasks are claimed under a lock (task-locks.ts) and written to under
 * the claim's fencing token, which the store itself hands out.
 */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { evidenceSchema } from '../domain/evidence.ts';
import { findingSchema } from '../domain/finding.ts';
import { hypothesisSchema, voteSchema } from '../domain/hypothesis.ts';
import { progressSchema, signalGapSchema, taskSchema } from '../domain/investigation.ts';
import type { Clock } from '../platform/clock.ts';
import { errorMessage, InputError, InvariantError, LimitError, UnavailableError } from '../platform/errors.ts';
import { canonicalJson, digestOf } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { BOARD_LIMITS, type BoardLimits, checkCount, checkItems } from './board-limits.ts';
import type { Board, Claim, ContextStore, TaskAnswer, TaskState } from './context-store.ts';
import { type BoardKeys, boardKeys, progressChannel, taskLock } from './redis-keys.ts';
import { createScriptRunner, type ScriptAnswer, type ScriptName } from './redis-scripts.ts';
import { createWatchers } from './redis-watchers.ts';
import type { HeldLock, TaskLocks } from './task-locks.ts';

export interface RedisContextStoreOptions {
  /** Closed by the store. */
  readonly redis: Redis;
  readonly locks: TaskLocks;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: BoardLimits;
  /** A board that nobody changes for so long is gone. */
  readonly ttlMs?: number;
}

const DAY_MS = 86_400_000;
/** Bytes of keys and values in one script call, well below what Redis and Lua take at once. */
const MAX_PLACES = 7_000;

export function createRedisContextStore(options: RedisContextStoreOptions): ContextStore {
  const { redis, locks, clock, logger, limits = BOARD_LIMITS, ttlMs = DAY_MS } = options;
  const runScript = createScriptRunner(redis);
  const watchers = createWatchers(redis, logger);
  /** Locks held by this process, by task and token. */
  const held = new Map<string, HeldLock>();
  const placeOf = ({ task, token }: Claim) => `${task.investigationId} ${task.taskId} ${token}`;

  async function run(
    name: ScriptName,
    keys: readonly string[],
    values: readonly (string | number)[],
    signal?: AbortSignal,
  ): Promise<ScriptAnswer> {
    signal?.throwIfAborted();
    const answer = await asked(() => runScript(name, keys, values));
    if (Array.isArray(answer) && answer[0] === 'full') {
      checkCount(String(answer[1]), Number(answer[2]), Number(answer[2]) - 1); // throws: the script counted
    }
    return answer;
  }

  async function asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new UnavailableError(`Redis cannot answer now (${errorMessage(error)}): try again in a moment.`, {
        cause: error,
      });
    }
  }

  function itemsOf<Item>(what: string, items: readonly Item[], idOf: (item: Item) => string): string[] {
    checkItems(what, items, limits);
    if (items.length > MAX_PLACES / 2) throw new LimitError(`${items.length} ${what} at once are too many.`);
    return items.flatMap((item) => [idOf(item), JSON.stringify(item)]);
  }

  function answerParts({ findings, evidence, gaps }: TaskAnswer): (string | number)[] {
    return [
      ...[limits.maxFindings, findings.length, ...itemsOf('findings', findings, ({ findingId }) => findingId)],
      ...[limits.maxEvidence, evidence.length, ...itemsOf('evidence', evidence, ({ evidenceId }) => evidenceId)],
      ...[limits.maxGaps, gaps.length, ...itemsOf('gaps', gaps, digestOf)],
    ];
  }

  return {
    postTasks: async (investigationId, tasks, signal) => {
      const keys = boardKeys(investigationId);
      const items = itemsOf('tasks', tasks, ({ taskId }) => taskId);
      await run('post-tasks', [keys.tasks, keys.taskOrder, keys.claims], [ttlMs, limits.maxTasks, ...items], signal);
    },

    claimTask: async (investigationId, taskId, holder, leaseMs, signal) => {
      signal?.throwIfAborted();
      const keys = boardKeys(investigationId);
      const lock = await locks.acquire(taskLock(investigationId, taskId), leaseMs);
      if (!lock) return undefined;
      const expiresAtMs = clock.nowMs() + leaseMs;
      let isKept = false;
      try {
        const answer = await run('claim-task', [keys.tasks, keys.claims], [ttlMs, taskId, holder, expiresAtMs], signal);
        if (answer === 'missing') throw notOnBoard(investigationId, taskId);
        if (typeof answer === 'string') return undefined;
        const claim = { task: taskSchema.parse(JSON.parse(String(answer[2]))), token: Number(answer[1]), expiresAtMs };
        held.set(placeOf(claim), lock);
        isKept = true;
        return claim;
      } finally {
        if (!isKept) await lock.release();
      }
    },

    extendClaim: async (claim, leaseMs, signal) => {
      signal?.throwIfAborted();
      const { investigationId, taskId } = claim.task;
      // A lease that ran out unnoticed is taken up again, unless somebody else has it.
      const lock = held.get(placeOf(claim));
      const isHeld = (await lock?.extend(leaseMs)) ?? false;
      const renewed = isHeld ? lock : await locks.acquire(taskLock(investigationId, taskId), leaseMs);
      if (!renewed) return 'stale';
      const expiresAtMs = clock.nowMs() + leaseMs;
      const answer = await run(
        'extend-claim',
        [boardKeys(investigationId).claims],
        [taskId, claim.token, expiresAtMs],
        signal,
      );
      if (answer !== 'ok') {
        held.delete(placeOf(claim));
        await renewed.release();
        return 'stale';
      }
      held.set(placeOf(claim), renewed);
      return { ...claim, expiresAtMs };
    },

    releaseClaim: async (claim, signal) => {
      const { investigationId, taskId } = claim.task;
      await run('release-claim', [boardKeys(investigationId).claims], [taskId, claim.token], signal);
      await letGo(claim);
    },

    completeTask: async (claim, answer, signal) => {
      const { investigationId, taskId } = claim.task;
      const keys = boardKeys(investigationId);
      const answered = await run(
        'complete-task',
        [keys.claims, keys.findings, keys.findingIds, keys.evidence, keys.evidenceIds, keys.gaps, keys.gapIds],
        [ttlMs, taskId, claim.token, answer.failure ?? '', ...answerParts(answer)],
        signal,
      );
      await letGo(claim);
      return answered === 'accepted' ? 'accepted' : 'stale';
    },

    postEvidence: async (investigationId, evidence, signal) => {
      const { evidence: list, evidenceIds } = boardKeys(investigationId);
      const items = itemsOf('evidence', evidence, ({ evidenceId }) => evidenceId);
      await run('post-items', [list, evidenceIds], [ttlMs, 'evidence', limits.maxEvidence, ...items], signal);
    },

    postHypotheses: async (investigationId, round, hypotheses, signal) => {
      const keys = boardKeys(investigationId);
      checkItems('hypotheses', hypotheses, limits);
      await run(
        'post-hypotheses',
        [keys.hypotheses, keys.hypothesisCounts],
        [ttlMs, limits.maxHypotheses, round, hypotheses.length, JSON.stringify(hypotheses)],
        signal,
      );
    },

    castVotes: async (investigationId, agent, votes, signal) => {
      const keys = boardKeys(investigationId);
      const cast = votes.map((vote) => ({ ...vote, agent }));
      const items = itemsOf('votes', cast, ({ hypothesisId, round }) => canonicalJson([agent, hypothesisId, round]));
      await run('cast-votes', [keys.votes, keys.voteOrder], [ttlMs, limits.maxVotes, ...items], signal);
    },

    readBoard: async (investigationId, signal) => {
      signal?.throwIfAborted();
      return asked(() => readBoard(redis, boardKeys(investigationId)));
    },

    announce: async (progress) => {
      try {
        await redis.publish(progressChannel(progress.investigationId), JSON.stringify(progress));
      } catch (error) {
        logger.warn({ reason: errorMessage(error) }, 'watchers were not told');
      }
    },

    subscribe: (investigationId, listener) =>
      watchers.subscribe(progressChannel(investigationId), (text) => listener(progressSchema.parse(JSON.parse(text)))),

    dropBoard: async (investigationId, signal) => {
      signal?.throwIfAborted();
      await asked(() => redis.unlink(...Object.values(boardKeys(investigationId))));
    },

    close: async () => {
      await Promise.all([...held.values()].map((lock) => lock.release()));
      held.clear();
      await watchers.close();
      redis.disconnect();
    },
  };

  async function letGo(claim: Claim): Promise<void> {
    const lock = held.get(placeOf(claim));
    held.delete(placeOf(claim));
    await lock?.release();
  }
}

function notOnBoard(investigationId: string, taskId: string): InputError {
  return new InputError(`Task ${taskId} is not on the board of investigation ${investigationId}.`, {
    code: 'not-found',
  });
}

/** In one transaction: nothing on it is older than the rest. */
async function readBoard(redis: Redis, keys: BoardKeys): Promise<Board> {
  const answers = await redis
    .multi()
    .lrange(keys.taskOrder, 0, -1)
    .hgetall(keys.tasks)
    .hgetall(keys.claims)
    .lrange(keys.findings, 0, -1)
    .lrange(keys.evidence, 0, -1)
    .lrange(keys.gaps, 0, -1)
    .hgetall(keys.hypotheses)
    .lrange(keys.voteOrder, 0, -1)
    .hgetall(keys.votes)
    .exec();
  const values = answers?.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  if (!values) throw new InvariantError('a transaction that watches nothing was discarded');
  const [taskOrder, tasks, claims, findings, evidence, gaps, hypotheses, voteOrder, votes] = z
    .tuple([texts, fields, fields, texts, texts, texts, fields, texts, fields])
    .parse(values);
  const parseAll = <T>(schema: z.ZodType<T>, list: readonly string[]) =>
    list.map((text) => schema.parse(JSON.parse(text)));
  const rounds = Object.entries(hypotheses).sort(([left], [right]) => Number(left) - Number(right));
  return {
    tasks: taskOrder.flatMap((taskId) => describeTask(taskId, tasks[taskId], claims)),
    findings: parseAll(findingSchema, findings),
    evidence: parseAll(evidenceSchema, evidence),
    gaps: parseAll(signalGapSchema, gaps),
    hypotheses: rounds.flatMap(([, text]) => z.array(hypothesisSchema).parse(JSON.parse(text))),
    votes: parseAll(
      voteSchema,
      voteOrder.flatMap((key) => votes[key] ?? []),
    ),
  };
}

const texts = z.array(z.string());
const fields = z.record(z.string(), z.string());

/** A claim whose lease has run out is still shown as claimed until somebody takes the task over. */
function describeTask(taskId: string, text: string | undefined, claims: Readonly<Record<string, string>>): TaskState[] {
  if (text === undefined) return [];
  const holder = claims[`${taskId}:holder`];
  const failure = claims[`${taskId}:failure`];
  const isDone = claims[`${taskId}:done`] !== undefined;
  return [
    {
      task: taskSchema.parse(JSON.parse(text)),
      status: isDone ? 'done' : holder === undefined ? 'open' : 'claimed',
      ...(holder === undefined ? {} : { claimedBy: holder }),
      ...(failure === undefined ? {} : { failure }),
    },
  ];
}
