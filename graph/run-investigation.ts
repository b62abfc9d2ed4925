/**
 * Investigations from outside: start one, decide on what it asks, go on after a crash, see what waits, watch. Everything is
 * durable before the next step begins, so any process with the same stores can take over where another one died.
 */
import { Command } from '@langchain/langgraph';
import { superseded } from '../context-store/context-store.ts';
import {
  type Approval,
  type Decision,
  decideByExpiry,
  decisionSchema,
  EXPIRY_POLICY,
  hasExpired,
} from '../domain/approval.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation, Progress } from '../domain/investigation.ts';
import { errorMessage, InputError, InvariantError, UnavailableError } from '../platform/errors.ts';
import { assembleInvestigation } from './assemble-investigation.ts';
import { createFence, type Fence } from './fence.ts';
import { buildInvestigationGraph } from './investigation-graph.ts';
import type { InvestigationParts } from './investigation-parts.ts';
import type { InvestigationState } from './investigation-state.ts';
import type { KeepEffect } from './nodes/run-action.ts';
import { announceStep, auditStep } from './record-step.ts';

export interface PendingInvestigation {
  readonly investigationId: string;
  /** What it waits for; absent: it was interrupted, `recover` lets it go on. */
  readonly approval?: Approval;
}

/**
 * One process at a time supervises an investigation, under its shard's lock and fence. One that loses the lock, or the context
 * store, breaks off with UnavailableError (superseded, context-store-away): whoever recovers the investigation goes on from its
 * checkpoint.
 */
export interface Investigator {
  /**
   * Investigates until the verdict is reported or a person is asked. An incident without investigationId gets one; give it
   * one before to watch from the beginning. A failure of a step is an investigation with status `failed`. Rejects with
   * InputError (conflict) when it was started before, and when the signal aborts, after which `recover` goes on.
   */
  start(incident: Incident, signal: AbortSignal): Promise<Investigation>;

  /**
   * Hands in a decision and goes on to the end. Of all decisions on one approval, in any process, the first counts; the
   * others reject with InputError (conflict), as does one where nothing waits, after its time, or on another action than the
   * one that waits.
   */
  resume(investigationId: string, decision: Decision, signal: AbortSignal): Promise<Investigation>;

  /** Ends a wait whose time is over: nothing runs, and it goes on to the report. Rejects as `resume` does. */
  expire(investigationId: string, signal: AbortSignal): Promise<Investigation>;

  /**
   * Goes on where a crash, an abort or a failure ended it; one that waits for a person or is finished is returned as it is.
   * Rejects with InputError: conflict while some process is at it, not-found.
   */
  recover(investigationId: string, signal: AbortSignal): Promise<Investigation>;

  /** What is not finished: waiting for a person, interrupted, or supervised elsewhere; without those that run here right now. */
  pending(signal: AbortSignal): Promise<readonly PendingInvestigation[]>;

  /** Tells what happens from now on; returns how to stop. */
  watch(investigationId: string, listener: (progress: Progress) => void): Promise<() => Promise<void>>;
}

type Input = Parameters<ReturnType<typeof buildInvestigationGraph>['invoke']>[0];

interface Supervision {
  readonly fence: Fence;
  /** Aborts with the caller's, or when the lock was lost. */
  readonly signal: AbortSignal;
}

/** Reading writes nothing. */
const NOT_FENCED: Fence = {
  token: 0,
  nextVersion: () => {
    throw new InvariantError('Something writes a checkpoint without supervising.');
  },
};

interface Standing {
  readonly state: InvestigationState;
  /** The step to be taken next, or STEP_ANSWERED; undefined at the end. */
  readonly next: string | undefined;
}

/** Steps of one round, times rounds, with room to spare: LangGraph's own limit of 25 is too low for a third round. */
const RECURSION_LIMIT = 200;

/** A crash came between a step's answer, which is stored, and its checkpoint: nothing is next, and yet it is not the end. */
const STEP_ANSWERED = 'step-answered';

const decisionKey = (approvalId: string) => `decision/${approvalId}`;

