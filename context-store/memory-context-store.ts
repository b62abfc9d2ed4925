/**
 * The context store of one process alone: every method runs to its end without awaiting, which makes it atomic. What is
 * posted is copied, so a caller's later changes stay the caller's. Nothing survives the process.
 */
import type { Counsel } from '../domain/counsel.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Vote } from '../domain/hypothesis.ts';
import type { Progress, SignalGap, Task } from '../domain/investigation.ts';
import type { AgentName } from '../domain/signal.ts';
import type { Clock } from '../platform/clock.ts';
import { errorMessage, InputError } from '../platform/errors.ts';
import { canonicalJson } from '../platform/ids.ts';
import { type Logger, silentLogger } from '../platform/logger.ts';
import { BOARD_LIMITS, type BoardLimits, checkCount, checkItems } from './board-limits.ts';
import {
  type Board,
  type Claim,
  type ContextStore,
  superseded,
  type TaskAnswer,
  type TaskState,
} from './context-store.ts';

export interface MemoryContextStoreOptions {
  /** Decides when a lease has run out. */
  readonly clock: Clock;
  readonly limits?: BoardLimits;
  readonly logger?: Logger;
}

interface TaskSlot {
  readonly task: Task;
  /** The token of the newest claim; 0 before the first. */
  token: number;
  holder?: string;
  expiresAtMs: number;
  done: boolean;
  failure?: string;
  gaps: readonly SignalGap[];
  counsel?: Counsel;
}

interface MemoryBoard {
  readonly tasks: Map<string, TaskSlot>;
  readonly findings: Map<string, Finding>;
  readonly evidence: Map<string, Evidence>;
  /** By round. */
  readonly hypotheses: Map<number, readonly Hypothesis[]>;
  readonly votes: Map<string, Vote>;
  readonly gaps: Map<string, SignalGap>;
  /** The greatest token that hypotheses or votes came under. */
  supervisorToken: number;
}

type Listener = (progress: Progress) => void;

