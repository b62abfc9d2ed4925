/**
 * The context store that many processes share. Every change is one script, so it is whole or not at all; every key ends some
 * time after the last change; what is read is checked. Tasks are claimed under a lock (task-locks.ts) and written to under
 * the claim's fencing token, which the store itself hands out.
 */
import type { Redis } from 'ioredis';
import { progressSchema, type Task, taskSchema } from '../domain/investigation.ts';
import type { Clock } from '../platform/clock.ts';
import { errorMessage, InputError, UnavailableError } from '../platform/errors.ts';
import { canonicalJson, digestOf } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { BOARD_LIMITS, type BoardLimits, checkCount, checkItems } from './board-limits.ts';
import { type Board, type Claim, type ContextStore, superseded, type TaskAnswer } from './context-store.ts';
import { otherSchema, parse, readRedisBoard } from './redis-board.ts';
import { askRedis } from './redis-connection.ts';
import { type RedisKeys, SCHEMA } from './redis-keys.ts';
import { createOpenTasks, type OpenTask } from './redis-open-tasks.ts';
import { createScriptRunner, type ScriptAnswer, type ScriptName } from './redis-scripts.ts';
import { createWatchers } from './redis-watchers.ts';
import type { HeldLock, TaskLocks } from './task-locks.ts';

export interface RedisContextStoreOptions {
  readonly redis: Redis;
  readonly locks: TaskLocks;
  readonly keys: RedisKeys;
  /** Of this process: says when a claim's lease ends here. Leases themselves run on the server's clock. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: BoardLimits;
  /** A board that nobody changes for so long is gone. */
  readonly ttlMs?: number;
}

const DAY_MS = 86_400_000;
const MAX_KNOWN_BOARDS = 10_000;