export function createInvestigator(parts: InvestigationParts): Investigator {
  const effects = new Set<Promise<unknown>>();
  const keep: KeepEffect = (effect) => {
    effects.add(effect);
    return effect.finally(() => effects.delete(effect));
  };
  const reader = buildInvestigationGraph({ ...parts, fence: NOT_FENCED }, keep);
  const running = new Set<string>();

  const threadOf = (investigationId: string) => ({ configurable: { thread_id: investigationId } });

  async function findStanding(investigationId: string): Promise<Standing | undefined> {
    const snapshot = await reader.getState(threadOf(investigationId));
    const state = snapshot.values as InvestigationState;
    if (state.investigationId === undefined) return undefined;
    return { state, next: snapshot.next[0] ?? (snapshot.tasks.length > 0 ? STEP_ANSWERED : undefined) };
  }

  async function readStanding(investigationId: string): Promise<Standing> {
    const standing = await findStanding(investigationId);
    if (standing) return standing;
    throw new InputError(`There is no investigation ${investigationId}.`, { code: 'not-found' });
  }

  /** One supervisor of an investigation at a time. */
  async function supervise<T>(
    investigationId: string,
    signal: AbortSignal,
    work: (supervision: Supervision) => Promise<T>,
  ): Promise<T> {
    const isRunning = () => conflict(`Investigation ${investigationId} is running: wait for it.`);
    if (running.has(investigationId)) throw isRunning();
    running.add(investigationId);
    try {
      const floor = await parts.newestVersion(signal);
      const outcome = await parts.shardLock.runExclusively(
        `investigation:${investigationId}`,
        async (held, token) => {
          const onEnd = parts.noteWork({ investigationId });
          return { value: await work({ fence: createFence(token), signal: held }).finally(onEnd) };
        },
        signal,
        floor,
      );
      if (!outcome) throw isRunning();
      return outcome.value;
    } catch (error) {
      // The lock's own abort, not the caller's: somebody else may have it by now.
      const isLost = !signal.aborted && error instanceof DOMException && error.name === 'AbortError';
      throw isLost ? superseded(investigationId) : error;
    } finally {
      running.delete(investigationId);
    }
  }

  async function run(investigationId: string, input: Input, { fence, signal }: Supervision): Promise<Investigation> {
    const config = {
      ...threadOf(investigationId),
      durability: 'sync' as const,
      recursionLimit: RECURSION_LIMIT,
      maxConcurrency: parts.limits.concurrency,
      signal,
    };
    try {
      await buildInvestigationGraph({ ...parts, fence }, keep).invoke(input, config);
    } catch (error) {
      if (!signal.aborted && !breaksOff(error)) return recordFailure(investigationId, fence, error);
      await Promise.allSettled(effects);
      throw signal.aborted ? signal.reason : failuresOf(error).find(breaksOff);
    }
    const investigation = describe(await readStanding(investigationId));
    if (investigation.status === 'finished') await dropBoard(investigationId);
    return investigation;
  }

  /** The checkpoint stays before the failed step: `recover` takes it again. */
  async function recordFailure(investigationId: string, fence: Fence, error: unknown): Promise<Investigation> {
    const failure = [...new Set(failuresOf(error).map(errorMessage))].join('; ');
    parts.logger.error({ investigationId, err: error }, 'an investigation failed');
    const { state } = await readStanding(investigationId);
    const failed = assembleInvestigation(state, 'failed', failure);
    await parts.archive.saveInvestigation(failed, fence.nextVersion());
    await parts.archive.saveIncident(failed.incident, fence.nextVersion());
    await auditStep(parts, investigationId, {
      actor: 'supervisor',
      kind: 'investigation.failed',
      details: { failure },
    });
    await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'failed', message: failure });
    return failed;
  }

  /** The archive has it all; a board that stays behind is only memory. */
  async function dropBoard(investigationId: string): Promise<void> {
    try {
      await parts.contextStore.dropBoard(investigationId);
    } catch (error) {
      parts.logger.warn({ investigationId, reason: errorMessage(error) }, 'a board was left behind');
    }
  }

  /** The decision that stands for what this investigation waits for, if there is one. */
  async function findDecision({ state, next }: Standing, signal: AbortSignal): Promise<Decision | undefined> {
    if (next !== 'request-approval' || !state.approval) return undefined;
    const text = await parts.once.get(decisionKey(state.approval.approvalId), signal);
    return text === undefined ? undefined : decisionSchema.parse(JSON.parse(text));
  }

  /** The first decision is the one that stands. */
  async function carryOut(approval: Approval, decision: Decision, supervision: Supervision): Promise<Investigation> {
    const { approvalId, investigationId } = approval;
    const standing = await parts.once.putOnce(decisionKey(approvalId), JSON.stringify(decision), supervision.signal);
    if (!standing.stored) throw alreadyDecided(decisionSchema.parse(JSON.parse(standing.text)));
    return run(investigationId, new Command({ resume: decision }), supervision);
  }

  return {
    async start(incident, signal) {
      const investigationId = incident.investigationId ?? parts.newId('inv');
      return supervise(investigationId, signal, async (supervision) => {
        if (await findStanding(investigationId)) throw conflict(`Investigation ${investigationId} was started before.`);
        const opened = { ...incident, investigationId, status: 'investigating' as const };
        const startedAtMs = parts.clock.nowMs();
        return run(
          investigationId,
          { investigationId, incident: opened, startedAtMs, round: 1, focus: [] },
          supervision,
        );
      });
    },

    async resume(investigationId, given, signal) {
      const parsed = decisionSchema.safeParse(given);
      if (!parsed.success) throw new InputError(`That is not a decision: ${parsed.error.message}`);
      const decision = parsed.data;
      return supervise(investigationId, signal, async (supervision) => {
        const approval = refuseUnlessWaiting(await readStanding(investigationId));
        if (hasExpired(approval, decision.decidedAtMs)) throw tooLate(approval);
        const { actionDigest } = approval;
        if ((decision.actionDigest ?? actionDigest) !== actionDigest) throw notWhatWaits(approval);
        return carryOut(approval, { ...decision, actionDigest }, supervision);
      });
    },

    async expire(investigationId, signal) {
      return supervise(investigationId, signal, async (supervision) => {
        const approval = refuseUnlessWaiting(await readStanding(investigationId));
        const nowMs = parts.clock.nowMs();
        if (!hasExpired(approval, nowMs)) throw conflict(`Approval ${approval.approvalId} has not expired yet.`);
        return carryOut(approval, decideByExpiry(approval, nowMs), supervision);
      });
    },

    async recover(investigationId, signal) {
      return supervise(investigationId, signal, async (supervision) => {
        const standing = await readStanding(investigationId);
        const decision = await findDecision(standing, signal);
        if (!decision && (standing.next === undefined || isWaiting(standing))) return describe(standing);
        parts.logger.warn({ investigationId }, 'going on with an investigation that was cut off');
        return run(investigationId, decision ? new Command({ resume: decision }) : null, supervision);
      });
    },

    async pending(signal) {
      const found: PendingInvestigation[] = [];
      for (const investigationId of await parts.archive.listUnfinished(signal)) {
        if (running.has(investigationId)) continue;
        const standing = await findStanding(investigationId);
        if (!standing || standing.next === undefined) continue;
        const waits = isWaiting(standing) && (await findDecision(standing, signal)) === undefined;
        const { approval } = standing.state;
        found.push({ investigationId, ...(waits && approval ? { approval } : {}) });
      }
      return found;
    },

    watch: (investigationId, listener) => parts.contextStore.subscribe(investigationId, listener),
  };
}