/** Timers fire at once beyond this many milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createMemoryContextStore(options: MemoryContextStoreOptions): ContextStore {
  const { clock, limits = BOARD_LIMITS, logger = silentLogger } = options;
  const boards = new Map<string, MemoryBoard>();
  const listeners = new Map<string, Set<Listener>>();
  /** Those who wait for open tasks; called once each. */
  const waiting = new Set<() => void>();
  /** One count for all, so that no claim of a board that was dropped fits a later one of the same name. */
  let lastToken = 0;
  const nudge = () => {
    for (const wake of waiting) wake();
  };

  function openBoard(investigationId: string, signal?: AbortSignal): MemoryBoard {
    signal?.throwIfAborted();
    let board = boards.get(investigationId);
    if (!board) {
      board = {
        tasks: new Map(),
        findings: new Map(),
        evidence: new Map(),
        hypotheses: new Map(),
        votes: new Map(),
        gaps: new Map(),
        supervisorToken: 0,
      };
      boards.set(investigationId, board);
    }
    return board;
  }

  /** The slot that a claim still rules: its token is the newest and the task is not done. */
  function slotOf(claim: Claim): TaskSlot | undefined {
    const slot = boards.get(claim.task.investigationId)?.tasks.get(claim.task.taskId);
    return slot && !slot.done && slot.token === claim.token ? slot : undefined;
  }

  /** Checks every limit before the first item is stored: a refused call changes nothing. */
  function prepare<Item>(
    what: string,
    into: Map<string, Item>,
    items: readonly Item[],
    keyOf: (item: Item) => string,
    maxCount: number,
  ) {
    checkItems(what, items, limits);
    const fresh = new Map(items.map((item) => [keyOf(item), item] as const).filter(([key]) => !into.has(key)));
    checkCount(what, into.size + fresh.size, maxCount);
    return () => {
      for (const [key, item] of fresh) into.set(key, structuredClone(item));
    };
  }

  const prepareEvidence = (board: MemoryBoard, evidence: readonly Evidence[]) =>
    prepare('evidence', board.evidence, evidence, (item) => item.evidenceId, limits.maxEvidence);

  function prepareAnswer(board: MemoryBoard, answer: TaskAnswer): () => void {
    const steps = [
      prepare('findings', board.findings, answer.findings, (finding) => finding.findingId, limits.maxFindings),
      prepareEvidence(board, answer.evidence),
      prepare('gaps', board.gaps, answer.gaps, canonicalJson, limits.maxGaps),
    ];
    return () => {
      for (const store of steps) store();
    };
  }

  function checkSupervisor(investigationId: string, board: MemoryBoard, token: number): void {
    if (token < board.supervisorToken) throw superseded(investigationId);
    board.supervisorToken = token;
  }

  const isClaimable = (slot: TaskSlot) =>
    !slot.done && (slot.holder === undefined || slot.expiresAtMs <= clock.nowMs());

  function claim(slot: TaskSlot, holder: string, leaseMs: number): Claim {
    lastToken += 1;
    slot.token = lastToken;
    slot.holder = holder;
    slot.expiresAtMs = clock.nowMs() + leaseMs;
    return { task: slot.task, token: slot.token, expiresAtMs: slot.expiresAtMs };
  }

  const unfinishedOf = (agents: readonly AgentName[]): TaskSlot[] =>
    [...boards.values()].flatMap((board) =>
      [...board.tasks.values()].filter((slot) => !slot.done && agents.includes(slot.task.agent)),
    );

  return {
    async postTasks(investigationId, tasks, signal) {
      const board = openBoard(investigationId, signal);
      const slots = tasks.map((task): TaskSlot => ({ task, token: 0, expiresAtMs: 0, done: false, gaps: [] }));
      prepare('tasks', board.tasks, slots, (slot) => slot.task.taskId, limits.maxTasks)();
      nudge();
    },

    async claimTask(investigationId, taskId, holder, leaseMs, signal) {
      const slot = openBoard(investigationId, signal).tasks.get(taskId);
      if (!slot) {
        throw new InputError(`Task ${taskId} is not on the board of investigation ${investigationId}.`, {
          code: 'not-found',
        });
      }
      return isClaimable(slot) ? claim(slot, holder, leaseMs) : undefined;
    },

    async claimNext(agents, holder, leaseMs, signal) {
      signal?.throwIfAborted();
      const slot = unfinishedOf(agents).find(isClaimable);
      return slot && claim(slot, holder, leaseMs);
    },

    async awaitOpenTasks(agents, signal) {
      signal.throwIfAborted();
      const unfinished = unfinishedOf(agents);
      if (unfinished.some(isClaimable)) return;
      const nextMs = Math.min(MAX_TIMER_MS, ...unfinished.map((slot) => slot.expiresAtMs - clock.nowMs()));
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const giveUp = () => reject(signal.reason);
      const timer = setTimeout(resolve, nextMs);
      waiting.add(resolve);
      signal.addEventListener('abort', giveUp, { once: true });
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(resolve);
        signal.removeEventListener('abort', giveUp);
      }
    },

    async extendClaim(claim, leaseMs, signal) {
      signal?.throwIfAborted();
      const slot = slotOf(claim);
      if (!slot) return 'stale';
      slot.expiresAtMs = clock.nowMs() + leaseMs;
      return { ...claim, expiresAtMs: slot.expiresAtMs };
    },

    async releaseClaim(claim, signal) {
      signal?.throwIfAborted();
      const slot = slotOf(claim);
      if (!slot) return;
      delete slot.holder;
      nudge();
    },

    async completeTask(claim, answer, signal) {
      signal?.throwIfAborted();
      const slot = slotOf(claim);
      if (!slot) return 'stale';
      prepareAnswer(openBoard(claim.task.investigationId), answer)();
      slot.done = true;
      slot.gaps = structuredClone(answer.gaps);
      if (answer.counsel !== undefined) slot.counsel = structuredClone(answer.counsel);
      if (answer.failure !== undefined) slot.failure = answer.failure;
      return 'accepted';
    },

    async postEvidence(investigationId, evidence, signal) {
      prepareEvidence(openBoard(investigationId, signal), evidence)();
    },

    async postHypotheses(investigationId, round, hypotheses, token, signal) {
      const board = openBoard(investigationId, signal);
      const others = [...board.hypotheses].filter(([otherRound]) => otherRound !== round).flatMap(([, list]) => list);
      checkItems('hypotheses', hypotheses, limits);
      checkCount('hypotheses', others.length + hypotheses.length, limits.maxHypotheses);
      checkSupervisor(investigationId, board, token);
      board.hypotheses.set(round, structuredClone(hypotheses));
    },

    async castVotes(investigationId, agent, votes, token, signal) {
      const board = openBoard(investigationId, signal);
      checkItems('votes', votes, limits);
      const keyed = new Map(
        votes.map((vote) => [canonicalJson([agent, vote.hypothesisId, vote.round]), { ...vote, agent }]),
      );
      checkCount('votes', new Set([...board.votes.keys(), ...keyed.keys()]).size, limits.maxVotes);
      checkSupervisor(investigationId, board, token);
      for (const [key, vote] of keyed) board.votes.set(key, structuredClone(vote));
    },

    async readBoard(investigationId, signal) {
      signal?.throwIfAborted();
      const board = boards.get(investigationId);
      return board
        ? describeBoard(board)
        : { tasks: [], findings: [], evidence: [], hypotheses: [], votes: [], gaps: [] };
    },

    async announce(progress) {
      const watching = listeners.get(progress.investigationId);
      for (const listener of watching ?? []) {
        queueMicrotask(() => {
          try {
            if (watching?.has(listener)) listener(progress);
          } catch (error) {
            logger.warn({ investigationId: progress.investigationId, reason: errorMessage(error) }, 'a watcher failed');
          }
        });
      }
    },

    async subscribe(investigationId, listener) {
      // A wrapper of its own for every subscription: the same function may watch twice and stop once.
      const own: Listener = (progress) => listener(progress);
      const watching = listeners.get(investigationId) ?? new Set();
      listeners.set(investigationId, watching.add(own));
      return async () => {
        watching.delete(own);
        if (watching.size === 0 && listeners.get(investigationId) === watching) listeners.delete(investigationId);
      };
    },

    async dropBoard(investigationId, signal) {
      signal?.throwIfAborted();
      boards.delete(investigationId);
    },

    async close() {
      boards.clear();
      listeners.clear();
      nudge();
    },
  };
}

function describeBoard(board: MemoryBoard): Board {
  return {
    tasks: [...board.tasks.values()].map(describeTask),
    findings: [...board.findings.values()],
    evidence: [...board.evidence.values()],
    hypotheses: [...board.hypotheses].sort(([left], [right]) => left - right).flatMap(([, list]) => list),
    votes: [...board.votes.values()],
    gaps: [...board.gaps.values()],
  };
}

/** A claim whose lease has run out is still shown as claimed until somebody takes the task over. */
function describeTask(slot: TaskSlot): TaskState {
  const status = slot.done ? 'done' : slot.holder === undefined ? 'open' : 'claimed';
  return {
    task: slot.task,
    status,
    ...(slot.holder === undefined ? {} : { claimedBy: slot.holder }),
    ...(slot.failure === undefined ? {} : { failure: slot.failure }),
    gaps: slot.gaps,
    ...(slot.counsel === undefined ? {} : { counsel: slot.counsel }),
  };
}