/** The connection is the caller's to close, after the store. */
export function createRedisContextStore(options: RedisContextStoreOptions): ContextStore {
  const { redis, locks, keys, clock, logger, limits = BOARD_LIMITS, ttlMs = DAY_MS } = options;
  const runScript = createScriptRunner(redis);
  const watchers = createWatchers(redis, logger);
  const openTasks = createOpenTasks(runScript, keys, watchers);
  /** Locks held by this process, by task and token. */
  const held = new Map<string, HeldLock>();
  const placeOf = ({ task, token }: Claim) => `${task.investigationId} ${task.taskId} ${token}`;
  /** Boards that were seen by this process and not dropped by it: one that is not there any more was lost. */
  const known = new Set<string>();

  function know(investigationId: string): void {
    known.delete(investigationId);
    known.add(investigationId);
    const [oldest] = known;
    if (known.size > MAX_KNOWN_BOARDS && oldest !== undefined) known.delete(oldest);
  }

  function warnOfLoss(investigationId: string): string {
    const message = `Redis has lost the board of investigation ${investigationId}: it was evicted, or Redis came back empty.`;
    logger.warn({ investigationId }, message);
    return message;
  }

  /** @throws UnavailableError (board-lost) where there was a board */
  function checkLost(investigationId: string): void {
    if (!known.has(investigationId)) return;
    throw new UnavailableError(warnOfLoss(investigationId), { code: 'board-lost', details: { investigationId } });
  }

  async function change(
    name: ScriptName,
    investigationId: string,
    values: readonly (string | number)[],
    signal?: AbortSignal,
  ): Promise<ScriptAnswer> {
    const key = keys.board(investigationId);
    const answer = await runScript(name, [key], [SCHEMA, ttlMs, ...values], signal);
    if (!Array.isArray(answer)) return answer;
    if (answer[0] === 'schema') throw otherSchema(key, String(answer[1]));
    if (answer[0] === 'full') checkCount(String(answer[1]), Number(answer[2]), Number(answer[2]) - 1); // throws
    return answer;
  }

  /** Also makes the board where there is none. */
  async function post(
    name: ScriptName,
    investigationId: string,
    values: readonly (string | number)[],
    signal?: AbortSignal,
  ): Promise<void> {
    const answer = await change(name, investigationId, values, signal);
    if (answer === 'superseded') throw superseded(investigationId);
    if (answer === 'begun' && known.has(investigationId)) warnOfLoss(investigationId);
    know(investigationId);
  }

  function itemsOf<Item>(what: string, items: readonly Item[], idOf: (item: Item) => string): string[] {
    checkItems(what, items, limits);
    return items.flatMap((item) => [idOf(item), JSON.stringify(item)]);
  }

  function answerParts({ findings, evidence, gaps }: TaskAnswer): (string | number)[] {
    return [
      ...[limits.maxFindings, findings.length, ...itemsOf('findings', findings, ({ findingId }) => findingId)],
      ...[limits.maxEvidence, evidence.length, ...itemsOf('evidence', evidence, ({ evidenceId }) => evidenceId)],
      ...[limits.maxGaps, gaps.length, ...itemsOf('gaps', gaps, digestOf)],
    ];
  }

  /** Under the task's lock, which is let go again unless the claim was given. */
  async function claim(
    { investigationId, taskId }: Pick<Task, 'investigationId' | 'taskId'>,
    holder: string,
    leaseMs: number,
    signal?: AbortSignal,
  ): Promise<Claim | Refusal> {
    signal?.throwIfAborted();
    const lock = await locks.acquire(keys.taskLock(investigationId, taskId), leaseMs);
    if (!lock) return { refused: 'locked' };
    let given: Claim | undefined;
    try {
      const expiresAtMs = clock.nowMs() + leaseMs;
      const answer = await change('claim-task', investigationId, [taskId, holder, leaseMs], signal);
      if (typeof answer === 'string') return { refused: answer };
      if (answer[0] !== 'claimed') return { refused: 'held', heldMs: Number(answer[1]) };
      const task = parse(taskSchema, String(answer[2]), `${keys.board(investigationId)} tasks`);
      given = { task, token: Number(answer[1]), expiresAtMs };
      held.set(placeOf(given), lock);
      know(investigationId);
    } finally {
      if (!given) await lock.release();
    }
    await openTasks.note(given.task, leaseMs);
    if (!signal?.aborted) return given;
    await giveBack(given);
    throw signal.reason;
  }

  /** What the list of open tasks has wrong is put right. */
  async function correct(task: OpenTask, { refused, heldMs }: Refusal): Promise<void> {
    if (refused === 'held' && heldMs !== undefined) await openTasks.note(task, heldMs);
    else if (refused !== 'locked') await openTasks.note(task, 'never');
  }

  async function giveBack(claim: Claim): Promise<void> {
    const { investigationId, taskId } = claim.task;
    const answer = await change('release-claim', investigationId, [taskId, claim.token]);
    await letGo(claim);
    if (answer === 'ok') await openTasks.list([claim.task], 'now');
  }

  async function letGo(claim: Claim): Promise<void> {
    const lock = held.get(placeOf(claim));
    held.delete(placeOf(claim));
    await lock?.release();
  }

  /** The lock is taken again where it was lost: it keeps others from asking in vain, and decides nothing. */
  async function prolongLock(claim: Claim, leaseMs: number): Promise<void> {
    const { investigationId, taskId } = claim.task;
    try {
      if (await held.get(placeOf(claim))?.extend(leaseMs)) return;
      const lock = await locks.acquire(keys.taskLock(investigationId, taskId), leaseMs);
      if (lock) held.set(placeOf(claim), lock);
    } catch (error) {
      logger.warn(
        { investigationId, taskId, reason: errorMessage(error) },
        'the lock of a task could not be prolonged',
      );
    }
  }

  return {
    postTasks: async (investigationId, tasks, signal) => {
      const items = itemsOf('tasks', tasks, ({ taskId }) => taskId);
      await post('post-items', investigationId, ['tasks', limits.maxTasks, ...items], signal);
      await openTasks.list(tasks, 'new', signal);
    },

    claimTask: async (investigationId, taskId, holder, leaseMs, signal) => {
      const outcome = await claim({ investigationId, taskId }, holder, leaseMs, signal);
      if (!('refused' in outcome)) return outcome;
      if (outcome.refused === 'no-board') checkLost(investigationId);
      if (outcome.refused === 'no-board' || outcome.refused === 'missing') throw notOnBoard(investigationId, taskId);
      return undefined;
    },

    claimNext: async (agents, holder, leaseMs, signal) => {
      for (const task of inAnyOrder(await openTasks.due(agents, signal))) {
        const outcome = await claim(task, holder, leaseMs, signal);
        if (!('refused' in outcome)) return outcome;
        await correct(task, outcome);
      }
      return undefined;
    },

    awaitOpenTasks: openTasks.awaitDue,

    extendClaim: async (claim, leaseMs, signal) => {
      const { investigationId, taskId } = claim.task;
      const expiresAtMs = clock.nowMs() + leaseMs;
      if ((await change('extend-claim', investigationId, [taskId, claim.token, leaseMs], signal)) !== 'ok') {
        await letGo(claim);
        return 'stale';
      }
      await prolongLock(claim, leaseMs);
      return { ...claim, expiresAtMs };
    },

    releaseClaim: async (claim, signal) => {
      signal?.throwIfAborted();
      await giveBack(claim);
    },

    completeTask: async (claim, answer, signal) => {
      const { investigationId, taskId } = claim.task;
      const { failure, gaps, counsel } = answer;
      const values = [taskId, claim.token, JSON.stringify({ failure, gaps, counsel }), ...answerParts(answer)];
      const outcome = await change('complete-task', investigationId, values, signal);
      const isAccepted = outcome === 'accepted';
      await Promise.all([letGo(claim), isAccepted && openTasks.note(claim.task, 'never')]);
      return isAccepted ? 'accepted' : 'stale';
    },

    postEvidence: async (investigationId, evidence, signal) => {
      const items = itemsOf('evidence', evidence, ({ evidenceId }) => evidenceId);
      await post('post-items', investigationId, ['evidence', limits.maxEvidence, ...items], signal);
    },

    postHypotheses: async (investigationId, round, hypotheses, token, signal) => {
      checkItems('hypotheses', hypotheses, limits);
      const values = [limits.maxHypotheses, round, hypotheses.length, JSON.stringify(hypotheses), token];
      await post('post-hypotheses', investigationId, values, signal);
    },

    castVotes: async (investigationId, agent, votes, token, signal) => {
      const cast = votes.map((vote) => ({ ...vote, agent }));
      const items = itemsOf('votes', cast, ({ hypothesisId, round }) => canonicalJson([agent, hypothesisId, round]));
      await post('cast-votes', investigationId, [limits.maxVotes, token, ...items], signal);
    },

    readBoard: async (investigationId, signal) => {
      signal?.throwIfAborted();
      const board = await askRedis(() => readRedisBoard(redis, keys.board(investigationId)));
      if (board) know(investigationId);
      else checkLost(investigationId);
      return board ?? EMPTY_BOARD;
    },

    announce: async (progress) => {
      try {
        await redis.publish(keys.progress(progress.investigationId), JSON.stringify(progress));
      } catch (error) {
        logger.warn({ reason: errorMessage(error) }, 'watchers were not told');
      }
    },

    subscribe: (investigationId, listener) =>
      watchers.subscribe(keys.progress(investigationId), (text) => listener(parse(progressSchema, text, 'a channel'))),

    dropBoard: async (investigationId, signal) => {
      await change('drop-board', investigationId, [], signal);
      known.delete(investigationId);
    },

    close: async () => {
      await Promise.all([...held.values()].map((lock) => lock.release()));
      held.clear();
      watchers.close();
    },
  };
}

/** Why there is no claim: what claim-task.lua answers, or that somebody has the lock. */
interface Refusal {
  readonly refused: string;
  /** Of the lease, when it is held. */
  readonly heldMs?: number;
}

const EMPTY_BOARD: Board = { tasks: [], findings: [], evidence: [], hypotheses: [], votes: [], gaps: [] };

/** Many who ask at once should not all try the same task first. */
function inAnyOrder<T>(items: readonly T[]): T[] {
  const places = items.map((item) => ({ item, at: Math.random() }));
  return places.sort((left, right) => left.at - right.at).map(({ item }) => item);
}

function notOnBoard(investigationId: string, taskId: string): InputError {
  return new InputError(`Task ${taskId} is not on the board of investigation ${investigationId}.`, {
    code: 'not-found',
  });
}