/** Not the investigation's failure: it goes on when the store is back, or elsewhere. */
const breaksOff = (error: unknown): boolean =>
  failuresOf(error).some(
    (failure) =>
      failure instanceof UnavailableError && (failure.code === 'superseded' || failure.code === 'context-store-away'),
  );

/** LangGraph puts together what several branches of one step fail with. */
const failuresOf = (error: unknown): readonly unknown[] => (error instanceof AggregateError ? error.errors : [error]);

const isWaiting = ({ next }: Standing): boolean => next === 'request-approval';

function describe(standing: Standing): Investigation {
  const { state } = standing;
  if (isWaiting(standing)) return assembleInvestigation(state, 'awaiting-approval');
  return assembleInvestigation(state, state.finishedAtMs === undefined ? 'running' : 'finished');
}

/** The approval that may be decided. */
function refuseUnlessWaiting(standing: Standing): Approval {
  const { approval, investigationId } = standing.state;
  if (approval?.decision) throw alreadyDecided(approval.decision);
  if (!isWaiting(standing) || !approval) throw conflict(`Investigation ${investigationId} waits for no decision.`);
  return approval;
}

function tooLate({ approvalId, expiresAtMs }: Approval): InputError {
  const when = new Date(expiresAtMs).toISOString();
  return conflict(`Approval ${approvalId} expired at ${when}: nothing was run. Investigate again to get a new one.`);
}

function notWhatWaits({ approvalId }: Approval): InputError {
  return conflict(`Approval ${approvalId} is for another action than the one that was shown: look at it again.`);
}

function alreadyDecided({ outcome, decidedBy, decidedAtMs }: Decision): InputError {
  if (decidedBy !== EXPIRY_POLICY) return conflict(`That was decided before: ${outcome} by ${decidedBy}.`);
  const when = new Date(decidedAtMs).toISOString();
  return conflict(`Too late: nobody had decided in time, so it was closed at ${when} and nothing was run.`);
}

function conflict(message: string): InputError {
  return new InputError(message, { code: 'conflict' });
}
